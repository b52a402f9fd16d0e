//! What a command says on stdout.

use std::io::{self, Write as _};

/// Writes `text` and a line end to stdout. That nobody reads it any more, as behind `| head`, is no error.
pub(crate) fn say(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}
