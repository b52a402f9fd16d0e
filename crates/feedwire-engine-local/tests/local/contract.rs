//! The embedded engine keeps the contract of every engine.

use crate::folder::Folder;

feedwire_engine::contract!(Folder::new());
