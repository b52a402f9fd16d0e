//! Changing entities: what is wanted is held against what is there, and the difference is published.
//!
//! Writers of one entity take turns, so each sees what the one before has made of it. What is published beside them about its subject may
//! still come in between; then the expectation of the batch fails, and it is looked at anew.

use std::sync::Arc;

use feedwire_engine::{
    AppendError, Appended, Batch, BatchError, Expectation, Expected as At, Head, NewRecord,
};
use feedwire_event::limits::EVENT_BYTES_MAX;
use feedwire_event::{
    Change, ChangeKind, Data, Difference, Event, Extensions, Ids, Position, State, Timestamp,
    TypeName, Version, payload,
};

use super::{Entity, EntityKey, Error, Wanted, Write};
use crate::limits::LOAD_ROOM_BYTES;
use crate::project::Project;
use crate::turns::Turn;
use crate::{Core, Grant, Ids as GiveIds, Right, publish};

/// How often it is looked at anew, where the subject has other events all the time.
const ATTEMPTS: usize = 100;

/// What became of an entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it changed; `None` where it was so before.
    pub change: Option<ChangeKind>,
    /// Where its last change is; `None` where it is not there and was not.
    pub position: Option<Position>,
    /// The version of its subject with that change; [`Version::NONE`] where it is not there and was not.
    pub version: Version,
    /// When that was recorded.
    pub recorded_at: Option<Timestamp>,
}

/// What is there of an entity.
struct Present {
    head: Option<Head>,
    entity: Option<Entity>,
}

impl Core {
    /// Changes entities as one batch: all or none, on disk and readable when this returns. What is so already is not published.
    ///
    /// Dropping the future does not take the changes back: they may still be made.
    pub async fn change_entities(
        &self,
        grant: &Grant,
        writes: &[Write],
    ) -> Result<Vec<Outcome>, Error> {
        let changed = self.change(grant, writes).await;
        if let Err(Error::Publish(error)) = &changed {
            self.failures().count(error);
        }
        changed
    }

    async fn change(&self, grant: &Grant, writes: &[Write]) -> Result<Vec<Outcome>, Error> {
        grant.require(Right::Publish)?;
        let project = self
            .project(grant.project())
            .await
            .map_err(publish::Error::from)?;
        for Write { feed, subject, .. } in writes {
            let labels = |subject: &str| project.labels().table().get(subject);
            grant.require_publish(feed, Some(subject), labels)?;
        }
        let keys: Vec<EntityKey> = writes.iter().map(Write::key).collect();
        let _turns = take_turns(&project, &keys).await?;
        project.entities().room().await?;
        let (ids, clock) = (&*self.seams().ids, &*self.seams().clock);
        let mut attempts = 0;
        loop {
            let present = project.present(&keys).await?;
            let plans = writes.iter().zip(&keys).zip(&present);
            let plans: Vec<Option<Plan>> = plans
                .map(|((write, key), present)| Plan::of(write, key, present))
                .collect::<Result<_, _>>()?;
            let (mut records, mut expectations, mut loads) = (Vec::new(), Vec::new(), Vec::new());
            for ((write, present), plan) in writes.iter().zip(&present).zip(&plans) {
                if let Some(plan) = plan {
                    let record = plan.record(write, ids);
                    loads.push(record.bytes() - plan.change.difference.bytes());
                    records.push(record);
                    expectations.push(present.expectation(write));
                }
            }
            if records.is_empty() {
                return Ok(outcomes(&present, &plans, None));
            }
            check_sizes(&loads)?;
            let batch = Batch::new(records, expectations).map_err(publish::Error::from)?;
            attempts += 1;
            match project.append(batch, clock.now()).await {
                Ok(appended) => return Ok(outcomes(&present, &plans, Some(&appended))),
                Err(AppendError::Conflict { .. }) if attempts < ATTEMPTS => {}
                Err(error) => return Err(publish::Error::from(error).into()),
            }
        }
    }
}

