//! The embedded engine on real folders.

mod bounds;
mod contract;
mod deleting;
mod folder;
mod heads;
mod kill;
