//! What the core does, told over the in-memory engine.

#[cfg(not(feature = "shuttle"))]
mod ailing;
#[cfg(not(feature = "shuttle"))]
mod backward;
#[cfg(not(feature = "shuttle"))]
mod being_there;
#[cfg(not(feature = "shuttle"))]
mod confining;
#[cfg(not(feature = "shuttle"))]
mod connecting;
#[cfg(not(feature = "shuttle"))]
mod counting;
#[cfg(not(feature = "shuttle"))]
mod entities;
#[cfg(not(feature = "shuttle"))]
mod erasing;
#[cfg(not(feature = "shuttle"))]
mod expressing;
#[cfg(not(feature = "shuttle"))]
mod following;
#[cfg(not(feature = "shuttle"))]
mod histories;
#[cfg(not(feature = "shuttle"))]
mod indexing;
#[cfg(not(feature = "shuttle"))]
mod labelling;
#[cfg(not(feature = "shuttle"))]
mod latest;
#[cfg(not(feature = "shuttle"))]
mod little_room;
#[cfg(not(feature = "shuttle"))]
mod metering;
#[cfg(not(feature = "shuttle"))]
mod projects;
#[cfg(not(feature = "shuttle"))]
mod reading;
#[cfg(not(feature = "shuttle"))]
mod retaining;
#[cfg(not(feature = "shuttle"))]
mod rostering;
#[cfg(feature = "shuttle")]
mod schedules;
#[cfg(not(feature = "shuttle"))]
pub(crate) mod streaming;
#[cfg(not(feature = "shuttle"))]
mod streaming_aside;
#[cfg(not(feature = "shuttle"))]
mod streaming_called;
#[cfg(not(feature = "shuttle"))]
pub(crate) mod streaming_changed;
#[cfg(not(feature = "shuttle"))]
mod streaming_generations;
#[cfg(not(feature = "shuttle"))]
mod streaming_letters;
#[cfg(not(feature = "shuttle"))]
mod streaming_to;
#[cfg(not(feature = "shuttle"))]
mod streaming_until;
#[cfg(not(feature = "shuttle"))]
mod taking;
#[cfg(not(feature = "shuttle"))]
mod tenants;
#[cfg(not(feature = "shuttle"))]
mod waking;
mod world;
