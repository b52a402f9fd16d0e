//! What is done with streams: made, looked at, changed, deleted, joined, acknowledged, sent elsewhere.

use std::sync::Arc;
use std::time::Duration;

use feedwire_event::{Position, StreamName, Timestamp};

use super::group::Full;
use super::live::Live;
use super::member::Member;
use super::stored::Kept;
use super::{Error, Lag, MemberStatus, Mode, Origin, PartitionStatus, Receipt, Refused, Settings};
use crate::filter::Matcher;
use crate::limits::LETTER_REASON_BYTES;
use crate::project::Project;
use crate::stats::StreamStats;
use crate::{Core, Forbidden, Grant, Right};

/// A stream, as whoever looks at it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// What it was made with.
    pub settings: Settings,
    /// Behind which position it starts; `None` is with what is retained.
    pub origin: Option<Position>,
    /// The time that it starts at, where it was given one.
    pub starts_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was changed.
    pub updated_at: Timestamp,
    /// How many members there are.
    pub members: usize,
    /// How much is not settled.
    pub lag: Lag,
    /// Up to where its events are counted: the lag is at least what it is.
    pub counted: Position,
    /// The last position of the log.
    pub head: Position,
    /// At most how many positions retention has taken from it since its project was opened.
    pub lost_at_most: u64,
    /// How many events were put aside.
    pub dead_letters: u64,
    /// How many subjects have failed, would hold up others, and go on by themselves.
    pub subjects_aside: usize,
}

/// A stream with its members and partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overview {
    /// The stream.
    pub status: Status,
    /// Its members.
    pub members: Vec<MemberStatus>,
    /// Its partitions.
    pub partitions: Vec<PartitionStatus>,
}

/// What becomes of receipts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Their work is done.
    Done,
    /// The same, for everything that was sent before each in its partition, too.
    DoneThrough,
    /// It failed: the event is to come again, this much later.
    Failed(Duration),
    /// It failed for good: the event is put among the dead letters, however often it was sent.
    Dead,
}

/// What stands against a stream among the others of its project.
pub type Conflict = Box<dyn FnOnce(&[Status]) -> Result<(), Error> + Send>;

/// What is to be set instead of some settings.
pub type Revision = Box<dyn FnOnce(Settings) -> Result<Settings, Error> + Send>;

impl Core {
    /// Makes a stream with these `settings`, if nothing among those that there are stands against it by `conflict`.
    pub async fn create_stream(
        &self,
        grant: &Grant,
        settings: Settings,
        origin: Origin,
        conflict: Option<Conflict>,
    ) -> Result<Status, Error> {
        settings.check()?;
        covers(grant, Right::Streams, &settings)?;
        let project = self.project(grant.project()).await?;
        let now = self.seams().clock.now();
        let kept = project.kept_from(settings, origin, now).await?;
        self.whole(async move {
            let fits = |there: &[Arc<Live>]| match conflict {
                Some(conflict) => {
                    let there: Vec<Status> = there.iter().map(|live| live.status()).collect();
                    conflict(&there)
                }
                None => Ok(()),
            };
            let live = project.streams().create(kept, fits).await?;
            Ok(live.status())
        })
        .await
    }

    /// The streams that whoever asks may join, in order of their names.
    pub async fn streams(&self, grant: &Grant) -> Result<Vec<Status>, Error> {
        grant.require(Right::Streams)?;
        let project = self.project(grant.project()).await?;
        let all = project.streams().all().into_iter();
        let own = all.filter(|live| covers(grant, Right::Streams, &live.kept.settings).is_ok());
        Ok(own.map(|live| live.status()).collect())
    }

    /// The stream `name`.
    pub async fn stream(&self, grant: &Grant, name: &StreamName) -> Result<Overview, Error> {
        let (_, live) = self.stream_of(grant, name).await?;
        Ok(live.overview())
    }

    /// Has `revision` replace the settings of the stream `name`. Its members are sent away, unless only what people call it has changed.
    /// What it had reached stays.
    pub async fn change_stream(
        &self,
        grant: &Grant,
        name: &StreamName,
        revision: Revision,
        conflict: Option<Conflict>,
    ) -> Result<Status, Error> {
        let (project, _) = self.stream_of(grant, name).await?;
        let right = self.right_to_turn(grant, name)?;
        let (name, grant) = (name.clone(), grant.clone());
        let now = self.seams().clock.now();
        self.whole(async move {
            // The others are looked at when none is made or changed meanwhile: two could be called alike otherwise.
            let others_of = project.clone();
            let revise = Box::new(move |live: &Live| {
                let kept = live.kept();
                let before = &kept.settings;
                let mut settings = revision(before.clone())?;
                settings.name = before.name.clone();
                settings.partitions = before.partitions;
                settings.mode = before.mode;
                settings.check()?;
                covers(&grant, right, &settings)?;
                if let Some(conflict) = conflict {
                    let there = others_of.streams().all();
                    let others = there
                        .iter()
                        .filter(|other| other.kept.settings.name != settings.name);
                    conflict(&others.map(|other| other.status()).collect::<Vec<_>>())?;
                }
                let updated_at = if settings == *before {
                    kept.updated_at
                } else {
                    now
                };
                Ok(Kept {
                    settings,
                    updated_at,
                    ..kept
                })
            });
            let live = project.streams().change(&name, revise).await?;
            Ok(live.status())
        })
        .await
    }

