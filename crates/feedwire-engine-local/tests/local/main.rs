//! The embedded engine on real folders.

mod bounds;
mod contract;
mod folder;
mod heads;
mod kill;
