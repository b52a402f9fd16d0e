//! What a member has and has not used: whether it still has it, and that it does not count.

use feedwire_event::Position;

use super::{Outstanding, State};

impl Outstanding {
    /// Whether the event at `position` is with its member, as it was sent for the `deliveries`th time.
    pub(in crate::stream::group) fn is_sent(&self, position: Position, deliveries: u32) -> bool {
        self.index_of(position).is_ok_and(|index| {
            let out = &self.out[index];
            out.deliveries == deliveries && matches!(out.state, State::Sent(_))
        })
    }

    /// The event at `position` has not failed, whatever it waits for.
    pub(in crate::stream::group) fn has_not_failed(&mut self, position: Position) {
        if let Ok(index) = self.index_of(position) {
            self.out[index].has_failed = false;
        }
    }

    /// The event at `position` was not sent after all.
    pub(in crate::stream::group) fn not_sent(&mut self, position: Position) {
        if let Ok(index) = self.index_of(position) {
            let out = &mut self.out[index];
            out.deliveries = out.deliveries.saturating_sub(1);
        }
    }
}