    /// Deletes the stream `name`; its members are sent away. With `unless_connected`, not while it has members.
    pub async fn delete_stream(
        &self,
        grant: &Grant,
        name: &StreamName,
        unless_connected: bool,
    ) -> Result<Status, Error> {
        let (project, _) = self.stream_of(grant, name).await?;
        let (name, known) = (name.clone(), self.projects_known().clone());
        let project_name = grant.project().clone();
        self.whole(async move {
            let connectors = known.connectors();
            // No connector comes to push it meanwhile.
            let _turn = connectors.turn(&project_name).await;
            if let Some(by) = connectors.pushing(&project_name, &name) {
                return Err(Error::Pushed(by));
            }
            let check = |live: &Live| match live.status().members {
                0 => Ok(()),
                members if unless_connected => Err(Error::Connected(members)),
                _ => Ok(()),
            };
            let live = project.streams().delete(&name, check).await?;
            Ok(live.status())
        })
        .await
    }

    /// Becomes a member of the stream `name`.
    pub async fn join(&self, grant: &Grant, name: &StreamName) -> Result<Member, Error> {
        let (project, live) = self.stream_of(grant, name).await?;
        let _joining = live.joining.lock().await;
        if live.is_left() {
            return Err(Error::Closing);
        }
        if live.is_expired() {
            let origin = live.origin();
            live.go_on(origin);
            live.save().await?;
        }
        live.reserve().await?;
        let head = live.ground.log.bounds().last;
        let joined = live.with(|group, now| group.join(head, now));
        match joined {
            Ok(id) => {
                // Its time is kept again.
                live.kick.notify_one();
                Ok(Member::new(live.clone(), project, id))
            }
            Err(Full) if live.is_left() || live.stop.is_cancelled() => Err(Error::Closing),
            Err(Full) => Err(Error::Full {
                members_max: live.kept.settings.members_max,
                retry_after: live.kept.settings.heartbeat * 2,
            }),
        }
    }

    /// Takes these receipts of the stream `name` as `verdict` says; tells which were refused, and how many events it was about beside.
    pub async fn settle(
        &self,
        grant: &Grant,
        name: &StreamName,
        receipts: &[Receipt],
        verdict: Verdict,
    ) -> Result<(usize, Vec<(Receipt, Refused)>), Error> {
        let (_, live) = self.stream_of(grant, name).await?;
        live.settle(receipts, verdict, None).await
    }

    /// Has the stream `name` go on from somewhere else; returns behind which position.
    pub async fn seek_stream(
        &self,
        grant: &Grant,
        name: &StreamName,
        to: Origin,
    ) -> Result<Position, Error> {
        let (project, _) = self.stream_of(grant, name).await?;
        self.right_to_turn(grant, name)?;
        let now = self.seams().clock.now();
        let to = match project.resolve(to, now).await? {
            Some(position) => position,
            None => project.log().bounds().first.previous(),
        };
        let name = name.clone();
        self.whole(async move {
            let _unchanged = project.streams().unchanged().await;
            let live = project.streams().get(&name)?;
            live.send_to(to).await?;
            Ok(to)
        })
        .await
    }

    /// The right that it takes to say what the stream `name` sends, and from where: of one that a connector pushes, that is what goes out.
    fn right_to_turn(&self, grant: &Grant, name: &StreamName) -> Result<Right, Error> {
        let connectors = self.projects_known().connectors();
        let right = match connectors.pushing(grant.project(), name) {
            Some(_) => Right::Connectors,
            None => Right::Streams,
        };
        grant.require(right)?;
        Ok(right)
    }

    /// The stream `name`, for somebody who may have all that it sends.
    pub(super) async fn stream_of(
        &self,
        grant: &Grant,
        name: &StreamName,
    ) -> Result<(Arc<Project>, Arc<Live>), Error> {
        grant.require(Right::Streams)?;
        let project = self.project(grant.project()).await?;
        let live = project.streams().get(name)?;
        covers(grant, Right::Streams, &live.kept.settings)?;
        Ok((project, live))
    }
}

/// As much of `reason` as is kept.
fn told(reason: &str) -> Arc<str> {
    reason[..reason.floor_char_boundary(LETTER_REASON_BYTES)].into()
}

