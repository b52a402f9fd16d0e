//! Zones of the world, by their names.

use anyhow::Context as _;
use feedwire_http::Zone;
use jiff::fmt::temporal::DateTimeParser;

/// The zone `text`: a name of IANA's, or an offset. Its rules are the system's where that has some, and otherwise those that the program
/// brings along; they are looked up once.
pub(crate) fn parse(text: &str) -> anyhow::Result<Zone> {
    const PARSER: DateTimeParser = DateTimeParser::new();
    // Rules can be written out, too: nobody would know what clock that is.
    let is_rule = text.contains(',');
    let zone = (!is_rule).then(|| PARSER.parse_time_zone(text).ok());
    let zone = zone.flatten();
    let zone = zone.context(
        "a zone is named as by IANA, such as Europe/Berlin, or is an offset such as +05:30",
    )?;
    Ok(Zone::new(zone))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        for text in [
            "Europe/Berlin",
            "America/Argentina/Buenos_Aires",
            "utc",
            "+05:30",
            "-08:00",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "Berlin",
            "+26:00",
            "25",
            "summer",
            "EST5EDT,M3.2.0,M11.1.0",
            "../etc/passwd",
            "Europe/Berlin\0",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
