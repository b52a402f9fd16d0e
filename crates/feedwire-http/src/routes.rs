//! Every route of the server, as the files that have the handlers list them, and which of them a request takes.

use std::fmt;
use std::mem;
use std::sync::Arc;

use feedwire_dialects::Refusal;
use feedwire_event::Timestamp;
use http::header::ALLOW;
use http::request::Parts;
use http::{HeaderValue, Method};
use hyper::body::Incoming;
use serde_json::Value;

use crate::access::Rule;
use crate::answer::{Answer, Pending};
use crate::asked::{Asked, VARIABLES_MAX, Variables};
use crate::quota::{Headers, Standing};
use crate::{aria, disruptive, metrics, native, oauth, openapi, probes, serialized, validic};

/// What is at an address.
pub(crate) struct Route {
    /// The address; its variables are segments in braces.
    pub(crate) path: &'static str,
    /// Whose API it is of.
    pub(crate) dialect: &'static Dialect,
    /// What it does, by method. Where there is a `GET` and no `HEAD`, that is answered in the same way, without a body.
    pub(crate) methods: fn() -> Vec<Served>,
    /// The same as OpenAPI describes it: a path item. None where it is of an API that its vendor describes.
    pub(crate) description: Option<fn() -> Value>,
}

/// How an API has it said who asks, and says that something is refused.
#[derive(Debug)]
pub(crate) struct Dialect {
    /// What every address of it begins with.
    pub(crate) prefix: &'static str,
    /// The headers, in lower case, in which key id and secret come apart; none where they come in `Authorization` alone.
    pub(crate) key_headers: Option<(&'static str, &'static str)>,
    /// The header, in lower case, in which a token comes without a scheme; where there is one, a token in the address proves who asks,
    /// too, whatever the method.
    pub(crate) token_header: Option<&'static str>,
    /// What stands for every project where a path names one; none where there is no such word.
    pub(crate) every_project: Option<&'static str>,
    /// The child of the project at home that a request with this head is about, where it names one.
    pub(crate) child: fn(&Parts) -> Result<Option<String>, Refusal>,
    /// What is said of the requests that are left, where they are limited.
    pub(crate) standings: fn(&[Standing], Timestamp) -> Headers,
    /// What is said of a refusal to a request with this head.
    pub(crate) refuse: fn(Refusal, &Parts) -> Answer,
}

/// What a method of a route does, and who may have it done.
#[derive(Clone, Debug)]
pub(crate) struct Served {
    pub(crate) method: Method,
    pub(crate) rule: Rule,
    pub(crate) handle: Handle,
}

impl Route {
    /// One of an API that its vendor describes.
    pub(crate) const fn of(
        dialect: &'static Dialect,
        path: &'static str,
        methods: fn() -> Vec<Served>,
    ) -> Self {
        Self {
            path,
            dialect,
            methods,
            description: None,
        }
    }
}

impl Served {
    /// Whether it changes what somebody may do or what there is, and has that recorded first.
    pub(crate) fn is_administrative(&self) -> bool {
        let is_reading = matches!(self.method, Method::GET | Method::HEAD);
        let is_publishing = Rule::is_publishing(self.rule);
        !is_reading && self.rule != Rule::Open && !is_publishing
    }

    /// Answers what is asked, and goes on with what is administrative if nobody waits for the answer any more.
    pub(crate) fn answer(&self, asked: Asked, body: Incoming) -> Pending {
        if !self.is_administrative() {
            return (self.handle)(asked, body);
        }
        let edge = asked.edge.clone();
        let answer = (self.handle)(asked, body);
        Box::pin(async move { edge.whole(answer).await })
    }
}

/// What is done by method, and who may have it done: the answers of these handlers, or what their API says where there is none.
macro_rules! methods {
    ($($method:ident, $rule:expr => $handler:path);+) => {
        || vec![$($crate::routes::Served {
            method: http::Method::$method,
            rule: $rule,
            handle: |asked, body| {
                // The handler is called within the box: a future that is made outside is copied into it.
                Box::pin(async {
                    $handler(asked, body).await.unwrap_or_else($crate::answer::Answer::from)
                })
            },
        }),+]
    };
}

pub(crate) use methods;

/// Answers a request.
pub(crate) type Handle = fn(Asked, Incoming) -> Pending;

