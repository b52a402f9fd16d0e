//! Query strings: each parameter is asked for by name, and what nobody asked for is refused.

use std::borrow::Cow;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use crate::{escape, span};

/// The parameters of a query string that were not asked for yet.
#[derive(Debug)]
pub struct Query<'a> {
    pairs: Vec<(Cow<'a, str>, &'a str)>,
}

/// Why a query string is refused; each names the parameter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing is known by this name.
    #[error("there is no such parameter here")]
    Unknown(String),
    /// A parameter that is meant once came more than once.
    #[error("it is given more than once")]
    Twice(String),
    /// Percent signs that encode nothing, or no UTF-8.
    #[error("it is not percent-encoded UTF-8")]
    Encoding(String),
    /// A value that cannot be meant.
    #[error("{reason}")]
    Value {
        /// The name of the parameter.
        name: String,
        /// Why not.
        reason: String,
    },
}

impl Error {
    /// The parameter, and what is wrong with it.
    pub(crate) fn into_parts(self) -> (String, String) {
        let reason = self.to_string();
        let (Self::Unknown(name)
        | Self::Twice(name)
        | Self::Encoding(name)
        | Self::Value { name, .. }) = self;
        (name, reason)
    }

    /// The parameter `name` has a value that cannot be meant, because of `reason`.
    pub fn value(name: &str, reason: &(impl Display + ?Sized)) -> Self {
        Self::Value {
            name: name.to_owned(),
            reason: reason.to_string(),
        }
    }
}

