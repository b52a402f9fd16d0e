//! What is sent, to whom, and what is made of the answer: against receivers over real sockets.

mod addresses;
mod answers;
mod failures;
mod headers;
mod names;
mod receiver;
mod redirects;
mod sender;
mod sending;
mod signatures;
mod tls;
mod urls;
