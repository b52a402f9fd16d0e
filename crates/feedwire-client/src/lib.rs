//! Rust client of Feedwire.
//!
//! A [`Client`] publishes to the feeds of a project, reads them as pages, and follows them: [`Follow`] connects again
//! when it is cut off and goes on behind the last event that it handed out. [`CursorFile`] keeps that place for the next
//! start of the program.
//!
//! ```no_run
//! use feedwire_client::{Client, CursorFile, NewEvent};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let client = Client::new("http://127.0.0.1:7373")?;
//!
//! let event = NewEvent::new("flight.departed").subject("N14228").data(&["EWR", "IAH"])?;
//! let published = client.publish("flights").event(&event).await?;
//! println!("on disk at position {}", published.last);
//!
//! let place = CursorFile::new("flights.cursor");
//! let mut read = client.read("flights").types(["flight.departed", "flight.arrived"]);
//! read = match place.load()? {
//!     Some(cursor) => read.after(cursor),
//!     None => read.from("start"),
//! };
//! let mut follow = read.follow();
//! while let Some(event) = follow.next().await? {
//!     println!("{} {:?}", event.attributes().ty, event.attributes().subject);
//!     if let Some(cursor) = follow.cursor() {
//!         place.save(cursor)?;
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Delivery is at least once: what was handed out but not saved comes again after a restart.
#![warn(missing_docs)]

mod backoff;
mod client;
mod connection;
mod cursor_file;
mod erasure;
mod error;
mod event;
mod follow;
mod frames;
mod lines;
mod publish;
mod query;
mod read;
mod retention;

pub use client::{AddressError, Client};
pub use cursor_file::CursorFile;
pub use error::Error;
pub use event::Event;
pub use feedwire_api::{
    Feed, Feeds, NewErasure, NewEvent, Problem, Published, Receipt, Retention, Uploaded,
};
pub use follow::{Follow, Interruption, Step};
pub use publish::{Expect, Publish};
pub use read::{Page, Read};

/// Why a [`Follow`] came to its end.
pub use follow::Error as FollowError;
