//! How many requests succeeded and failed of late, and how long they took.

use std::collections::VecDeque;
use std::time::Duration;

use feedwire_core::connectors::Numbers;
use feedwire_event::Timestamp;

/// How long something counts.
const WINDOW: Duration = Duration::from_hours(3);
/// It is counted by such spans.
const SPAN: Duration = Duration::from_mins(5);
/// Steps of latencies for each doubling: what is told is at most a fifth too much.
const STEPS: u32 = 4;
/// The longest a request takes is a minute, which is below 2^16 ms.
const LATENCIES: usize = 17 * STEPS as usize;

/// The numbers of the last three hours.
#[derive(Debug, Default)]
pub(crate) struct Window(VecDeque<Span>);

#[derive(Debug)]
struct Span {
    /// Which, since 1970.
    index: i64,
    succeeded: u64,
    failed: u64,
    latencies: [u32; LATENCIES],
}

impl Window {
    /// A request was answered, or not.
    pub(crate) fn count(&mut self, at: Timestamp, is_success: bool, latency: Duration) {
        let index = index(at);
        self.forget(index);
        let is_there = self.0.back().is_some_and(|span| span.index >= index);
        if !is_there {
            self.0.push_back(Span {
                index,
                succeeded: 0,
                failed: 0,
                latencies: [0; LATENCIES],
            });
        }
        let span = self.0.back_mut().expect("there is one now");
        span.succeeded += u64::from(is_success);
        span.failed += u64::from(!is_success);
        let step = &mut span.latencies[step(latency)];
        *step = step.saturating_add(1);
    }

    /// What counts at `now`.
    pub(crate) fn numbers(&mut self, now: Timestamp) -> Numbers {
        self.forget(index(now));
        let mut latencies = [0_u64; LATENCIES];
        let (mut succeeded, mut failed) = (0, 0);
        for span in &self.0 {
            succeeded += span.succeeded;
            failed += span.failed;
            for (sum, count) in latencies.iter_mut().zip(span.latencies) {
                *sum += u64::from(count);
            }
        }
        let all: u64 = latencies.iter().sum();
        let mut left = (all * 99).div_ceil(100);
        let slowest = latencies.iter().position(|count| {
            left = left.saturating_sub(*count);
            left == 0
        });
        let latency_p99 = match slowest {
            Some(step) if all > 0 => most(step),
            _ => Duration::ZERO,
        };
        Numbers {
            succeeded,
            failed,
            latency_p99,
        }
    }

    fn forget(&mut self, now: i64) {
        let spans = i64::try_from(WINDOW.as_secs() / SPAN.as_secs()).expect("it is 36");
        while self.0.front().is_some_and(|span| span.index + spans <= now) {
            self.0.pop_front();
        }
        // Of a clock that was set back.
        while self.0.back().is_some_and(|span| span.index > now) {
            self.0.pop_back();
        }
    }
}

fn index(at: Timestamp) -> i64 {
    let span = i64::try_from(SPAN.as_micros()).expect("it is minutes");
    at.as_micros().div_euclid(span)
}

/// The step that `latency` is in.
fn step(latency: Duration) -> usize {
    let steps = 0..LATENCIES;
    let found = steps.into_iter().find(|step| latency <= most(*step));
    found.unwrap_or(LATENCIES - 1)
}

/// The longest latency that is in `step`.
fn most(step: usize) -> Duration {
    let step = u32::try_from(step).expect("there are 68");
    Duration::from_secs_f64(0.001 * (f64::from(step) / f64::from(STEPS)).exp2())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_micros(1_700_000_000_000_000 + minutes * 60_000_000)
    }

    #[test]
    fn what_is_three_hours_ago_does_not_count() {
        let mut window = Window::default();
        window.count(at(0), true, Duration::from_millis(3));
        window.count(at(1), false, Duration::from_millis(3));
        window.count(at(100), true, Duration::from_millis(3));
        let count = |window: &mut Window, now| {
            let numbers = window.numbers(at(now));
            (numbers.succeeded, numbers.failed)
        };
        assert_eq!(count(&mut window, 100), (2, 1));
        assert_eq!(count(&mut window, 186), (1, 0));
        assert_eq!(count(&mut window, 300), (0, 0));
        assert_eq!(window.numbers(at(300)), Numbers::default());
    }

    #[test]
    fn ninety_nine_of_a_hundred_take_no_longer_than_is_told_nor_much_less() {
        let mut window = Window::default();
        for _ in 0..99 {
            window.count(at(0), true, Duration::from_millis(40));
        }
        window.count(at(0), true, Duration::from_secs(30));
        let told = window.numbers(at(0)).latency_p99;
        let (least, most) = (Duration::from_millis(40), Duration::from_millis(48));
        assert!((least..=most).contains(&told), "{told:?}");
        window.count(at(0), true, Duration::from_secs(30));
        window.count(at(0), true, Duration::from_mins(1));
        assert!(window.numbers(at(0)).latency_p99 >= Duration::from_secs(30));
    }
}
