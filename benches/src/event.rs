//! The events and the entities that are sent: of a given size, with a subject and a number at a known place.

/// Digits of a subject and of a number.
pub(crate) const DIGITS: usize = 9;

/// What stands before the filling of an event.
const HEAD: &str = r#"{"type":"flight.departed","subject":"N000000000","data":{"text":""#;

/// What stands before the filling of an entity, where that is one line of many.
const ENTITY_HEAD: &str = r#"{"subject":"N000000000","data":{"text":""#;

/// What stands before the filling of what one entity is put.
const PUT_HEAD: &str = r#"{"data":{"text":""#;

/// What stands after any of them. The number comes last, so that it is found from the end, whatever a server puts around the event.
const TAIL: &str = r#"","n":"000000000"}}"#;

/// From the number to the end of the event.
pub(crate) const NUMBER_FROM_END: usize = DIGITS + r#""}}"#.len();

/// An event, or an entity, as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) json: Vec<u8>,
    /// Where the digits of the subject begin.
    pub(crate) subject_at: usize,
}

impl Event {
    /// An event of `bytes`, or a little more where that is too few.
    pub(crate) fn of(bytes: usize) -> Self {
        Self::headed(HEAD, bytes)
    }

    /// An entity, as one line of many.
    pub(crate) fn entity(bytes: usize) -> Self {
        Self::headed(ENTITY_HEAD, bytes)
    }

    fn headed(head: &str, bytes: usize) -> Self {
        Self {
            json: filled(head, bytes),
            subject_at: head.find("N0").map_or(0, |at| at + 1),
        }
    }

    /// Where the digits of the number begin.
    pub(crate) fn number_at(&self) -> usize {
        self.json.len() - NUMBER_FROM_END
    }
}

/// What one entity is put, of `bytes`: its subject is not in it.
pub(crate) fn put(bytes: usize) -> Vec<u8> {
    filled(PUT_HEAD, bytes)
}

fn filled(head: &str, bytes: usize) -> Vec<u8> {
    let filling = bytes.saturating_sub(head.len() + TAIL.len());
    [head, &"x".repeat(filling), TAIL].concat().into_bytes()
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
    fn what_is_sent_has_its_size_and_its_digits_where_they_are_said_to_be() {
        for mut event in [Event::of(200), Event::entity(200)] {
            assert_eq!(event.json.len(), 200);
            let at = event.number_at();
            write_digits(&mut event.json, at, 42);
            write_digits(&mut event.json, event.subject_at, 7);
            let value: serde_json::Value = serde_json::from_slice(&event.json).expect("JSON");
            assert_eq!(value["subject"], "N000000007");
            assert_eq!(value["data"]["n"], "000000042");
            assert_eq!(read_digits(&event.json[at..]), 42);
        }
    }

    #[test]
    fn what_an_entity_is_put_ends_with_its_number() {
        let mut body = put(200);
        let at = body.len() - NUMBER_FROM_END;
        assert_eq!(body.len(), 200);
        write_digits(&mut body, at, 42);
        let value: serde_json::Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(value["data"]["n"], "000000042");
    }
}
