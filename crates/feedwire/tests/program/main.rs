//! The program as its users meet it: the built binary, its output and its exit codes.

mod check;
mod connectors;
mod demo;
mod entities;
mod events;
mod home;
mod init;
mod keys;
mod little_room;
mod process;
mod retries;
mod serve;
mod streams;
mod tls;
mod upkeep;
