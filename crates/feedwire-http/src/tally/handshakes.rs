//! TLS handshakes, by what became of them.

use feedwire_tally::Count;

/// What became of a handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Handshake {
    /// A connection.
    Done,
    /// Nothing: the two have no version or suite in common, the client does not trust the certificate, or what came was no TLS.
    Failed,
    /// Nothing in time.
    Late,
    /// The client spoke HTTP without TLS.
    Plaintext,
}

const HANDSHAKES: [(Handshake, &str); 4] = [
    (Handshake::Done, "done"),
    (Handshake::Failed, "failed"),
    (Handshake::Late, "late"),
    (Handshake::Plaintext, "plaintext"),
];

/// What was counted of handshakes.
#[derive(Debug, Default)]
pub(crate) struct Handshakes([Count; HANDSHAKES.len()]);

impl Handshakes {
    pub(crate) fn count(&self, handshake: Handshake) {
        let at = HANDSHAKES.iter().position(|(known, _)| *known == handshake);
        self.0[at.expect("every outcome is in the table")].one();
    }

    /// How many there were, by what became of them.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = HANDSHAKES.iter().zip(&self.0);
        counts.map(|((_, name), count)| (*name, count.get()))
    }
}
