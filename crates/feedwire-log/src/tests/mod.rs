//! What the log promises, tried on a disk that loses power, rots, fills up and fails to sync.

mod between;
mod bit_rot;
mod counting;
mod faults;
mod folder;
mod history;
mod model;
mod power_cut;
mod random;
mod sim;