/// Whether whoever has `grant` has `right`, and may have everything that a stream with these `settings` sends: what were left out would be lost to the others.
pub(crate) fn covers(grant: &Grant, right: Right, settings: &Settings) -> Result<(), Forbidden> {
    grant.require(right)?;
    let filter = settings.selection.filter();
    let own = Matcher::new(filter.clone(), grant.allowance())?;
    if own.is_all_of(&filter) {
        Ok(())
    } else {
        Err(Forbidden::Confined)
    }
}

impl Project {
    /// A stream with these `settings` that begins at `origin`.
    pub(super) async fn kept_from(
        &self,
        settings: Settings,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Kept, Error> {
        let starts_at = match origin {
            Origin::At(time) => Some(time),
            Origin::Start | Origin::Now | Origin::After(_) => None,
        };
        Ok(Kept {
            settings,
            origin: self.resolve(origin, now).await?,
            starts_at,
            created_at: now,
            updated_at: now,
        })
    }

    /// Behind which position a stream is to begin; `None` is with what is retained.
    pub(crate) async fn resolve(
        &self,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Option<Position>, Error> {
        let last = self.log().bounds().last;
        match origin {
            Origin::Start => Ok(None),
            Origin::Now => Ok(Some(last)),
            Origin::At(time) if time <= now => Ok(Some(self.log().seek(time).await?)),
            Origin::After(position) if position <= last => Ok(Some(position)),
            Origin::At(_) | Origin::After(_) => Err(Error::Ahead(last)),
        }
    }
}

impl Live {
    /// Takes these receipts as `verdict` says, unless another has taken over. What is put among the dead letters for it is so for `reason`.
    pub(super) async fn settle(
        &self,
        receipts: &[Receipt],
        verdict: Verdict,
        reason: Option<&str>,
    ) -> Result<(usize, Vec<(Receipt, Refused)>), Error> {
        if self.kept.settings.mode != Mode::Explicit {
            return Err(Error::NotExplicit);
        }
        let reason = reason.map(told);
        let (mut count, mut refused) = (0, Vec::new());
        let taken = self.with_unless_over(|group, now| {
            for receipt in receipts {
                let settled = match verdict {
                    Verdict::Done => group.acknowledge(*receipt, now),
                    Verdict::DoneThrough => group.acknowledge_through(*receipt, now),
                    Verdict::Failed(delay) => group.refuse(*receipt, delay, reason.clone(), now),
                    Verdict::Dead => group.give_up(*receipt, reason.clone(), now),
                };
                match settled {
                    Ok(events) => count += events,
                    Err(why) => refused.push((*receipt, why)),
                }
            }
        });
        if taken.is_none() {
            return Err(Error::Closing);
        }
        if matches!(verdict, Verdict::Done | Verdict::DoneThrough) {
            self.counts.acknowledged.add(count as u64);
        }
        if self.is_left() {
            self.save().await?;
        }
        Ok((count, refused))
    }

    /// Goes on behind `to`, which is written down.
    pub(super) async fn send_to(&self, to: Position) -> Result<(), Error> {
        let _joining = self.joining.lock().await;
        self.note_member();
        self.go_on(to);
        self.save().await?;
        Ok(())
    }

    /// Goes on behind `to`, whatever was sent.
    fn go_on(&self, to: Position) {
        self.with(|group, now| group.seek(to, now));
        self.sought.notify_one();
    }

    pub(super) fn status(&self) -> Status {
        let now = self.ground.clock.now();
        let kept = self.kept();
        let head = self.ground.log.bounds().last;
        self.look(|group| Status {
            settings: kept.settings,
            origin: kept.origin,
            starts_at: kept.starts_at,
            created_at: kept.created_at,
            updated_at: kept.updated_at,
            members: group.members().len(),
            lag: group.lag(now),
            counted: group.counted(),
            head,
            lost_at_most: group.lost(),
            dead_letters: self.letter_count(),
            subjects_aside: group.asides_count(),
        })
    }

    pub(super) fn stats(&self) -> StreamStats {
        let status = self.status();
        let counts = &self.counts;
        StreamStats {
            name: status.settings.name,
            members: status.members as u64,
            members_max: status.settings.members_max as u64,
            lag: status.lag,
            dead_letters: status.dead_letters,
            subjects_aside: status.subjects_aside as u64,
            sent: counts.sent.get(),
            sent_again: counts.again.get(),
            acknowledged: counts.acknowledged.get(),
            buried: counts.buried.get(),
            given_up: counts.given_up.get(),
            overdue: counts.overdue.get(),
            lost_at_most: status.lost_at_most,
        }
    }

    fn overview(&self) -> Overview {
        let status = self.status();
        let now = self.ground.clock.now();
        self.look(|group| Overview {
            members: group.members(),
            partitions: group.partitions(now),
            status,
        })
    }
}
