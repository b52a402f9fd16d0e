//! The events of the demo: flights from New York's airports in 2013 and the weather there, from the CC0 data set
//! nycflights13. Where the file comes from, and how it was cut, stands beside it in `assets/README.md`.

use std::io;

use bytes::Bytes;

/// The feed of departures, arrivals and cancellations.
pub(crate) const FLIGHTS: &str = "flights";
/// The feed of the hourly weather.
pub(crate) const WEATHER: &str = "weather";

/// An event a line, compressed.
const EVENTS: &[u8] = include_bytes!("../assets/flights.ndjson.zst");
/// What starts the lines of the weather's events: the file has the type first.
const WEATHER_START: &[u8] = br#"{"type":"weather."#;

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
