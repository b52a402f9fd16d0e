//! Running every rule over the tree and saying what they found.

use std::path::Path;
use std::process::ExitCode;

use super::finding::Finding;
use super::tree::Tree;
use super::{
    comments, dead_files, dependencies, dialects, headers, layers, length, links, lints, outgoing,
};

const RULES: &[fn(&Tree) -> Vec<Finding>] = &[
    comments::check,
    dead_files::check,
    dependencies::check,
    dialects::check,
    headers::check,
    layers::check,
    length::check,
    links::check,
    lints::check,
    outgoing::check,
];

/// Prints what is wrong in the tree below `root`, sorted by place; fails if there is anything.
pub(crate) fn run(root: &Path) -> anyhow::Result<ExitCode> {
    let tree = Tree::read(root)?;
    let mut findings: Vec<Finding> = RULES.iter().flat_map(|check| check(&tree)).collect();
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() {
        eprintln!("tidy: {} files, all in order", tree.len());
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("tidy: {} findings in {} files", findings.len(), tree.len());
    Ok(ExitCode::FAILURE)
}
