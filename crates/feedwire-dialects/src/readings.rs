//! What the events of Disruptive Technologies hold, type by type and member by member.

/// What is told of a device by its events, in the order of the vendor's documentation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Reading {
    /// The type of the event, and the key of its data.
    pub(crate) ty: &'static str,
    /// The type of a device whose events are of this type; `None` where many kinds of device have them.
    pub(crate) device_type: Option<&'static str>,
    /// What its data holds beside `updateTime`.
    pub(crate) members: &'static [Member],
}

/// A member of the data of an event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    /// Its name, in camel case. Snake case is understood too.
    pub(crate) name: &'static str,
    /// What it can be.
    pub(crate) kind: Kind,
    /// What it is where it is not there.
    pub(crate) without: Without,
}

/// What a member can be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any number.
    Number,
    /// A whole number.
    Whole,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A text.
    Text,
    /// Texts.
    Texts,
    /// A point in time.
    Time,
    /// True or false.
    Flag,
    /// Anything that JSON has, in an array.
    Anything,
    /// Objects with these members.
    Objects(&'static [Member]),
}

/// What a member is where it is not there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Without {
    /// It has to be there.
    Refused,
    /// This JSON.
    Is(&'static str),
    /// The time of the event.
    Time,
    /// One sample: what the members before it say, at the time of the event.
    Sample,
}

/// Longest text of a member, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 256;
/// Most elements of a list in an event.
pub(crate) const ELEMENTS_MAX: usize = 1_000;

const PRESENCE: Kind = Kind::OneOf(&["PRESENT", "NOT_PRESENT"]);

const fn member(name: &'static str, kind: Kind) -> Member {
    let without = Without::Refused;
    Member {
        name,
        kind,
        without,
    }
}

const fn or(name: &'static str, kind: Kind, json: &'static str) -> Member {
    let without = Without::Is(json);
    Member {
        name,
        kind,
        without,
    }
}

const fn samples(members: &'static [Member]) -> Member {
    Member {
        name: "samples",
        kind: Kind::Objects(members),
        without: Without::Sample,
    }
}

const SAMPLE_TIME: Member = Member {
    name: "sampleTime",
    kind: Kind::Time,
    without: Without::Time,
};
const BACKFILLED: Member = or("isBackfilled", Kind::Flag, "false");
const TEMPERATURE: Member = member("temperature", Kind::Number);
const RELATIVE_HUMIDITY: Member = member("relativeHumidity", Kind::Number);
const STATE: Member = member("state", Kind::Text);
const TOTAL: Member = member("total", Kind::Whole);
const SIGNAL_STRENGTH: Member = member("signalStrength", Kind::Number);
// The vendor's client leaves it out where it publishes, and cannot do without it where it reads.
const RSSI: Member = or("rssi", Kind::Number, "0");
const ERRORS: Member = or("errors", Kind::Anything, "[]");

const fn reading(
    ty: &'static str,
    device_type: Option<&'static str>,
    members: &'static [Member],
) -> Reading {
    Reading {
        ty,
        device_type,
        members,
    }
}

