//! Printing events, a line each.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use clap::Args;
use feedwire_client::Event;

use crate::pretty::{self, Colour};

/// How events are printed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Print each event as the JSON that the server sent
    #[arg(long)]
    json: bool,
    /// When to use colours
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Colour::Auto)]
    color: Colour,
    // https://no-color.org: set and not empty means no colours.
    #[arg(
        long,
        env = "NO_COLOR",
        hide = true,
        hide_env = true,
        default_value = ""
    )]
    no_color: String,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    Json,
    Pretty { coloured: bool },
}

/// Where events are printed.
#[derive(Debug)]
pub(crate) struct Output<'a> {
    out: BufWriter<StdoutLock<'a>>,
    form: Form,
}

impl Options {
    /// To stdout.
    pub(crate) fn on_stdout<'a>(&self) -> Output<'a> {
        let form = if self.json {
            Form::Json
        } else {
            let coloured = self.color.on_stdout(!self.no_color.is_empty());
            Form::Pretty { coloured }
        };
        Output {
            out: BufWriter::new(io::stdout().lock()),
            form,
        }
    }
}

impl Output<'_> {
    pub(crate) fn event(&mut self, event: &Event) -> io::Result<()> {
        match self.form {
            Form::Json => writeln!(self.out, "{}", event.json()),
            Form::Pretty { coloured } => writeln!(self.out, "{}", pretty::line(event, coloured)),
        }
    }

    /// Writes out what was printed.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Whether whoever read the output has had enough.
pub(crate) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<io::Error>();
    io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
