//! The keys of the store. Names have no NUL, so that it can stand between them.
//!
//! | keyspace | key | value |
//! |---|---|---|
//! | primary | NUL `revision` | the last revision, u64 |
//! | primary | project NUL space NUL key | revision u64, then the value |
//! | views | project NUL view NUL 0 | life u64, applied position u64, incarnation of the log u128 |
//! | views | project NUL view NUL 1 life key | the value |
//! | heads | project NUL 0 | as with views, life 0 |
//! | heads | project NUL 1 feed NUL subject | version u64, position u64 |
//!
//! Integers are big-endian. A view that is emptied gets another life: its old entries are out of sight at once, and
//! removed after that.

use feedwire_engine::Space;

/// The key of the counter of revisions; no project's name starts with NUL.
pub(super) const REVISION: &[u8] = b"\0revision";

/// What all keys of a project start with, in each keyspace. No other project's do: a name has no NUL.
pub(super) fn project(project: &str) -> Vec<u8> {
    [project.as_bytes(), b""].join(&0)
}

/// What all keys of a space start with.
pub(super) fn space(space: &Space) -> Vec<u8> {
    [
        space.project.as_str().as_bytes(),
        space.name.as_bytes(),
        b"",
    ]
    .join(&0)
}

/// Where it is kept how far the view is applied.
pub(super) fn applied(project: &str, view: &str) -> Vec<u8> {
    [project.as_bytes(), view.as_bytes(), b"\0"].join(&0)
}

/// What all entries of the view start with, of every life.
pub(super) fn lives(project: &str, view: &str) -> Vec<u8> {
    [project.as_bytes(), view.as_bytes(), b"\x01"].join(&0)
}

/// What the entries of one life of the view start with.
pub(super) fn life(project: &str, view: &str, life: u64) -> Vec<u8> {
    let mut key = lives(project, view);
    key.extend(life.to_be_bytes());
    key
}

/// Where it is kept how far the heads are applied.
pub(super) fn heads_applied(project: &str) -> Vec<u8> {
    [project.as_bytes(), b"\0"].join(&0)
}

/// What the heads of a project's subjects start with.
pub(crate) fn heads_of_project(project: &str) -> Vec<u8> {
    [project.as_bytes(), b"\x01"].join(&0)
}

/// What the heads of a feed's subjects start with.
pub(crate) fn heads_of_feed(project: &str, feed: &str) -> Vec<u8> {
    let mut key = Vec::new();
    head_key(&mut key, project, feed, "");
    key
}

/// Feed and subject of the head at `key`; `None` if it is no such key.
pub(crate) fn feed_and_subject<'k>(project: &str, key: &'k [u8]) -> Option<(&'k str, &'k str)> {
    let name = key.get(heads_of_project(project).len()..)?;
    std::str::from_utf8(name).ok()?.split_once('\0')
}

/// Writes the key of the head of a subject behind what is in `out`.
pub(crate) fn head_key(out: &mut Vec<u8>, project: &str, feed: &str, subject: &str) {
    out.extend_from_slice(project.as_bytes());
    out.extend_from_slice(b"\0\x01");
    out.extend_from_slice(feed.as_bytes());
    out.push(0);
    out.extend_from_slice(subject.as_bytes());
}

/// The first key behind all that start with `prefix`; `None` if there is none.
pub(super) fn behind(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut key = prefix[..=last].to_vec();
    key[last] += 1;
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_a_project_start_with_its_name_and_those_of_no_other_do() {
        let labels = |name: &str| Space {
            project: feedwire_event::ProjectName::new(name).expect("a name"),
            name: "labels",
        };
        let a = project("a");
        for key in [
            space(&labels("a")),
            applied("a", "counts"),
            life("a", "counts", 7),
            heads_applied("a"),
            heads_of_project("a"),
        ] {
            assert!(key.starts_with(&a), "{key:?}");
        }
        for other in ["ab", "a.b", "A", "a-", "_system"] {
            assert!(!space(&labels(other)).starts_with(&a), "{other}");
            assert!(!heads_of_project(other).starts_with(&a), "{other}");
        }
        assert!(!REVISION.starts_with(&a));
    }

    #[test]
    fn the_key_of_a_head_tells_feed_and_subject() {
        let mut key = Vec::new();
        head_key(&mut key, "p", "f", "s t");
        assert_eq!(feed_and_subject("p", &key), Some(("f", "s t")));
        assert!(key.starts_with(&heads_of_feed("p", "f")));
        assert!(key.starts_with(&heads_of_project("p")));
        assert!(!key.starts_with(&heads_of_feed("p", "")));
        assert_eq!(feed_and_subject("p", &heads_applied("p")), None);
        assert_eq!(feed_and_subject("p", b"p"), None);
    }

    #[test]
    fn behind_a_prefix_comes_the_next_one() {
        assert_eq!(behind(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(behind(b"a\xff\xff"), Some(b"b".to_vec()));
        assert_eq!(behind(b"\xff"), None);
        assert_eq!(behind(b""), None);
    }
}
