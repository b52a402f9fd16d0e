//! Which web pages of other origins may call (CORS, as the Fetch standard has it).
//!
//! Without any, browsers keep every page of another origin out, which is the default. Nothing is asked with a browser's own
//! credentials, so who may read is all that has to be said.

use std::str::FromStr;
use std::time::Duration;

use crate::quota::{RATE_LIMIT, RATE_LIMIT_POLICY};
use feedwire_api::{CURSOR_HEADER, HEAD_HEADER};
use http::header::{ALLOW, ETAG, LOCATION, ORIGIN, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{AllowHeaders, AllowOrigin, Any, CorsLayer};

/// How long a browser may keep the answer to a preflight. Chromium keeps none for more than two hours.
const PREFLIGHT_AGE: Duration = Duration::from_hours(1);

/// The web pages that may call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origins(Vec<Origin>);

/// The origin of web pages as browsers write it, such as `https://app.example.com`; `*` is any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

/// Why a text is no origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an origin is `*`, or a scheme and a host in lower case, with the port where it is not the scheme's own: https://app.example.com"
)]
pub struct OriginError;

impl Origin {
    fn is_any(&self) -> bool {
        self.0 == "*"
    }
}

impl FromStr for Origin {
    type Err = OriginError;

    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text != "*" && !is_written_as_browsers_do(text) {
            return Err(OriginError);
        }
        HeaderValue::from_str(text).map(Self).or(Err(OriginError))
    }
}

/// Browsers send an origin in one way only; what is written in another would never match.
fn is_written_as_browsers_do(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
        return false;
    };
    let is_bare = text.len() == scheme.len() + "://".len() + authority.as_str().len();
    let is_plain =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_:[]/".contains(&byte);
    let has_host = !authority.host().is_empty() && text.bytes().all(is_plain);
    let port = authority.as_str().strip_prefix(authority.host());
    let own_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => "",
    };
    let has_plain_port = match port {
        Some("") => true,
        Some(port) => authority.port_u16().is_some() && port != own_port,
        None => false,
    };
    is_bare && has_host && has_plain_port
}

impl FromIterator<Origin> for Origins {
    fn from_iter<T: IntoIterator<Item = Origin>>(origins: T) -> Self {
        Self(origins.into_iter().collect())
    }
}

impl Origins {
    /// The layer that tells browsers so; `None` where no page may call, so that nothing is spent on it.
    pub(crate) fn layer(self) -> Option<CorsLayer> {
        let Self(origins) = self;
        if origins.is_empty() {
            return None;
        }
        let allowed = if origins.iter().any(Origin::is_any) {
            AllowOrigin::from(Any)
        } else {
            AllowOrigin::list(origins.into_iter().map(|Origin(value)| value))
        };
        let layer = CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods([
                Method::GET,
                Method::HEAD,
                Method::POST,
                Method::PUT,
                Method::PATCH,
                Method::DELETE,
            ])
            // Any, by name: an origin that may call at all may send what it likes, such as Last-Event-ID or If-Match.
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers([
                ALLOW,
                ETAG,
                LOCATION,
                RETRY_AFTER,
                WWW_AUTHENTICATE,
                RATE_LIMIT,
                RATE_LIMIT_POLICY,
                HeaderName::from_static(CURSOR_HEADER),
                HeaderName::from_static(HEAD_HEADER),
            ])
            .vary([ORIGIN])
            .max_age(PREFLIGHT_AGE);
        Some(layer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_written_as_browsers_send_it() {
        for text in [
            "*",
            "https://app.example.com",
            "http://localhost:5173",
            "http://127.0.0.1:8080",
            "http://[::1]:8080",
            "chrome-extension://abcdefghijklmnop",
        ] {
            assert!(text.parse::<Origin>().is_ok(), "{text}");
        }
        for text in [
            "",
            "null",
            "app.example.com",
            "https://app.example.com/",
            "https://app.example.com/feeds",
            "https://App.example.com",
            "https://app.example.com:443",
            "http://localhost:80",
            "https://user@app.example.com",
            "https://*.example.com",
            "https://a.example.com,https://b.example.com",
            "https://a.example.com\r\nx: y",
        ] {
            assert_eq!(text.parse::<Origin>(), Err(OriginError), "{text}");
        }
    }
}
