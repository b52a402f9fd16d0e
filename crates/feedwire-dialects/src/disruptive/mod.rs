//! Disruptive Technologies' API under `/disruptive`: live streams of what devices tell, their history, devices and an emulator of them.
//!
//! A device is a subject of the feed `devices`, and what kind of device it is, is kept among the labels of that subject. An event of
//! the vendor's type `temperature` is one of ours of that type, whose data is `{"temperature":{…}}`.

pub mod answer;
pub mod body;
pub mod error;
mod event;
pub mod framing;
pub mod refusal;
pub mod request;
