//! Requests and their answers.

use std::fmt;

use super::families::{Families, Family, number, seconds};
use crate::tally::Requests;

const REQUESTS: Family = number(
    "feedwire_http_requests",
    "Requests that were answered; `none` is what has no route",
);
const DURATION: Family = seconds(
    "feedwire_http_request_duration",
    "From a request's head to the head of its answer: waiting for events is part of it, sending a stream is not",
);
const PROBLEMS: Family = number(
    "feedwire_http_problems",
    "Requests that were answered with a problem, by its kind",
);

pub(super) fn tell(families: &mut Families<'_>, requests: &Requests) -> fmt::Result {
    let counts = requests.counts().map(|([route, method, status], count)| {
        let labels = [("route", route), ("method", method), ("status", status)];
        (labels, count)
    });
    families.counts(&REQUESTS, counts)?;
    let micros = requests
        .micros()
        .map(|([route, method], micros)| ([("route", route), ("method", method)], micros));
    families.distributions(&DURATION, 1e6, micros)?;
    let problems = requests.problems();
    let problems = problems
        .iter()
        .map(|(kind, count)| ([("kind", kind.as_str())], *count));
    families.counts(&PROBLEMS, problems)
}
