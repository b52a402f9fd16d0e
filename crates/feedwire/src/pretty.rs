//! An event as one line for people.

use std::fmt::Write as _;
use std::io::IsTerminal as _;

use clap::ValueEnum;
use feedwire_client::Event;

const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const CYAN: &str = "\x1b[36m";
const PLAIN: &str = "\x1b[0m";

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    /// Where stdout is a terminal and `NO_COLOR` is not set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Colour {
    /// Whether to colour what goes to stdout; `declined` is what `NO_COLOR` says.
    pub(crate) fn on_stdout(self, declined: bool) -> bool {
        match self {
            Self::Auto => std::io::stdout().is_terminal() && !declined,
            Self::Always => true,
            Self::Never => false,
        }
    }
}

/// Position, time, feed, type, subject and data of `event` in a line without its end.
pub(crate) fn line(event: &Event, coloured: bool) -> String {
    let paint = |colour| if coloured { colour } else { "" };
    let (dim, bold, cyan, plain) = (paint(DIM), paint(BOLD), paint(CYAN), paint(PLAIN));
    let attributes = event.attributes();
    let (position, time) = (attributes.position, &attributes.time);
    let (feed, ty) = (&attributes.feed, &attributes.ty);
    let mut line = format!("{dim}{position:>8}  {time}{plain}  {feed}  {cyan}{ty}{plain}");
    if let Some(subject) = &attributes.subject {
        write!(line, "  {bold}{subject}{plain}").expect("a string takes everything");
    }
    if let Some(data) = &attributes.data {
        write!(line, "  {data}").expect("a string takes everything");
    } else if let Some(data) = &attributes.data_base64 {
        write!(line, "  {dim}base64{plain} {data}").expect("a string takes everything");
    }
    line
}
