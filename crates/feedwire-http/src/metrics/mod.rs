//! `GET /metrics`: what an operator's monitoring reads, as Prometheus and OpenMetrics have it.
//!
//! Every number is counted where it is made, in plain counters; here they get their names. No label is of a feed, a subject
//! or anything else that clients make up: there are as many series as there are routes and projects. `docs/metrics.md` lists
//! every family with the help that it has here, and a test holds the two together.

mod access;
mod connectors;
mod disk;
mod entities;
mod families;
mod logs;
mod process;
mod readers;
mod requests;
mod scrape;
mod server;
mod streams;

pub(crate) use scrape::{APART, ROUTE};
