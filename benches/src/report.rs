//! Tables in Markdown: on standard output row by row, and in a file once a part is done.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use anyhow::Context as _;

#[derive(Debug, Default)]
pub(crate) struct Report {
    text: String,
}

impl Report {
    pub(crate) fn heading(&mut self, text: &str) {
        self.line(&format!("\n#### {text}\n"));
    }

    pub(crate) fn paragraph(&mut self, text: &str) {
        self.line(&format!("\n{text}"));
    }

    /// The head of a table.
    pub(crate) fn columns(&mut self, columns: &[&str]) {
        self.row(columns);
        self.line(&format!("|{}", "---|".repeat(columns.len())));
    }

    pub(crate) fn row<S: AsRef<str>>(&mut self, cells: &[S]) {
        let cells: Vec<&str> = cells.iter().map(AsRef::as_ref).collect();
        self.line(&format!("| {} |", cells.join(" | ")));
    }

    fn line(&mut self, line: &str) {
        // Whoever read along may have gone; the file holds it all.
        drop(writeln!(std::io::stdout(), "{line}"));
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// Writes it all to `path`.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        let folder = path.parent().context("a file lies in a folder")?;
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(path, self.text.trim_start()))
            .with_context(|| format!("cannot write {}", path.display()))
    }
}
