//! The rules of the house that neither rustc nor clippy can hold, one file a rule.
//!
//! A rule is a function from the tree to what it found wrong. A finding reads `path:line: what is wrong; what would be
//! right`, so that an editor can jump to it.

mod comments;
mod dead_files;
mod dependencies;
mod dialects;
mod finding;
mod headers;
mod layers;
mod length;
mod links;
mod lints;
mod manifest;
mod outgoing;
mod report;
#[cfg(test)]
mod sample;
mod source;
mod tree;

pub(crate) use report::run;
