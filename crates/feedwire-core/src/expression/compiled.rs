//! An expression that can be held against events.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use feedwire_engine::Record;
use feedwire_event::Labels;

use super::cost::Cost;
use super::evaluate::Evaluation;
use super::event::Event;
use super::node::{Node, Variable};
use super::{ExpressionError, parse};
use crate::limits::EXPRESSION_BYTES_MAX;

/// A condition in the Common Expression Language; cloning shares it.
///
/// An event passes if it is true of it. It does not pass if the condition fails there: where a member is missing, where kinds do not fit
/// each other, where the outcome is not a boolean, or where it would cost more than reading the event 32 times.
#[derive(Clone)]
pub struct Expression(Arc<Compiled>);

struct Compiled {
    text: String,
    root: Node,
    names_labels: bool,
}

impl Expression {
    /// The condition that `text` is.
    pub fn new(text: &str) -> Result<Self, ExpressionError> {
        if text.len() > EXPRESSION_BYTES_MAX {
            let reason = format!(
                "an expression has at most {EXPRESSION_BYTES_MAX} bytes, this has {}",
                text.len()
            );
            return Err(ExpressionError::at(text, EXPRESSION_BYTES_MAX, reason));
        }
        let root = parse::parse(text)?;
        if !root.is_condition() {
            let reason = "this is a value, and no condition that is true or false";
            return Err(ExpressionError::at(text, 0, reason));
        }
        let names_labels = root.names_variable(Variable::Labels);
        Ok(Self(Arc::new(Compiled {
            text: text.to_owned(),
            root,
            names_labels,
        })))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether it asks for labels.
    pub(super) fn names_labels(&self) -> bool {
        self.0.names_labels
    }

    /// Whether it is true of `record`, whose subject has `labels`; and what it cost to know, in bytes looked at.
    pub(super) fn holds(&self, record: &Record, labels: Option<&Labels>) -> (bool, usize) {
        let event = Event::of(record, labels);
        let cost = Cost::of(record.bytes());
        let value = Evaluation::of(&event, &cost).value(&self.0.root);
        let holds = value.and_then(|value| value.truth()).unwrap_or(false);
        (holds, cost.spent())
    }
}

impl FromStr for Expression {
    type Err = ExpressionError;

    fn from_str(text: &str) -> Result<Self, ExpressionError> {
        Self::new(text)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.0.text).finish()
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.0.text == other.0.text
    }
}

impl Eq for Expression {}