/// Every type of event that a device can publish.
pub(crate) const READINGS: &[Reading] = &[
    reading("touch", Some("touch"), &[]),
    reading(
        "temperature",
        Some("temperature"),
        &[
            member("value", Kind::Number),
            samples(&[member("value", Kind::Number), SAMPLE_TIME]),
            BACKFILLED,
        ],
    ),
    reading(
        "humidity",
        Some("humidity"),
        &[
            TEMPERATURE,
            RELATIVE_HUMIDITY,
            samples(&[TEMPERATURE, RELATIVE_HUMIDITY, SAMPLE_TIME]),
            BACKFILLED,
        ],
    ),
    reading(
        "objectPresent",
        Some("proximity"),
        &[member("state", PRESENCE)],
    ),
    reading("objectPresentCount", Some("proximityCounter"), &[TOTAL]),
    reading("touchCount", Some("touchCounter"), &[TOTAL]),
    reading(
        "waterPresent",
        Some("waterDetector"),
        &[member("state", PRESENCE)],
    ),
    reading(
        "networkStatus",
        None,
        &[
            SIGNAL_STRENGTH,
            RSSI,
            or(
                "cloudConnectors",
                Kind::Objects(&[member("id", Kind::Text), SIGNAL_STRENGTH, RSSI]),
                "[]",
            ),
            or(
                "transmissionMode",
                Kind::Text,
                "\"LOW_POWER_STANDARD_MODE\"",
            ),
        ],
    ),
    reading("batteryStatus", None, &[member("percentage", Kind::Number)]),
    reading(
        "connectionStatus",
        Some("ccon"),
        &[
            member("connection", Kind::Text),
            or("available", Kind::Texts, "[]"),
        ],
    ),
    reading(
        "ethernetStatus",
        Some("ccon"),
        &[
            or("macAddress", Kind::Text, "\"\""),
            or("ipAddress", Kind::Text, "\"\""),
            ERRORS,
        ],
    ),
    reading("cellularStatus", Some("ccon"), &[SIGNAL_STRENGTH, ERRORS]),
    reading("co2", Some("co2"), &[member("ppm", Kind::Number)]),
    reading("pressure", None, &[member("pascal", Kind::Number)]),
    reading("motion", Some("motion"), &[STATE]),
    reading(
        "deskOccupancy",
        Some("deskOccupancy"),
        &[STATE, or("remarks", Kind::Texts, "[]")],
    ),
    reading(
        "contact",
        Some("contact"),
        &[member("state", Kind::OneOf(&["OPEN", "CLOSED"]))],
    ),
    reading("probeWireStatus", None, &[STATE]),
];

/// The types that a device can be of.
pub(crate) const DEVICE_TYPES: [&str; 12] = [
    "temperature",
    "proximity",
    "touch",
    "humidity",
    "proximityCounter",
    "touchCounter",
    "waterDetector",
    "ccon",
    "co2",
    "motion",
    "deskOccupancy",
    "contact",
];

/// What events of the type `ty` hold; `None` where no device publishes any.
pub(crate) fn of(ty: &str) -> Option<&'static Reading> {
    READINGS.iter().find(|reading| reading.ty == ty)
}

impl Reading {
    /// Whether its data tells samples of its own.
    pub(crate) fn has_samples(&self) -> bool {
        self.members
            .iter()
            .any(|member| member.without == Without::Sample)
    }

    /// What of its data a sample says, too: what stands before the samples.
    pub(crate) fn sampled(&self) -> impl Iterator<Item = &'static str> {
        let members = self.members.iter();
        members
            .take_while(|member| member.without != Without::Sample)
            .map(|member| member.name)
    }
}

/// What a device is whose events are of these `types`: any kind can be touched, and what measures more measures temperature as well.
pub(crate) fn told<'t>(types: impl Iterator<Item = &'t str>) -> Option<&'static str> {
    let told = types.filter_map(|ty| of(ty)?.device_type);
    told.min_by_key(|ty| match *ty {
        "touch" => 3,
        "temperature" => 2,
        "humidity" => 1,
        _ => 0,
    })
}

/// Whether `name` is `camel`, in camel case or in snake case.
pub(crate) fn is_spelling(name: &str, camel: &str) -> bool {
    name == camel || is_snake(name.as_bytes(), camel.as_bytes())
}

fn is_snake(mut snake: &[u8], camel: &[u8]) -> bool {
    for byte in camel {
        if byte.is_ascii_uppercase() {
            let Some(rest) = snake.strip_prefix(b"_") else {
                return false;
            };
            snake = rest;
        }
        match snake.split_first() {
            Some((first, rest)) if *first == byte.to_ascii_lowercase() => snake = rest,
            _ => return false,
        }
    }
    snake.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_understood_in_both_spellings_and_no_other() {
        for (name, camel) in [
            ("updateTime", "updateTime"),
            ("update_time", "updateTime"),
            ("co2", "co2"),
            ("object_present_count", "objectPresentCount"),
        ] {
            assert!(is_spelling(name, camel), "{name}");
        }
        for name in [
            "",
            "update",
            "updatetime",
            "update_Time",
            "Update_time",
            "update_time_",
            "_update_time",
        ] {
            assert!(!is_spelling(name, "updateTime"), "{name}");
        }
    }

    #[test]
    fn every_type_of_device_that_an_event_tells_is_one() {
        let told = READINGS.iter().filter_map(|reading| reading.device_type);
        let mut told: Vec<&str> = told.collect();
        assert!(told.iter().all(|ty| DEVICE_TYPES.contains(ty)));
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), DEVICE_TYPES.len(), "and each is told by one");
    }
}
