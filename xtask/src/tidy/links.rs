//! Links between the project's own documents lead somewhere: the file is there, and so is the heading.

use super::finding::Finding;
use super::tree::{Tree, folder, has_extension, join};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.markdown_files() {
        for (line, prose) in lines_outside_fences(text) {
            for target in targets(&without_code(prose)) {
                findings.extend(
                    fault(tree, path, target).map(|message| Finding::new(path, line, message)),
                );
            }
        }
    }
    findings
}

fn fault(tree: &Tree, path: &str, target: &str) -> Option<String> {
    let is_foreign = target.contains("://") || target.starts_with("mailto:");
    if is_foreign || target.is_empty() {
        return None;
    }
    let (file, heading) = target.split_once('#').unwrap_or((target, ""));
    let full = match (file, file.strip_prefix('/')) {
        ("", _) => Some(path.to_owned()),
        (_, Some(from_root)) => join("", from_root),
        (_, None) => join(folder(path), file),
    };
    let Some(full) = full.filter(|full| tree.holds(full)) else {
        return Some(format!(
            "links to `{target}`, which is not there; mend the path"
        ));
    };
    let is_missing = !heading.is_empty()
        && tree
            .text(&full)
            .is_some_and(|text| has_extension(&full, "md") && !has_heading(text, heading));
    is_missing
        .then(|| format!("links to `{target}`, but {full} has no such heading; mend the anchor"))
}

/// The lines of a document that are not in a fenced block of code.
fn lines_outside_fences(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fence: Option<&str> = None;
    text.lines().enumerate().filter_map(move |(index, line)| {
        let start = line.trim_start();
        let marks = ["```", "~~~"]
            .into_iter()
            .find(|marks| start.starts_with(marks));
        match (fence, marks) {
            (None, Some(opening)) => fence = Some(opening),
            (Some(opening), Some(closing)) if opening == closing => fence = None,
            (None, None) => return Some((index + 1, line)),
            (Some(_), _) => {}
        }
        None
    })
}

/// A line with its inline code taken out.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect::<Vec<_>>().join("`")
}

/// What a line links to: `[text](target "title")` and `[name]: target`.
fn targets(prose: &str) -> impl Iterator<Item = &str> {
    let inline = prose
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split([')', ' ']).next());
    let defined = prose
        .trim_start()
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("]: "))
        .and_then(|(_, target)| target.split_whitespace().next());
    inline
        .chain(defined)
        .map(|target| target.trim_matches(['<', '>']))
}

/// Headings are addressed the way GitHub does it; of equal ones the second is `name-1`.
fn has_heading(text: &str, anchor: &str) -> bool {
    let mut seen: Vec<String> = Vec::new();
    for (_, line) in lines_outside_fences(text) {
        let Some(title) = line
            .strip_prefix('#')
            .map(|rest| rest.trim_start_matches('#'))
        else {
            continue;
        };
        let slug = slug(title.trim());
        let earlier = seen.iter().filter(|other| **other == slug).count();
        let address = if earlier == 0 {
            slug.clone()
        } else {
            format!("{slug}-{earlier}")
        };
        if address == anchor {
            return true;
        }
        seen.push(slug);
    }
    false
}

fn slug(title: &str) -> String {
    title
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    const GUIDE: (&str, &str) = (
        "docs/guide.md",
        "# Guide\n## The `log`, and more\n## Twice\n## Twice\n",
    );

    fn check_text(text: &str) -> Vec<String> {
        findings(
            check,
            &[
                ("docs/index.md", text),
                GUIDE,
                ("README.md", "# Feedwire\n"),
            ],
        )
    }

    #[test]
    fn links_that_lead_somewhere_are_in_order() {
        let text = "\
# Index
[a](guide.md) [b](../README.md#feedwire) [c](/docs/guide.md#the-log-and-more \"title\")
[d](#index) [e](guide.md#twice-1) [f](https://example.com/x.md) [folder](../docs)
[ref]: <guide.md>
`[code](gone.md)`
```text
[fenced](gone.md)
```
";
        assert!(check_text(text).is_empty(), "{:?}", check_text(text));
    }

    #[test]
    fn a_link_to_a_file_that_is_not_there_is_found() {
        assert_eq!(
            check_text("# Index\n\nSee [a](gone.md) and\n[b]: ../../outside.md\n"),
            [
                "docs/index.md:3: links to `gone.md`, which is not there; mend the path",
                "docs/index.md:4: links to `../../outside.md`, which is not there; mend the path",
            ]
        );
    }

    #[test]
    fn a_link_to_a_heading_that_is_not_there_is_found() {
        assert_eq!(
            check_text("[a](guide.md#thrice)\n[b](#nowhere)\n"),
            [
                "docs/index.md:1: links to `guide.md#thrice`, but docs/guide.md has no such heading; mend the anchor",
                "docs/index.md:2: links to `#nowhere`, but docs/index.md has no such heading; mend the anchor",
            ]
        );
    }
}
