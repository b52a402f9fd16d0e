//! Where an answer redirects to.

use http::header::LOCATION;
use http::{Response, StatusCode};

use super::failure::RedirectFault;
use super::guard::Guard;
use super::target::Target;

/// A redirect that keeps method and body, and leads somewhere.
#[derive(Debug)]
pub(super) struct Redirect {
    location: String,
}

impl Redirect {
    /// What `response`, of a status of 3xx, says.
    pub(super) fn read<B>(response: &Response<B>) -> Result<Self, RedirectFault> {
        let keeps = [
            StatusCode::TEMPORARY_REDIRECT,
            StatusCode::PERMANENT_REDIRECT,
        ];
        if !keeps.contains(&response.status()) {
            return Err(RedirectFault::Status);
        }
        let location = response.headers().get(LOCATION);
        let location = location.and_then(|value| value.to_str().ok());
        let location = location.ok_or(RedirectFault::Location)?.trim().to_owned();
        Ok(Self { location })
    }

    /// The target that it leads to from `from`: one that `guard` lets through.
    pub(super) fn target(&self, from: &Target, guard: &Guard) -> Result<Target, RedirectFault> {
        let url = resolve(from, &self.location);
        // Before the guard, which may not let in http at all.
        if from.is_https() && url.get(..7).is_some_and(is_http) {
            return Err(RedirectFault::Downgrade);
        }
        Ok(guard.check_url(&url)?)
    }
}

fn is_http(start: &str) -> bool {
    start.eq_ignore_ascii_case("http://")
}

/// The URL that `reference` means at `base`: RFC 3986, section 5.2. A fragment is not sent, and is left out.
fn resolve(base: &Target, reference: &str) -> String {
    let reference = reference.split('#').next().unwrap_or_default();
    if has_scheme(reference) {
        return reference.to_owned();
    }
    let uri = base.uri();
    let scheme = uri.scheme_str().unwrap_or_default();
    if reference.starts_with("//") {
        return format!("{scheme}:{reference}");
    }
    let (path, query) = match reference.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (reference, None),
    };
    let (path, query) = if path.is_empty() {
        (uri.path().to_owned(), query.or_else(|| uri.query()))
    } else if path.starts_with('/') {
        (without_dots(path), query)
    } else {
        let folder = uri.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        (without_dots(&format!("{folder}/{path}")), query)
    };
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{base}{path}{query}")
}

/// Whether `reference` begins with a scheme, as none does whose first colon is in its path.
fn has_scheme(reference: &str) -> bool {
    let Some((scheme, _)) = reference.split_once(':') else {
        return false;
    };
    let is_of_scheme = |byte: u8| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte);
    scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_of_scheme)
}

/// RFC 3986, section 5.2.4, of a path that begins with a slash.
fn without_dots(path: &str) -> String {
    let mut kept = Vec::new();
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." | ".." => {
                if segment == ".." {
                    kept.pop();
                }
                if is_last {
                    kept.push("");
                }
            }
            _ => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_is_resolved_as_the_rfc_has_it() {
        let base = Target::parse("http://a/b/c/d;p?q").expect("a URL");
        // RFC 3986, section 5.4, less what has no fragment here and what is of no host.
        for (reference, url) in [
            ("g:h", "g:h"),
            ("g", "http://a/b/c/g"),
            ("./g", "http://a/b/c/g"),
            ("g/", "http://a/b/c/g/"),
            ("/g", "http://a/g"),
            ("//g", "http://g"),
            ("?y", "http://a/b/c/d;p?y"),
            ("g?y", "http://a/b/c/g?y"),
            ("#s", "http://a/b/c/d;p?q"),
            ("g#s", "http://a/b/c/g"),
            (";x", "http://a/b/c/;x"),
            ("", "http://a/b/c/d;p?q"),
            (".", "http://a/b/c/"),
            ("..", "http://a/b/"),
            ("../g", "http://a/b/g"),
            ("../..", "http://a/"),
            ("../../../g", "http://a/g"),
            ("/./g", "http://a/g"),
            ("/../g", "http://a/g"),
            ("g.", "http://a/b/c/g."),
            ("..g", "http://a/b/c/..g"),
            ("./g/.", "http://a/b/c/g/"),
            ("g/../h", "http://a/b/c/h"),
            ("g?y/../x", "http://a/b/c/g?y/../x"),
            ("http://b:1/x?y", "http://b:1/x?y"),
        ] {
            assert_eq!(resolve(&base, reference), url, "{reference:?}");
        }
        let no_path = Target::parse("https://a").expect("a URL");
        assert_eq!(resolve(&no_path, "g"), "https://a/g");
        assert_eq!(resolve(&no_path, "?y"), "https://a/?y");
    }
}