/// Every route there is, at whichever listener.
pub(crate) fn all() -> impl Iterator<Item = &'static Route> {
    at_listener().chain([&metrics::ROUTE])
}

/// The routes of the listener that clients call; metrics may have one of their own.
pub(crate) fn at_listener() -> impl Iterator<Item = &'static Route> {
    let native = native::ROUTES.iter();
    let beside = oauth::ROUTES.iter().chain(probes::ROUTES);
    let vendors = [
        serialized::ROUTES,
        disruptive::ROUTES,
        validic::ROUTES,
        aria::ROUTES,
    ];
    let dialects = vendors.into_iter().flatten();
    native
        .chain(beside)
        .chain([&openapi::ROUTE])
        .chain(dialects)
}

/// Whose API `path` is of, whether there is anything at it or not.
pub(crate) fn dialect_of(path: &str) -> &'static Dialect {
    let dialects = [
        &serialized::DIALECT,
        &disruptive::DIALECT,
        &validic::DIALECT,
        &aria::DIALECT,
    ];
    let mut dialects = dialects.into_iter();
    let below = dialects.find(|dialect| path.starts_with(dialect.prefix));
    below.unwrap_or(&native::DIALECT)
}

/// The routes of a listener. Cloning shares them.
#[derive(Clone, Debug)]
pub(crate) struct Routes(Arc<Table>);

#[derive(Debug)]
struct Table {
    /// Which of the places is at a path.
    paths: matchit::Router<usize>,
    places: Vec<Place>,
}

/// A route with what is worked out of it once.
#[derive(Debug)]
pub(crate) struct Place {
    /// Which of [`all`] it is.
    pub(crate) index: usize,
    pub(crate) dialect: &'static Dialect,
    methods: Vec<Served>,
    allow: HeaderValue,
}

/// What a request leads to.
#[derive(Debug)]
pub(crate) struct Found<'r> {
    pub(crate) place: &'r Place,
    pub(crate) variables: Variables,
}

impl Routes {
    pub(crate) fn new(routes: impl IntoIterator<Item = &'static Route>) -> Self {
        let (mut paths, mut places) = (matchit::Router::new(), Vec::new());
        for route in routes {
            let variables = route.path.matches('{').count();
            assert!(variables <= VARIABLES_MAX, "{} has too many", route.path);
            // Clients encode a colon or not.
            let mut spellings = [":", "%3A", "%3a"].map(|colon| route.path.replace(':', colon));
            let count = if route.path.contains(':') { 3 } else { 1 };
            for path in &mut spellings[..count] {
                let inserted = paths.insert(mem::take(path), places.len());
                inserted.expect("no two routes have one path, and each is well formed");
            }
            places.push(Place::new(route));
        }
        Self(Arc::new(Table { paths, places }))
    }

    /// What is at `path`.
    pub(crate) fn find(&self, path: &str) -> Option<Found<'_>> {
        let found = self.0.paths.at(path).ok()?;
        let mut variables = Variables::default();
        for (range, (_, value)) in variables.iter_mut().zip(found.params.iter()) {
            let start = value.as_ptr().addr() - path.as_ptr().addr();
            *range = start..start + value.len();
        }
        let place = &self.0.places[*found.value];
        Some(Found { place, variables })
    }
}

impl Place {
    fn new(route: &'static Route) -> Self {
        let mut methods = (route.methods)();
        let of = |method| methods.iter().find(|served| served.method == method);
        if let (Some(get), None) = (of(Method::GET), of(Method::HEAD)) {
            let method = Method::HEAD;
            let head = Served {
                method,
                ..get.clone()
            };
            methods.push(head);
        }
        let mut names: Vec<&str> = methods
            .iter()
            .map(|served| served.method.as_str())
            .collect();
        names.sort_unstable();
        let allow = HeaderValue::from_str(&names.join(",")).expect("methods are ASCII");
        Self {
            index: all()
                .position(|other| other.path == route.path)
                .expect("every route is one of all"),
            dialect: route.dialect,
            methods,
            allow,
        }
    }

    /// What is done by `method`.
    pub(crate) fn served(&self, method: &Method) -> Option<&Served> {
        self.methods.iter().find(|served| served.method == *method)
    }

    /// Says in `refusal` which methods there are.
    pub(crate) fn allowing(&self, mut refusal: Answer) -> Answer {
        refusal.headers_mut().insert(ALLOW, self.allow.clone());
        refusal
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}
