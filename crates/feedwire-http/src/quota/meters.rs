//! The meters of all addresses, credentials or projects that were asked about lately.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use feedwire_core::RateLimits;
use parking_lot::RwLock;

use super::Meter;

/// How many there are at least before the idle ones are let go of.
const KEPT_MIN: usize = 1_024;

/// Meters by what they are of.
#[derive(Debug)]
pub(crate) struct Meters<K> {
    of: &'static str,
    kept: RwLock<Kept<K>>,
}

#[derive(Debug)]
struct Kept<K> {
    meters: HashMap<K, Arc<Meter>>,
    /// At this many the idle ones go: twice as many as stayed the last time, so that looking through all of them is seldom.
    full_at: usize,
}

impl<K: Clone + Eq + Hash> Meters<K> {
    pub(super) fn new(of: &'static str) -> Self {
        let kept = Kept {
            meters: HashMap::new(),
            full_at: KEPT_MIN,
        };
        Self {
            of,
            kept: RwLock::new(kept),
        }
    }

    /// The meter of `key`, for these limits; `None` where there are none.
    pub(super) fn of(&self, key: &K, limits: RateLimits) -> Option<Arc<Meter>> {
        if limits == RateLimits::default() {
            return None;
        }
        let known = self.kept.read().meters.get(key).cloned();
        if let Some(meter) = known.filter(|meter| meter.limits == limits) {
            return Some(meter);
        }
        Some(self.kept.write().renewed(key, limits, self.of))
    }
}

impl<K: Clone + Eq + Hash> Kept<K> {
    fn renewed(&mut self, key: &K, limits: RateLimits, of: &'static str) -> Arc<Meter> {
        if self.meters.len() >= self.full_at {
            self.meters.retain(|_, meter| !meter.is_idle());
            self.full_at = KEPT_MIN.max(2 * self.meters.len());
        }
        let meter = match self.meters.get(key) {
            Some(meter) if meter.limits == limits => return meter.clone(),
            Some(meter) => meter.with(limits),
            None => Meter::new(of, limits, Arc::default()),
        };
        let meter = Arc::new(meter);
        self.meters.insert(key.clone(), meter.clone());
        meter
    }
}

/// What of `address` has one meter: of IPv6 the first half, which one customer commonly has for itself.
pub(crate) fn block(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(requests: u64) -> RateLimits {
        RateLimits {
            requests_per_second: Some(requests),
            ..RateLimits::default()
        }
    }

    #[test]
    fn what_has_no_limits_has_no_meter() {
        let meters: Meters<u32> = Meters::new("credential");
        assert!(meters.of(&1, RateLimits::default()).is_none());
        assert!(meters.kept.read().meters.is_empty());
    }

    #[test]
    fn one_key_has_one_meter_until_its_limits_change() {
        let meters: Meters<u32> = Meters::new("credential");
        let of = |key, requests| meters.of(&key, limits(requests)).expect("there are limits");
        let first = of(1, 5);
        assert!(Arc::ptr_eq(&first, &of(1, 5)));
        assert!(!Arc::ptr_eq(&first, &of(2, 5)));
        assert!(!Arc::ptr_eq(&first, &of(1, 6)));
    }

    #[test]
    fn meters_with_a_reader_stay_when_others_go() {
        let meters: Meters<usize> = Meters::new("address");
        let kept = meters.of(&0, limits(5)).expect("there are limits");
        let _reader = kept.reader().expect("there is room");
        for key in 1..10 * KEPT_MIN {
            meters.of(&key, limits(5));
        }
        assert!(Arc::ptr_eq(
            &kept,
            &meters.of(&0, limits(5)).expect("there are limits")
        ));
    }

    #[test]
    fn neighbours_in_a_network_of_ipv6_have_one_meter() {
        let block = |text: &str| block(text.parse().expect("an address"));
        assert_eq!(block("2001:db8:1:2::1"), block("2001:db8:1:2:ffff::9"));
        assert_ne!(block("2001:db8:1:2::1"), block("2001:db8:1:3::1"));
        assert_eq!(block("::ffff:192.0.2.1"), block("192.0.2.1"));
    }
}
