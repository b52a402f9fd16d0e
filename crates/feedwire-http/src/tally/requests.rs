//! Requests by route, method and status, and how long their answers took.

use std::collections::BTreeMap;
use std::time::Duration;

use feedwire_tally::{Count, Distribution, Histogram};
use http::{Method, StatusCode};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::answer::Answer;
use crate::routes::{self, Place};

/// The route of what has no route: refused by its head, or at an address where nothing is.
const NO_ROUTE: &str = "none";

/// Methods as they are counted; whoever calls can make up others.
const METHODS: [(&str, Option<Method>); 8] = [
    ("GET", Some(Method::GET)),
    ("HEAD", Some(Method::HEAD)),
    ("POST", Some(Method::POST)),
    ("PUT", Some(Method::PUT)),
    ("PATCH", Some(Method::PATCH)),
    ("DELETE", Some(Method::DELETE)),
    ("OPTIONS", Some(Method::OPTIONS)),
    ("other", None),
];

const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// Bounds of durations in microseconds: from what memory answers to the longest wait that can be asked for.
const MICROS: &[u64] = &[
    250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000,
    5_000_000, 60_000_000,
];

/// What was counted of requests.
#[derive(Debug)]
pub(crate) struct Requests {
    routes: Vec<&'static str>,
    /// By route, then by method.
    cells: Vec<Cell>,
    problems: Mutex<BTreeMap<String, u64>>,
}

#[derive(Debug)]
struct Cell {
    statuses: [Count; STATUSES.len()],
    micros: Histogram,
}

/// A request that is being answered.
#[derive(Debug)]
pub(crate) struct Asked {
    cell: usize,
    at: Instant,
}

/// The kind of the problem that an answer tells, among its extensions.
#[derive(Clone, Debug)]
pub(crate) struct Kind(pub(crate) String);

impl Requests {
    pub(crate) fn new() -> Self {
        let mut routes: Vec<&'static str> = routes::all().map(|route| route.path).collect();
        routes.push(NO_ROUTE);
        let cells = (0..routes.len() * METHODS.len()).map(|_| Cell {
            statuses: Default::default(),
            micros: Histogram::new(MICROS),
        });
        Self {
            cells: cells.collect(),
            routes,
            problems: Mutex::default(),
        }
    }

    /// A request that has come.
    pub(crate) fn asked(&self, method: &Method, place: Option<&Place>) -> Asked {
        let none = self.routes.len() - 1;
        let route = place.map_or(none, |place| place.index);
        let other = METHODS.len() - 1;
        let method = METHODS
            .iter()
            .position(|(_, known)| known.as_ref() == Some(method));
        Asked {
            cell: route * METHODS.len() + method.unwrap_or(other),
            at: Instant::now(),
        }
    }

    /// The route that it has; nothing that a client made up.
    pub(crate) fn route(&self, asked: &Asked) -> &'static str {
        self.routes[asked.cell / METHODS.len()]
    }

    /// It is answered with `answer`, of which the body is still to be sent.
    pub(crate) fn answered(&self, asked: &Asked, answer: &Answer) {
        self.count(asked, answer.status(), asked.at.elapsed());
        if let Some(Kind(kind)) = answer.extensions().get() {
            self.problem(kind);
        }
    }

    /// A request did not come to its end in time; what it was for is not known.
    pub(crate) fn late(&self, kind: &str) {
        // The last of all: no route, and none of the methods that are known.
        if let Some(cell) = self.cells.last() {
            cell.count(StatusCode::REQUEST_TIMEOUT);
        }
        self.problem(kind);
    }

    fn count(&self, asked: &Asked, status: StatusCode, took: Duration) {
        let cell = &self.cells[asked.cell];
        cell.count(status);
        let micros = u64::try_from(took.as_micros());
        cell.micros.record(micros.unwrap_or(u64::MAX));
    }

    fn problem(&self, kind: &str) {
        let mut problems = self.problems.lock();
        if let Some(count) = problems.get_mut(kind) {
            *count += 1;
        } else {
            problems.insert(kind.to_owned(), 1);
        }
    }

    /// How many there were, by route, method and status; what never was is left out.
    pub(crate) fn counts(&self) -> impl Iterator<Item = ([&'static str; 3], u64)> {
        self.by_route().flat_map(|(route, method, cell)| {
            let counts = STATUSES.iter().zip(&cell.statuses);
            let counts = counts.map(move |(status, count)| ([route, method, *status], count.get()));
            counts.filter(|(_, count)| *count > 0)
        })
    }

    /// How many microseconds each took, by route and method; what never was is left out.
    pub(crate) fn micros(&self) -> impl Iterator<Item = ([&'static str; 2], Distribution)> {
        let all = self.by_route();
        let found = all.map(|(route, method, cell)| ([route, method], cell.micros.get()));
        found.filter(|(_, micros)| micros.count() > 0)
    }

    /// How many were answered with a problem, by its kind.
    pub(crate) fn problems(&self) -> BTreeMap<String, u64> {
        self.problems.lock().clone()
    }

    fn by_route(&self) -> impl Iterator<Item = (&'static str, &'static str, &Cell)> {
        self.cells.iter().enumerate().map(|(index, cell)| {
            let (method, _) = METHODS[index % METHODS.len()];
            (self.routes[index / METHODS.len()], method, cell)
        })
    }
}

impl Cell {
    fn count(&self, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        self.statuses[class.clamp(1, STATUSES.len()) - 1].one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Routes;

    #[test]
    fn each_route_is_counted_as_itself_and_what_has_none_together() {
        let (requests, all) = (Requests::new(), Routes::new(routes::all()));
        let ask = |method: &Method, path: &str| {
            let asked = requests.asked(method, all.find(path).map(|found| found.place));
            requests.count(&asked, StatusCode::OK, Duration::from_millis(3));
        };
        for route in routes::all() {
            ask(&Method::GET, &route.path.replace(['{', '}'], "x"));
        }
        ask(&Method::GET, "/v1/projects/p/feeds/f/");
        ask(&Method::GET, "/v1/projects/p/feeds/f/g");
        ask(&Method::from_bytes(b"BREW").expect("a method"), "/");
        let counted: Vec<_> = requests.counts().collect();
        let routes = routes::all().map(|route| ([route.path, "GET", "2xx"], 1));
        let others = [
            ([NO_ROUTE, "GET", "2xx"], 2),
            ([NO_ROUTE, "other", "2xx"], 1),
        ];
        assert_eq!(counted, routes.chain(others).collect::<Vec<_>>());
        assert!(requests.micros().all(|(_, micros)| micros.sum % 3_000 == 0));
    }
}
