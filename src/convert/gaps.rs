//! At which interval a feed ticks, by the gaps between its readings.

/// The intervals that emoncms offers for feeds of PHPFina, in seconds.
const OFFERED: [u32; 22] = [
    1, 5, 10, 15, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 10800,
    14400, 18000, 21600, 43200, 86400,
];

/// Longer gaps are pauses, and tell of no interval.
const LONGEST: u32 = 2 * 86_400;

/// An interval found, and how sure that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detected {
    /// Seconds.
    pub interval: u32,
    /// Gaps that it is the nearest interval of, or whose length it is.
    pub fitting: u64,
    /// All gaps between readings of different times.
    pub gaps: u64,
}

impl Detected {
    /// How much of the gaps fit, in percent.
    pub fn percent(&self) -> f64 {
        100.0 * self.fitting as f64 / self.gaps.max(1) as f64
    }
}

/// Counts the gaps between readings, which are given in the order of time.
pub(super) struct Gaps {
    /// How many there are of each length.
    counts: Vec<u64>,
    all: u64,
    last: Option<i64>,
}

impl Gaps {
    pub(super) fn new() -> Gaps {
        Gaps { counts: vec![0; LONGEST as usize + 1], all: 0, last: None }
    }

    pub(super) fn take(&mut self, time: i64) {
        let gap = self.last.map(|last| time - last).filter(|gap| *gap > 0);
        self.last = Some(time);
        if let Some(gap) = gap {
            self.all += 1;
            let count =
                usize::try_from(gap).ok().and_then(|gap| self.counts.get_mut(gap));
            if let Some(count) = count {
                *count += 1;
            }
        }
    }

    /// The interval that most gaps speak for: the length of nearly all of them,
    /// or else that of [`OFFERED`] which is nearest to more gaps than any other.
    /// `None` without gaps.
    pub(super) fn best(&self) -> Option<Detected> {
        let found = |interval, fitting| Detected { interval, fitting, gaps: self.all };
        let longest = self.counts.iter().enumerate().max_by_key(|(_, count)| **count);
        if let Some((gap, &count)) = longest {
            // A clock that is a little slow makes every tenth gap longer, and the
            // interval is not its.
            if count > 0 && u128::from(count) * 10 >= u128::from(self.all) * 9 {
                return Some(found(gap as u32, count));
            }
        }
        let mut votes = [0; OFFERED.len()];
        let mut nearest = 0;
        for (gap, count) in self.counts.iter().enumerate() {
            // By their ratio: 7 s is nearer to 5 s than to 10 s.
            while OFFERED.get(nearest + 1).is_some_and(|next| {
                (gap * gap) as u64 >= u64::from(OFFERED[nearest]) * u64::from(*next)
            }) {
                nearest += 1;
            }
            votes[nearest] += count;
        }
        let most = (0..OFFERED.len()).max_by_key(|&which| votes[which])?;
        (votes[most] > 0).then(|| found(OFFERED[most], votes[most]))
    }

    /// The same if at least half of the gaps speak for it.
    pub(super) fn interval(&self) -> Option<Detected> {
        self.best().filter(|found| found.fitting * 2 >= found.gaps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn interval(times: impl IntoIterator<Item = i64>) -> Option<u32> {
        let mut gaps = Gaps::new();
        times.into_iter().for_each(|time| gaps.take(time));
        gaps.interval().map(|found| found.interval)
    }

    #[test]
    fn a_feed_that_ticks_has_the_interval_of_its_ticks() {
        for every in [1, 5, 6, 10, 45, 60, 300, 3600, 86_400] {
            let times = (0..100).map(|i| 1_400_000_000 + i * every);
            assert_eq!(interval(times), Some(every as u32), "{every}");
        }
    }

    #[test]
    fn clocks_that_are_off_and_readings_that_are_lost_do_not_matter() {
        let ticks = |every: f64| (0..1000).map(move |i| (f64::from(i) * every) as i64);
        assert_eq!(interval(ticks(10.3)), Some(10));
        assert_eq!(interval(ticks(9.7)), Some(10));
        assert_eq!(interval(ticks(10.5)), Some(10));
        assert_eq!(interval(ticks(61.5)), Some(60));
        let mut random = fastrand::Rng::with_seed(1);
        // Three of ten are lost, and each is up to two seconds late.
        let mut time = 0;
        let times: Vec<i64> = (0..1000)
            .filter_map(|i| {
                time = i * 10 + random.i64(0..3);
                (random.u8(0..10) >= 3).then_some(time)
            })
            .collect();
        assert_eq!(interval(times), Some(10));
        // A year's pause, and several readings of one second.
        let times = ticks(30.0).chain(ticks(30.0).map(|time| time + 31_536_000));
        assert_eq!(interval(times.flat_map(|time| [time, time])), Some(30));
    }

    #[test]
    fn what_does_not_tick_has_none() {
        assert_eq!(interval([]), None);
        assert_eq!(interval([7]), None);
        assert_eq!(interval([7, 7, 7]), None);
        assert_eq!(interval([0, 4_000_000_000]), None);
        let mut random = fastrand::Rng::with_seed(2);
        let mut time = 0_i64;
        let times: Vec<i64> = (0..1000)
            .map(|_| {
                time += 1 << random.u32(0..16);
                time
            })
            .collect();
        assert_eq!(interval(times), None);
    }
}