impl<'a> Query<'a> {
    /// The parameters of `text`, the part of a URI behind its question mark.
    pub fn new(text: &'a str) -> Result<Self, Error> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = escape::form(name).ok_or_else(|| Error::Encoding(name.to_owned()))?;
            Ok((decoded, value))
        });
        Ok(Self {
            pairs: pairs.collect::<Result<_, Error>>()?,
        })
    }

    /// Whether `name` is there and was not asked for yet.
    pub fn has(&self, name: &str) -> bool {
        self.pairs.iter().any(|(found, _)| found == name)
    }

    fn take(&mut self, name: &str) -> Option<&'a str> {
        let at = self.pairs.iter().position(|(found, _)| found == name)?;
        Some(self.pairs.remove(at).1)
    }

    /// The value of `name`, which is meant once.
    pub fn one(&mut self, name: &str) -> Result<Option<Cow<'a, str>>, Error> {
        let Some(value) = self.take(name) else {
            return Ok(None);
        };
        if self.take(name).is_some() {
            return Err(Error::Twice(name.to_owned()));
        }
        let value = escape::form(value).ok_or_else(|| Error::Encoding(name.to_owned()))?;
        Ok(Some(value))
    }

    /// The values of `name`, which may be given more than once; a comma parts nothing.
    pub fn whole(&mut self, name: &str) -> Result<Vec<Cow<'a, str>>, Error> {
        let values = self.pairs.extract_if(.., |(found, _)| found == name);
        let values = values.map(|(_, value)| escape::form(value));
        let values = values.collect::<Option<_>>();
        values.ok_or_else(|| Error::Encoding(name.to_owned()))
    }

    /// The values of `name`: given more than once, or parted by commas. An encoded comma parts nothing.
    pub fn list(&mut self, name: &str) -> Result<Vec<Cow<'a, str>>, Error> {
        let lists = self.pairs.extract_if(.., |(found, _)| found == name);
        let lists: Vec<_> = lists.map(|(_, list)| list).collect();
        let values = lists
            .iter()
            .flat_map(|list| list.split(','))
            .map(escape::form);
        let values = values.collect::<Option<_>>();
        values.ok_or_else(|| Error::Encoding(name.to_owned()))
    }

    /// What is read out of the value of `name`.
    pub fn parse<T: FromStr<Err: Display>>(&mut self, name: &str) -> Result<Option<T>, Error> {
        let parsed = self.one(name)?.map(|text| text.parse()).transpose();
        parsed.map_err(|error: T::Err| Error::value(name, &error))
    }

    /// What `read` reads out of each of the values of `name`, of which there may be `most`.
    pub fn values<T, E: Display>(
        &mut self,
        name: &str,
        most: usize,
        read: impl Fn(&str) -> Result<T, E>,
    ) -> Result<Vec<T>, Error> {
        let texts = self.list(name)?;
        if texts.len() > most {
            return Err(Error::value(name, &format!("at most {most} can be named")));
        }
        let values = texts
            .iter()
            .map(|text| read(text))
            .collect::<Result<_, E>>();
        values.map_err(|error| Error::value(name, &error))
    }

    /// The whole number that is the value of `name`.
    pub fn number(&mut self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, Error> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = is_plain.then(|| text.parse().ok()).flatten();
        let (least, most) = (range.start(), range.end());
        let refused = || {
            Error::value(
                name,
                &format!("it has to be a whole number from {least} to {most}"),
            )
        };
        number
            .filter(|number| range.contains(number))
            .map(Some)
            .ok_or_else(refused)
    }

    /// The span of time that is the value of `name`.
    pub fn span(
        &mut self,
        name: &str,
        range: RangeInclusive<Duration>,
    ) -> Result<Option<Duration>, Error> {
        let Some(text) = self.one(name)? else {
            return Ok(None);
        };
        let span = span::parse(&text).filter(|span| range.contains(span));
        let (least, most) = (range.start().as_secs(), range.end().as_secs());
        let refused = || {
            Error::value(
                name,
                &format!("it has to be a span such as 15s, from {least}s to {most}s"),
            )
        };
        span.map(Some).ok_or_else(refused)
    }

    /// Refuses `name`, which is known and has no meaning here.
    pub fn refuse(&mut self, name: &str, reason: &str) -> Result<(), Error> {
        if self.take(name).is_some() {
            Err(Error::value(name, reason))
        } else {
            Ok(())
        }
    }

    /// Refuses what was not asked for.
    pub fn finish(mut self) -> Result<(), Error> {
        match self.pairs.pop() {
            Some((name, _)) => Err(Error::Unknown(name.into_owned())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lists_are_repeated_or_parted_by_commas_that_are_not_encoded() {
        let mut query =
            Query::new("types=a,b%2Cc&limit=1&types=d+e&whole=a,b&whole=c%2Cd").expect("a query");
        assert_eq!(
            query.list("types"),
            Ok(vec!["a".into(), "b,c".into(), "d e".into()])
        );
        assert_eq!(query.whole("whole"), Ok(vec!["a,b".into(), "c,d".into()]));
        assert_eq!(query.one("limit"), Ok(Some("1".into())));
        assert_eq!(query.one("after"), Ok(None));
        assert_eq!(query.finish(), Ok(()));
    }

    #[test]
    fn what_is_unknown_doubled_or_garbled_is_named() {
        let mut query = Query::new("a=1&&%61=2&b=%C3&c=%zz&d").expect("a query");
        assert_eq!(query.one("a"), Err(Error::Twice("a".into())));
        assert_eq!(query.one("b"), Err(Error::Encoding("b".into())));
        assert_eq!(query.list("c"), Err(Error::Encoding("c".into())));
        assert_eq!(query.finish(), Err(Error::Unknown("d".into())));
        assert_eq!(Query::new("%=1").err(), Some(Error::Encoding("%".into())));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            if let Ok(mut query) = Query::new(&text) {
                drop(query.one("a"));
                drop(query.list("b"));
                drop(query.finish());
            }
        }

        #[test]
        fn encoded_values_come_back_as_they_were(value in any::<String>()) {
            let encoded: Vec<String> = value.bytes().map(|byte| format!("%{byte:02X}")).collect();
            let text = format!("v={}", encoded.concat());
            let mut query = Query::new(&text).expect("a query");
            prop_assert_eq!(query.one("v"), Ok(Some(value.into())));
        }
    }
}
