//! What fails each time that it is tried, told once.

use std::error::Error;

/// Whether what is tried again and again failed the last time, and of what: a log says when it begins to fail and when it works again,
/// and not how often it was tried in between.
#[derive(Debug, Default)]
pub struct Outage(Option<String>);

impl Outage {
    /// It failed. Whether that is to be told: it worked the time before, or failed of something else.
    pub fn begins(&mut self, error: &(dyn Error + 'static)) -> bool {
        let why = chain(error);
        let is_new = self.0.as_ref() != Some(&why);
        self.0 = Some(why);
        is_new
    }

    /// It worked. Whether that is to be told: it failed the time before.
    pub fn ends(&mut self) -> bool {
        self.0.take().is_some()
    }
}

/// What `error` says, and what all that it comes of say.
fn chain(error: &(dyn Error + 'static)) -> String {
    let errors = std::iter::successors(Some(error), |&error| error.source());
    let words: Vec<String> = errors.map(ToString::to_string).collect();
    words.join(": ")
}

#[cfg(test)]
mod tests {
    use std::{fmt, io};

    use super::*;

    #[derive(Debug)]
    struct Failed(io::Error);

    impl fmt::Display for Failed {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("it is not written")
        }
    }

    impl Error for Failed {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn of(kind: io::ErrorKind) -> Failed {
        Failed(kind.into())
    }

    #[test]
    fn an_outage_is_told_when_it_begins_when_its_reason_changes_and_when_it_ends() {
        let mut outage = Outage::default();
        assert!(!outage.ends(), "nothing has failed");
        assert!(outage.begins(&of(io::ErrorKind::StorageFull)));
        assert!(!outage.begins(&of(io::ErrorKind::StorageFull)));
        assert!(outage.begins(&of(io::ErrorKind::PermissionDenied)));
        assert!(!outage.begins(&of(io::ErrorKind::PermissionDenied)));
        assert!(outage.ends());
        assert!(!outage.ends());
        assert!(outage.begins(&of(io::ErrorKind::PermissionDenied)));
    }
}
