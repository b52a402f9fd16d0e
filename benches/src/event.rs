//! The events that are published: of a given size, with a subject and a number at a known place.

/// Digits of a subject and of a number.
pub(crate) const DIGITS: usize = 9;

/// What stands before the filling of an event.
const HEAD: &str = r#"{"type":"flight.departed","subject":"N000000000","data":{"text":""#;

/// What stands after it. The number comes last, so that it is found from the end, whatever a server puts around the event.
const TAIL: &str = r#"","n":"000000000"}}"#;

/// From the number to the end of the event.
pub(crate) const NUMBER_FROM_END: usize = DIGITS + r#""}}"#.len();

/// An event as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) json: Vec<u8>,
}

impl Event {
    /// An event of `bytes`, or a little more where that is too few.
    pub(crate) fn of(bytes: usize) -> Self {
        let filling = bytes.saturating_sub(HEAD.len() + TAIL.len());
        let json = [HEAD, &"x".repeat(filling), TAIL].concat();
        Self {
            json: json.into_bytes(),
        }
    }

    /// Where the digits of the subject begin.
    pub(crate) fn subject_at() -> usize {
        HEAD.find("N0").map_or(0, |at| at + 1)
    }

    /// Where the digits of the number begin.
    pub(crate) fn number_at(&self) -> usize {
        self.json.len() - NUMBER_FROM_END
    }
}

/// Writes `number` over the digits at `at`.
pub(crate) fn write_digits(bytes: &mut [u8], at: usize, mut number: u64) {
    for place in bytes[at..at + DIGITS].iter_mut().rev() {
        *place = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Reads the digits at the start of `bytes`, up to the first other byte.
pub(crate) fn read_digits(bytes: &[u8]) -> u64 {
    let digits = bytes.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number: u64, digit| {
        number
            .wrapping_mul(10)
            .wrapping_add(u64::from(digit - b'0'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_its_size_and_its_digits_where_they_are_said_to_be() {
        let mut event = Event::of(200);
        assert_eq!(event.json.len(), 200);
        let at = event.number_at();
        write_digits(&mut event.json, at, 42);
        write_digits(&mut event.json, Event::subject_at(), 7);
        let value: serde_json::Value = serde_json::from_slice(&event.json).expect("JSON");
        assert_eq!(value["subject"], "N000000007");
        assert_eq!(value["data"]["n"], "000000042");
        assert_eq!(read_digits(&event.json[at..]), 42);
    }
}
