//! An event as an expression sees it.

use std::cell::OnceCell;

use feedwire_engine::Record;
use feedwire_event::json::write_string;
use feedwire_event::payload::DataText;
use feedwire_event::{Labels, Payload};

use super::cost::Cost;
use super::json;
use super::node::Variable;
use super::value::{Fail, Value};

/// An event, of which is read what is asked for.
#[derive(Debug)]
pub(super) struct Event<'e> {
    record: &'e Record,
    labels: Option<&'e Labels>,
    payload: OnceCell<Option<Payload<'e>>>,
    labels_text: OnceCell<String>,
    extensions_text: OnceCell<String>,
}

impl<'e> Event<'e> {
    /// The event of `record`, whose subject has `labels`.
    pub(super) fn of(record: &'e Record, labels: Option<&'e Labels>) -> Self {
        Self {
            record,
            labels,
            payload: OnceCell::new(),
            labels_text: OnceCell::new(),
            extensions_text: OnceCell::new(),
        }
    }

    /// What `variable` is here.
    pub(super) fn value(&self, variable: Variable, cost: &Cost) -> Result<Value<'_>, Fail> {
        let record = self.record;
        let text =
            |text: Option<&'e str>| text.map_or(Value::Null, |text| Value::Text(text.into()));
        Ok(match variable {
            Variable::Data => self.data(cost)?,
            Variable::Type => text(Some(record.ty())),
            Variable::Subject => text(record.subject()),
            Variable::Feed => text(Some(record.feed())),
            Variable::Id => text(Some(self.payload(cost)?.id)),
            Variable::Source => text(self.payload(cost)?.source),
            Variable::Time => Value::Time(record.stamp().time),
            Variable::RecordedAt => Value::Time(record.stamp().recorded_at),
            Variable::Position => {
                let position = i64::try_from(record.position().get());
                Value::Int(position.or(Err(Fail))?)
            }
            Variable::Labels => {
                let labels_text = self.labels_text.get_or_init(|| self.write_labels());
                cost.step(labels_text.len())?;
                Value::Object(labels_text)
            }
            Variable::Extensions => {
                let members = self.payload(cost)?.extensions;
                cost.step(members.len())?;
                let text = self
                    .extensions_text
                    .get_or_init(|| format!("{{{members}}}"));
                Value::Object(text)
            }
            Variable::Ids => match self.payload(cost)?.change {
                Some(change) if !change.ids.is_empty() => json::value(change.ids)?,
                _ => Value::Null,
            },
        })
    }

    fn data(&self, cost: &Cost) -> Result<Value<'e>, Fail> {
        match self.payload(cost)?.data {
            DataText::None => Ok(Value::Null),
            DataText::Json(text) | DataText::Base64(text) => json::value(text),
        }
    }

    fn payload(&self, cost: &Cost) -> Result<Payload<'e>, Fail> {
        if self.payload.get().is_none() {
            // It is looked through once, for it has to be UTF-8.
            cost.step(self.record.bytes())?;
        }
        let decoded = self.payload.get_or_init(|| self.record.payload().ok());
        decoded.ok_or(Fail)
    }

    fn write_labels(&self) -> String {
        let mut out = vec![b'{'];
        let labels = self.labels.into_iter().flat_map(Labels::iter);
        for (index, (key, value)) in labels.enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(key, &mut out);
            out.push(b':');
            write_string(value, &mut out);
        }
        out.push(b'}');
        String::from_utf8(out).unwrap_or_default()
    }
}
