//! Rust client of Feedwire.
//!
//! A [`Client`] publishes to the feeds of a project, reads them as pages, and follows them. What is published is sent again
//! until it is answered, and is there once ([`Publish`]). [`Follow`] connects again when it is cut off and goes on behind the
//! last event that it handed out; it is a stream too. [`CursorFile`] keeps that place for the next start of the program.
//! [`Join`] shares the work of a stream with others, and the server keeps the place.
//!
//! The whole of a program that takes orders in and works them off:
//!
//! ```no_run
//! use feedwire_client::{Client, CursorFile, Expect, KeptError, NewEvent, PublishError};
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Debug, Serialize, Deserialize)]
//! struct Order {
//!     total: f64,
//! }
//!
//! /// Takes an order in, once, also where the connection is lost in between.
//! async fn place(client: &Client, number: &str, order: &Order) -> Result<(), PublishError> {
//!     let event = NewEvent::new("order.placed")
//!         .subject(number)
//!         // It would be given an id. With one of its own, it can be placed again after a crash too.
//!         .id(format!("placed-{number}"))
//!         .data(order)
//!         .expect("an order is JSON");
//!     let published = client
//!         .publish("orders")
//!         .expect(Expect::Nothing)
//!         .tries(5)
//!         .on_retry(|retry| eprintln!("{}; again in {:?}", retry.error, retry.wait))
//!         .event(&event)
//!         .await;
//!     match published {
//!         Ok(published) => println!("order {number} is at position {}", published.first),
//!         Err(PublishError::Refused(refusal)) if is_conflict(&refusal) => {
//!             println!("order {number} was placed before");
//!         }
//!         // Not published for certain (`GaveUp`), or not known to be (`InDoubt`): try again later, with the same id.
//!         Err(error) => return Err(error),
//!     }
//!     Ok(())
//! }
//!
//! fn is_conflict(error: &feedwire_client::Error) -> bool {
//!     error.problem().is_some_and(|problem| problem.kind() == "conflict")
//! }
//!
//! /// Works off what comes, from where it was when the program ended.
//! async fn work_off(client: &Client) -> Result<(), KeptError> {
//!     let place = CursorFile::new("orders.cursor");
//!     let follow = client.read("orders").from("start").types(["order.placed"]).follow();
//!     let mut orders = follow.kept_in(place).expect("a folder to write to");
//!     let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
//!     loop {
//!         let next = tokio::select! {
//!             next = orders.next() => next?,
//!             _ = &mut stop => None,
//!         };
//!         let Some(event) = next else {
//!             // All that was handed out is dealt with.
//!             return orders.save().await;
//!         };
//!         match event.data::<Order>() {
//!             Ok(order) => println!("{:?}: {}", event.attributes().subject, order.total),
//!             Err(error) => eprintln!("passed over {}: {error}", event.attributes().position),
//!         }
//!     }
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let client = Client::new("http://127.0.0.1:7373")?.project("default");
//!     place(&client, "4711", &Order { total: 12.5 }).await?;
//!     work_off(&client).await?;
//!     Ok(())
//! }
//! ```
//!
//! Whoever administers a server makes [projects](Client::create_project) and
//! [credentials](Client::create_credential), and proves that they may by [`Client::token`].
//!
//! Every call needs a Tokio runtime, with its network and its timers.
#![warn(missing_docs)]

mod backoff;
mod client;
mod connection;
mod connector;
mod connectors;
mod credentials;
mod cursor_file;
mod entities;
mod erasure;
mod error;
mod event;
mod follow;
mod frames;
mod ids;
mod kept;
mod link;
mod loads;
mod member;
mod portions;
mod projects;
mod publish;
mod put_many;
mod query;
mod read;
mod retention;
mod roots;
mod step;
mod streams;
mod token;
mod upload;

pub use client::{AddressError, Client};
pub use cursor_file::CursorFile;
pub use entities::{EntityList, OneEntity};
pub use error::Error;
pub use event::Event;
pub use feedwire_api::{
    Ack, Connector, ConnectorDeliveries, ConnectorDelivery, ConnectorHealth, ConnectorMetrics,
    ConnectorReplay, ConnectorSecret, Connectors, Credential, CredentialChange, CredentialGrant,
    CredentialWithSecret, Credentials, DeadLetter, DeadLetters, Deletion, DeliveredEvents,
    Entities, EntitiesPut, Entity, EntityChange, Expiry, Feed, Feeds, Heartbeat, HeldPartition,
    LettersChosen, Load, Loads, LostEvents, MadeConnector, MaxDeliveries, MemberCount, Nack,
    NewConnector, NewConnectorSecret, NewCredential, NewErasure, NewEvent, NewLoad, NewReplay,
    NewStream, Problem, Project, Projects, Published, PutEntity, RateLimits, Receipt,
    RefusedReceipt, Retention, Rotation, Settled, Sought, Stream, StreamDetails, StreamFilter,
    StreamLag, StreamMember, StreamPartition, Streams, Uploaded, WhichLetters,
};
pub use follow::Follow;
pub use ids::{new_id, with_ids};
pub use kept::{Kept, KeptError};
pub use member::{Delivery, Join, Membership, Notice, Turn};
pub use publish::{Expect, Publish, Retry};
pub use put_many::{PutError, PutMany, PutStop};
pub use read::{Page, Read};
pub use roots::RootsError;
pub use step::{Interruption, Step};
pub use token::TokenError;
pub use upload::{Stop, UploadError};

/// Why a [`Follow`] came to its end.
pub use step::Error as FollowError;

/// Why a [`Membership`], or what [runs](Join::run) by it, came to its end.
pub use member::Error as JoinError;

/// Why a [`Publish`] published nothing, or may not have.
pub use publish::Error as PublishError;

/// The examples of the guide are compiled too.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/client.md")]
struct Guide;
