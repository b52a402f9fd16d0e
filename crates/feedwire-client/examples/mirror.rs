//! Copies a feed to another one, for as long as it runs and from where it was when it ended.
//!
//! An event may be followed twice when the program is ended in between; published with the id that it has, it is there
//! once. So each event is copied once, whatever is cut or ended on either side.
//!
//! `cargo run -p feedwire-client --example mirror -- http://127.0.0.1:7373 flights copy copy.cursor`

use std::collections::BTreeMap;
use std::error::Error;
use std::pin::pin;

use feedwire_client::{Client, CursorFile, Event, Retry};
use serde_json::value::RawValue;

/// What the server gives to an event anew.
const GIVEN: [&str; 4] = ["feed", "position", "recordedat", "version"];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let [server, from, to, place] = &arguments[..] else {
        return Err("usage: mirror SERVER FROM TO CURSOR_FILE".into());
    };
    let client = Client::new(server)?;
    let follow = client.read(from).from("start").follow();
    let mut events = follow.kept_in(CursorFile::new(place))?;
    // Made once: one made for each wait would not see a signal that comes between two of them.
    let mut stop = pin!(tokio::signal::ctrl_c());
    loop {
        let next = tokio::select! {
            next = events.next() => next?,
            _ = &mut stop => None,
        };
        let Some(event) = next else {
            // Everything that was handed out is copied.
            return Ok(events.save().await?);
        };
        let publish = client.publish(to).on_retry(tell);
        tokio::select! {
            copied = publish.json(copy(&event)?) => drop(copied?),
            // It comes again at the next start, and is published once.
            _ = &mut stop => return Ok(()),
        }
    }
}

/// The event as it was published, with the text of its numbers untouched.
fn copy(event: &Event) -> serde_json::Result<String> {
    let mut members: BTreeMap<String, &RawValue> = serde_json::from_str(event.json())?;
    for name in GIVEN {
        members.remove(name);
    }
    serde_json::to_string(&members)
}

fn tell(retry: &Retry<'_>) {
    eprintln!("{}; trying again in {:?}", retry.error, retry.wait);
}
