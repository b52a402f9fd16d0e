//! What is asked of Disruptive's Data Connectors beside what is sent: which of a list, and which members a change is about.

use feedwire_event::ConnectorName;

use crate::disruptive::request::{Asked, Error};
use crate::query::Query;
use crate::readings::is_spelling;

/// What a change may be about, by its path in the body.
const PATHS: [&str; 8] = [
    "displayName",
    "status",
    "events",
    "labels",
    HTTP_CONFIG,
    "httpConfig.url",
    "httpConfig.signatureSecret",
    "httpConfig.headers",
];
const HTTP_CONFIG: &str = "httpConfig";

/// A list of Data Connectors that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// At most so many.
    pub page_size: usize,
    /// Those behind this one.
    pub after: Option<ConnectorName>,
}

/// Which members of a body count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mask(Vec<&'static str>);

impl Mask {
    /// Whether what stands at `path` counts. Where nothing is said, everything does.
    pub fn has(&self, path: &str) -> bool {
        let is_within = |named: &&str| {
            let is_all = *named == HTTP_CONFIG && path.starts_with("httpConfig.");
            *named == path || is_all
        };
        self.0.is_empty() || self.0.iter().any(is_within)
    }
}

/// The list that `query` asks for.
pub fn list(query: &str) -> Result<List, Error> {
    let mut asked = Asked(Query::new(query)?);
    let after = asked.one("pageToken")?.filter(|(_, text)| !text.is_empty());
    let after = after.map(|(name, text)| {
        let after = ConnectorName::new(&text).ok();
        after.ok_or_else(|| Error::parameter(name, "no page was told with this token"))
    });
    Ok(List {
        page_size: asked.page_size()?,
        after: after.transpose()?,
    })
}

/// What `query` says that a change is about.
pub fn mask(query: &str) -> Result<Mask, Error> {
    let mut asked = Asked(Query::new(query)?);
    let paths = asked.list("updateMask", PATHS.len(), |text| {
        let path = PATHS.into_iter().find(|path| is_spelling(text, path));
        path.ok_or_else(|| format!("what can be changed is {}", PATHS.join(", ")))
    });
    Ok(Mask(paths?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_asked_for_page_by_page() {
        let asked = list("page_size=2&pageToken=c7&other=1").expect("a list");
        let after = asked.after.as_ref().map(ConnectorName::as_str);
        assert_eq!((asked.page_size, after), (2, Some("c7")));
        let all = list("page_token=").expect("a list");
        assert_eq!((all.page_size, all.after), (100, None));
        let refused = list("page_token=a/b").expect_err("no name");
        assert_eq!(
            refused.to_string(),
            "page_token: no page was told with this token"
        );
    }

    #[test]
    fn a_mask_names_what_counts_in_both_spellings() {
        let has = |query: &str| {
            let mask = mask(query).expect("a mask");
            PATHS.map(|path| u8::from(mask.has(path)))
        };
        assert_eq!(has(""), [1; 8]);
        assert_eq!(has("updateMask="), [1; 8]);
        let both = "update_mask=display_name,httpConfig.url&updateMask=labels";
        assert_eq!(has(both), [1, 0, 0, 1, 0, 1, 0, 0]);
        assert_eq!(has("updateMask=http_config"), [0, 0, 0, 0, 1, 1, 1, 1]);
        let refused = mask("update_mask=type").expect_err("it is for good");
        assert!(refused.to_string().starts_with("update_mask: what can be"));
    }
}
