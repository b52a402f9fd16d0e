//! The records of a segment that are in a scope: lists united within a kind of tag, and intersected between kinds.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bytes::Bytes;

use super::postings::Cursor;
use super::{Direction, Index, Kind, List};
use crate::Scope;
use crate::fault::Fault;

/// Offsets of the records that have all that is asked for, in the order of the walk.
#[derive(Debug)]
pub(crate) struct Matches {
    /// One a kind that is asked for, the shortest first.
    unions: Vec<Union>,
    /// What comes next is at least this.
    target: Option<u32>,
    direction: Direction,
}

impl Matches {
    /// Looks the scope up; `None` if the segment has nothing of it. The scope must ask for something.
    ///
    /// Going forward, what is before `start` is passed over; going backward, what is behind it.
    pub(crate) fn new(
        index: &dyn Index,
        scope: &Scope,
        direction: Direction,
        start: u32,
    ) -> Result<Option<Self>, Fault> {
        let mut unions = Vec::new();
        let asked = [
            (Kind::Feed, &scope.feeds),
            (Kind::Type, &scope.types),
            (Kind::Subject, &scope.subjects),
        ];
        for (kind, keys) in asked {
            if keys.is_empty() {
                continue;
            }
            let lists = lists(index, kind, keys)?;
            if lists.is_empty() {
                return Ok(None);
            }
            unions.push(Union::new(&lists, direction));
        }
        unions.sort_by_key(|union| union.len);
        Ok(Some(Self {
            unions,
            target: Some(direction.turn(start)),
            direction,
        }))
    }

    pub(crate) fn next(&mut self, index: &dyn Index) -> Result<Option<u32>, Fault> {
        let (Some(mut target), Some((first, others))) =
            (self.target, self.unions.split_first_mut())
        else {
            return Ok(None);
        };
        'candidate: loop {
            let Some(candidate) = first.seek(index, target)? else {
                self.target = None;
                return Ok(None);
            };
            for other in &mut *others {
                let Some(found) = other.seek(index, candidate)? else {
                    self.target = None;
                    return Ok(None);
                };
                if found > candidate {
                    target = found;
                    continue 'candidate;
                }
            }
            self.target = candidate.checked_add(1);
            return Ok(Some(self.direction.turn(candidate)));
        }
    }
}

fn lists(index: &dyn Index, kind: Kind, keys: &[Bytes]) -> Result<Vec<List>, Fault> {
    let mut lists = Vec::new();
    for key in keys {
        lists.extend(index.find(kind, key)?);
    }
    Ok(lists)
}

/// Several lists as one.
#[derive(Debug)]
struct Union {
    cursors: Vec<Cursor>,
    /// The lists that are not at their end, by where they stand; the least first.
    heads: BinaryHeap<Reverse<(u32, usize)>>,
    len: u64,
}

impl Union {
    fn new(lists: &[List], direction: Direction) -> Self {
        let cursors = lists.iter().map(|list| Cursor::new(*list, direction));
        Self {
            cursors: cursors.collect(),
            // A cursor that has not been read stands before everything.
            heads: (0..lists.len())
                .map(|number| Reverse((0, number)))
                .collect(),
            len: lists.iter().map(|list| u64::from(list.len)).sum(),
        }
    }

    /// The first posting of any list that is at least `target`.
    fn seek(&mut self, index: &dyn Index, target: u32) -> Result<Option<u32>, Fault> {
        while let Some(Reverse((head, number))) = self.heads.peek().copied() {
            let cursor = &mut self.cursors[number];
            if head >= target && cursor.current() == Some(head) {
                return Ok(Some(head));
            }
            cursor.seek(index, target)?;
            self.heads.pop();
            if let Some(head) = cursor.current() {
                self.heads.push(Reverse((head, number)));
            }
        }
        Ok(None)
    }
}
