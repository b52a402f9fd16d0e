//! The states of all entities, one after the other: what a reader begins with that wants everything, and then every change after it.
//!
//! Each is told as it is when it is come to, which is at the start or later. What changed behind the start is told behind the states, also
//! where a state has it already: by its position it is known again.

use feedwire_engine::{Limit, Record};
use feedwire_event::{Cursor, Position};

use super::list::Walk;
use super::{Entity, StateCursor};
use crate::filter::Matcher;
use crate::{Core, Filter, Grant, Right, read};

/// A reading of states on its way.
#[derive(Debug)]
pub struct Snapshot {
    start: Position,
    walk: Walk,
}

impl Core {
    /// Begins to read the states of the entities that pass `filter`, or goes on where `at` says.
    ///
    /// What changes from now on is read behind [`Snapshot::start`]; whether that is still retained is for that reading to say.
    pub async fn snapshot(
        &self,
        grant: &Grant,
        filter: Filter,
        at: Option<StateCursor>,
    ) -> Result<Snapshot, read::Error> {
        grant.require(Right::Read)?;
        let matcher = Matcher::new(filter, grant.allowance())?;
        let project = self.project(grant.project()).await?;
        let head = project.log().bounds().last;
        let StateCursor { start, after } = at.unwrap_or(StateCursor {
            start: head,
            after: None,
        });
        if start > head {
            return Err(read::Error::CursorAhead {
                cursor: Cursor(start),
                head,
            });
        }
        project.entities().come_to(start).await?;
        Ok(Snapshot {
            start,
            walk: Walk::new(project, matcher, after),
        })
    }
}

impl Snapshot {
    /// The position of the log when it began.
    pub fn start(&self) -> Position {
        self.start
    }

    /// Where it stands: what goes on from here has all that follows.
    pub fn cursor(&self) -> StateCursor {
        StateCursor {
            start: self.start,
            after: self.walk.told().cloned(),
        }
    }

    /// The next states as `load` events, which stand at the positions of the changes that made them; `None` where there are no more.
    /// Cancel safe.
    pub async fn next(&mut self, limit: Limit) -> Result<Option<Vec<Record>>, read::Error> {
        loop {
            match self.walk.next(limit).await? {
                Some(found) if found.is_empty() => tokio::task::yield_now().await,
                Some(found) => {
                    return Ok(Some(found.into_iter().map(Entity::into_record).collect()));
                }
                None => return Ok(None),
            }
        }
    }
}