/// Whether each of the changes that have so many bytes without what they say of a difference can also be told again. A difference
/// takes no more than is then left, so what can come to be can also change.
fn check_sizes(loads: &[usize]) -> Result<(), publish::Error> {
    let large = loads.iter().copied().enumerate();
    match large.max_by_key(|(_, bytes)| *bytes) {
        Some((index, bytes)) if bytes > EVENT_BYTES_MAX - LOAD_ROOM_BYTES => {
            Err(BatchError::EventTooLarge { index, bytes }.into())
        }
        _ => Ok(()),
    }
}

/// Waits for the turn at each of `keys`, in their order, so that nobody waits for one who waits for them.
async fn take_turns(project: &Project, keys: &[EntityKey]) -> Result<Vec<Turn<EntityKey>>, Error> {
    let mut sorted: Vec<&EntityKey> = keys.iter().collect();
    sorted.sort_unstable();
    if let Some(twice) = sorted.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(Error::Twice(twice[0].clone()));
    }
    let mut turns = Vec::with_capacity(sorted.len());
    for key in sorted {
        turns.push(project.entity_turns().take(key).await);
    }
    Ok(turns)
}

impl Project {
    /// What is there of each of `keys`, with everything that is readable about their subjects.
    async fn present(self: &Arc<Self>, keys: &[EntityKey]) -> Result<Vec<Present>, Error> {
        let mut present = Vec::with_capacity(keys.len());
        let (mut there, mut last) = (Vec::new(), Position::ZERO);
        for (at, EntityKey { feed, subject }) in keys.iter().enumerate() {
            let head = self.log().subject(feed, subject).await?;
            if let Some(head) = head {
                there.push(at);
                last = last.max(head.position);
            }
            present.push(Present { head, entity: None });
        }
        if there.is_empty() {
            return Ok(present);
        }
        self.entities().come_to(last).await?;
        let keys: Vec<EntityKey> = there.iter().map(|at| keys[*at].clone()).collect();
        let entities = self.entities().get(&keys).await?;
        let now = self.subjects().now();
        for (at, entity) in there.into_iter().zip(entities) {
            present[at].entity = entity.filter(|entity| !now.hides(entity.record()));
        }
        Ok(present)
    }
}

impl Write {
    fn key(&self) -> EntityKey {
        EntityKey {
            feed: self.feed.clone(),
            subject: self.subject.clone(),
        }
    }
}

impl Present {
    fn expectation(&self, write: &Write) -> Expectation {
        let position = self.head.map_or(Position::ZERO, |head| head.position);
        Expectation {
            feed: write.feed.clone(),
            subject: write.subject.clone(),
            expected: At::Position(position),
        }
    }

    /// The state and the ids, as they are.
    fn texts(&self) -> Result<Option<(State, Option<Ids>)>, Error> {
        let Some(entity) = &self.entity else {
            return Ok(None);
        };
        let unreadable =
            || feedwire_engine::Unavailable::new("the state of an entity cannot be read");
        let payload = entity
            .payload()
            .map_err(feedwire_engine::Unavailable::new)?;
        let payload::DataText::Json(state) = payload.data else {
            return Err(unreadable().into());
        };
        let state = State::written(state).ok_or_else(unreadable)?;
        let ids = payload.change.map_or("", |change| change.ids);
        Ok(Some((state, Ids::written(ids))))
    }
}

/// A change that is to be published.
struct Plan {
    state: Option<State>,
    change: Change,
}

