//! The events of the demo: flights from New York's airports in 2013 and the weather there, from the CC0 data set
//! nycflights13. Where the file comes from, and how it was cut, stands beside it in `assets/README.md`.

use std::io;

use bytes::Bytes;
use feedwire_client::PutEntity;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// The feed of departures, arrivals and cancellations.
pub(crate) const FLIGHTS: &str = "flights";
/// The feed of the hourly weather.
pub(crate) const WEATHER: &str = "weather";

/// The feed of the planes, whose states are those of entities.
pub(crate) const PLANES: &str = "planes";

/// An event a line, compressed.
const EVENTS: &[u8] = include_bytes!("../assets/flights.ndjson.zst");
/// What starts the lines of the weather's events: the file has the type first.
const WEATHER_START: &[u8] = br#"{"type":"weather."#;

/// How a plane is.
#[derive(Clone, Debug)]
pub(crate) struct Plane {
    /// Its tail number.
    pub(crate) subject: String,
    /// What it is.
    pub(crate) put: PutEntity,
}

impl Plane {
    /// The same as one line of many.
    pub(crate) fn line(self) -> String {
        let put = PutEntity {
            subject: Some(self.subject),
            ..self.put
        };
        let text = serde_json::to_string(&put).expect("it holds texts and JSON");
        text + "\n"
    }
}

/// What of an event says how a plane is.
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    ty: &'a str,
    subject: Option<&'a str>,
    time: &'a str,
    data: Facts<'a>,
}

#[derive(Deserialize)]
struct Facts<'a> {
    carrier: Option<&'a str>,
    flight: Option<u32>,
    origin: Option<&'a str>,
    dest: Option<&'a str>,
    delay: Option<i64>,
}

/// An event of the demo.
#[derive(Clone, Debug)]
pub(crate) struct Flight {
    line: Bytes,
}

impl Flight {
    /// The feed it belongs to.
    pub(crate) fn feed(&self) -> &'static str {
        if self.line.starts_with(WEATHER_START) {
            WEATHER
        } else {
            FLIGHTS
        }
    }

    /// How the plane is that it is about, which is known when it departs and when it arrives.
    pub(crate) fn plane(&self) -> Option<Plane> {
        let Event {
            ty,
            subject,
            time,
            data,
        } = serde_json::from_slice(&self.line).ok()?;
        let (status, airport, other, route) = match ty {
            "flight.departed" => ("departed", data.origin?, "to", data.dest?),
            "flight.arrived" => ("arrived", data.dest?, "from", data.origin?),
            _ => return None,
        };
        let flight = format!("{}{}", data.carrier?, data.flight?);
        let mut state =
            json!({ "status": status, "airport": airport, "flight": flight, "since": time });
        state[other] = route.into();
        if let Some(delay) = data.delay {
            state["delay"] = delay.into();
        }
        let raw = |value: &Value| RawValue::from_string(value.to_string()).ok();
        Some(Plane {
            subject: subject?.to_owned(),
            put: PutEntity {
                subject: None,
                data: raw(&state),
                ids: raw(&json!({ "tailnum": subject? })),
                time: Some(time.to_owned()),
                source: None,
            },
        })
    }

    /// The event as a line of JSON.
    pub(crate) fn line(&self) -> Bytes {
        self.line.clone()
    }
}

/// All events in order.
pub(crate) fn all() -> io::Result<Vec<Flight>> {
    let text = Bytes::from(zstd::decode_all(EVENTS)?);
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    Ok(lines
        .map(|line| Flight {
            line: text.slice_ref(line),
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_are_where_they_departed_or_arrived_last() {
        let flights = all().expect("readable");
        let first = flights.iter().find_map(Flight::plane).expect("it departs");
        assert_eq!(
            first.line(),
            "{\"subject\":\"N14228\",\"data\":{\"airport\":\"EWR\",\"delay\":2,\"flight\":\"UA1545\",\"since\":\"2013-01-01T05:17:00Z\",\"status\":\"departed\",\"to\":\"IAH\"},\"ids\":{\"tailnum\":\"N14228\"},\"time\":\"2013-01-01T05:17:00Z\"}\n"
        );
        let planes = flights.iter().filter_map(Flight::plane).count();
        let moved = flights.iter().filter(|flight| {
            let is = |ty: &[u8]| flight.line.starts_with(ty);
            is(b"{\"type\":\"flight.departed\"") || is(b"{\"type\":\"flight.arrived\"")
        });
        assert_eq!(planes, moved.count());
    }

    #[test]
    fn both_feeds_have_their_events() {
        let flights = all().expect("readable");
        let weather = flights
            .iter()
            .filter(|flight| flight.feed() == WEATHER)
            .count();
        assert!(
            weather > 100 && flights.len() - weather > 10_000,
            "{weather} of {}",
            flights.len()
        );
        assert!(
            flights
                .iter()
                .all(|flight| flight.line.starts_with(b"{\"type\":")
                    && flight.line.ends_with(b"}\n"))
        );
    }
}
