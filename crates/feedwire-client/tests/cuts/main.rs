//! Connections that are cut at every byte, and what becomes of the events: none is lost, none comes twice.
//!
//! Most servers here are scripts: each connection has a fault, and once there is none left the server is a good one. The other
//! one is real, behind a proxy that cuts. Time is paused, so that waits cost nothing.

mod feed;
mod following;
mod intake;
mod proxy;
mod publishing;
mod real;
mod wire;