impl Plan {
    /// What makes of what is `present` what is wanted; `None` where it is that.
    fn of(write: &Write, key: &EntityKey, present: &Present) -> Result<Option<Self>, Error> {
        let position = present.entity.as_ref().map(Entity::position);
        if write
            .expected
            .as_ref()
            .is_some_and(|expected| !expected.holds(position))
        {
            return Err(Error::Unexpected {
                key: key.clone(),
                position,
            });
        }
        let before = present.texts()?;
        let Some((state, ids)) = wanted(&write.wanted, key, before.as_ref())? else {
            return Ok(before.map(|(_, ids)| Self {
                state: None,
                change: Change {
                    kind: ChangeKind::Delete,
                    at: None,
                    ids,
                    difference: Difference::default(),
                },
            }));
        };
        let (kind, difference) = match &before {
            None => (ChangeKind::Create, Difference::default()),
            Some((before, ids_before)) => {
                let difference = Difference::between(before, &state);
                if difference.is_empty() && are_same(ids_before.as_ref(), ids.as_ref()) {
                    return Ok(None);
                }
                (ChangeKind::Update, difference)
            }
        };
        let change = Change {
            kind,
            at: None,
            ids,
            difference,
        };
        let state = Some(state);
        Ok(Some(Self { state, change }))
    }

    fn record(&self, write: &Write, ids: &dyn GiveIds) -> NewRecord {
        let ty = TypeName::new(self.change.kind.as_str()).expect("it is a name");
        let event = Event {
            id: None,
            source: write.source.clone(),
            ty: ty.clone(),
            subject: Some(write.subject.clone()),
            time: write.time,
            live_only: false,
            extensions: Extensions::default(),
            data: self
                .state
                .clone()
                .map(|state| Data::Json(state.into_json())),
        };
        NewRecord {
            feed: write.feed.clone(),
            ty,
            subject: event.subject.clone(),
            time: write.time,
            payload: payload::encode_change(&event, &self.change, || ids.next()),
        }
    }
}

/// What an entity is to be; `None` is nothing.
fn wanted(
    wanted: &Wanted,
    key: &EntityKey,
    before: Option<&(State, Option<Ids>)>,
) -> Result<Option<(State, Option<Ids>)>, Error> {
    let (patch, ids_patch) = match wanted {
        Wanted::Put { state, ids } => return Ok(Some((state.clone(), ids.clone()))),
        Wanted::Deleted => return Ok(None),
        Wanted::Patched { state, ids } => (state, ids),
    };
    let (state, ids) = before
        .cloned()
        .map_or((None, None), |(state, ids)| (Some(state), ids));
    let state = match (patch, state) {
        (None, None) => return Err(Error::NotThere(key.clone())),
        (None, Some(state)) => state,
        (Some(patch), state) => {
            let patched = patch.apply(state.as_ref().map_or("null", State::as_str));
            State::parse(&patched).map_err(|error| Error::PatchedState {
                key: key.clone(),
                error,
            })?
        }
    };
    let ids = match ids_patch {
        None => ids,
        Some(patch) => {
            let patched = patch.apply(ids.as_ref().map_or("null", Ids::as_str));
            // All of them may be taken away.
            let is_none = ["null", "{}"].contains(&&*patched);
            let ids = (!is_none).then(|| Ids::parse(&patched)).transpose();
            ids.map_err(|error| Error::PatchedIds {
                key: key.clone(),
                error,
            })?
        }
    };
    Ok(Some((state, ids)))
}

fn are_same(one: Option<&Ids>, other: Option<&Ids>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => one.are(other),
        (None, Some(_)) | (Some(_), None) => false,
    }
}

fn outcomes(
    present: &[Present],
    plans: &[Option<Plan>],
    appended: Option<&Appended>,
) -> Vec<Outcome> {
    let mut published = 0;
    let outcomes = present.iter().zip(plans).map(|(present, plan)| {
        let (Some(plan), Some(appended)) = (plan, appended) else {
            let entity = present.entity.as_ref();
            return Outcome {
                change: None,
                position: entity.map(Entity::position),
                version: entity.map_or(Version::NONE, Entity::version),
                recorded_at: entity.map(|entity| entity.record().stamp().recorded_at),
            };
        };
        let index = published;
        published += 1;
        Outcome {
            change: Some(plan.change.kind),
            position: Some(appended.first.plus(index as u64)),
            version: appended.versions[index],
            recorded_at: Some(appended.recorded_at),
        }
    });
    outcomes.collect()
}
