//! Bare peers: what the machine and the libraries do with nothing of ours behind them.

mod body;
mod broadcast;
mod hyper;
mod pour;
mod push;
mod send;
mod sync;
mod validate;

pub(crate) use hyper::run;
pub(crate) use pour::run as pour;
pub(crate) use push::run as push;
pub(crate) use send::run as send;
pub(crate) use sync::syncs;
pub(crate) use validate::validated;
