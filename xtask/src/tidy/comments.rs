//! Comments give reasons; they tell no history, leave no work behind and draw no banners.

use super::finding::Finding;
use super::source::{Kind, tokens};
use super::tree::Tree;

/// Marks of work left behind, as they are written.
const LEFT_BEHIND: &[&str] = &["TODO", "FIXME", "XXX", "HACK"];

/// What a comment says when it tells how the code came to be; in any case of letters. That an event is no longer there is
/// true of data at run time and no history, hence the verbs.
const HISTORY: &[&str] = &[
    "no longer need",
    "no longer needed",
    "no longer needs",
    "no longer necessary",
    "no longer required",
    "no longer supported",
    "no longer use",
    "no longer used",
    "no longer uses",
    "previously",
    "for now",
    "used to",
    "legacy",
    "workaround",
    "refactored",
];

/// After one of these, `used to` says what a thing is for.
const FORMS_OF_BE: &[&str] = &["is", "are", "was", "were", "be", "been", "being"];

/// As many of one of these in a row are a line drawn, not a word or an operator.
const BANNERS: &[&str] = &["====", "####", "////"];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    tree.rust_files()
        .flat_map(|(path, text)| check_file(path, text))
        .collect()
}

fn check_file(path: &str, text: &str) -> Vec<Finding> {
    let comments = tokens(text)
        .into_iter()
        .filter(|token| token.kind == Kind::Comment);
    let lines = comments.flat_map(|comment| (comment.line..).zip(comment.text.lines()));
    lines
        .filter_map(|(line, comment)| Some(Finding::new(path, line, fault(comment)?)))
        .collect()
}

fn fault(comment: &str) -> Option<String> {
    let prose = without_code(comment);
    if let Some(mark) = LEFT_BEHIND.iter().find(|mark| holds_phrase(&prose, mark)) {
        return Some(format!(
            "leaves work behind (`{mark}`); do it, or open an issue"
        ));
    }
    let lower = prose.to_lowercase();
    if let Some(phrase) = HISTORY.iter().find(|phrase| holds_phrase(&lower, phrase)) {
        return Some(format!(
            "tells history (`{phrase}`); say what is true of the code as it is"
        ));
    }
    is_banner(comment)
        .then(|| "draws a banner; a section that needs one wants a file of its own".to_owned())
}

/// What stands between backticks is a name, not something that the comment says.
fn without_code(comment: &str) -> String {
    comment.split('`').step_by(2).collect()
}

/// Whether the phrase stands there as whole words, meaning what it is banned for.
fn holds_phrase(text: &str, phrase: &str) -> bool {
    text.match_indices(phrase).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + phrase.len()..]);
        let is_part_of_word = before.ends_with(is_word) || after.starts_with(is_word);
        let is_innocent = phrase == "used to" && tells_purpose(before);
        !is_part_of_word && !is_innocent
    })
}

/// `is only used to sign` is no history: a form of `be` shortly before says so.
fn tells_purpose(before: &str) -> bool {
    before
        .split_whitespace()
        .rev()
        .take(3)
        .any(|word| FORMS_OF_BE.contains(&word))
}

fn is_banner(comment: &str) -> bool {
    let text = comment.trim_start_matches(['/', '!', '*']);
    let is_plain = !comment.starts_with("///") && !comment.starts_with("//!");
    let drawn = BANNERS.iter().any(|banner| text.contains(banner));
    // Doc comments may hold tables, whose rules are made of dashes.
    drawn || (is_plain && text.contains("----")) || comment.starts_with("////")
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::super::sample::findings;
    use super::*;

    fn check_text(text: &str) -> Vec<String> {
        findings(check, &[("a.rs", text)])
    }

    #[test]
    fn reasons_are_in_order() {
        let text = "\
//! Which key is used to sign; `TODO` is a name here.
// Events before this one are no longer retained.
// The folder is synced first: the reverse order can lose both after a crash.
let todo = \"TODO: a string is no comment\"; // a == b, and ForNow is one word
/// | a | b |
/// |------|---|
";
        assert!(check_text(text).is_empty(), "{:?}", check_text(text));
    }

    #[test]
    fn work_left_behind_is_found_where_it_stands() {
        assert_eq!(
            check_text("let a = 1; // TODO: the rest\n/* one\n   FIXME two */\n"),
            [
                "a.rs:1: leaves work behind (`TODO`); do it, or open an issue",
                "a.rs:3: leaves work behind (`FIXME`); do it, or open an issue",
            ]
        );
    }

    #[test]
    fn each_phrase_of_history_is_found() {
        for phrase in HISTORY {
            let text = format!("fn a() {{}}\n// Readers {phrase} that.\n");
            assert_eq!(
                check_text(&text),
                [format!(
                    "a.rs:2: tells history (`{phrase}`); say what is true of the code as it is"
                )]
            );
        }
    }

    #[test]
    fn banners_are_found_in_any_comment() {
        for banner in [
            "// ===== Types =====",
            "// ------------",
            "/// ======",
            "//////////",
        ] {
            assert_eq!(
                check_text(banner),
                ["a.rs:1: draws a banner; a section that needs one wants a file of its own"],
                "{banner}"
            );
        }
    }
}
