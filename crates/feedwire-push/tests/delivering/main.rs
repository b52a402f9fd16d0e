//! What connectors push, over a core in memory, to receivers over real sockets that answer as each test has them.

mod arriving;
mod beside;
mod changing;
mod failing;
mod guarding;
mod random;
mod receiver;
mod reopening;
mod replaying;
mod restraint;
mod rotating;
mod sharing;
mod world;
