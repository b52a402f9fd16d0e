//! The embedded engine on real folders.

mod bounds;
mod contract;
mod deleting;
mod erasing;
mod folder;
mod heads;
mod kill;
mod little_room;
