//! Keeping to a number of bytes per second.

use std::time::{Duration, Instant};

/// Keeps to a number of bytes per second.
pub(super) struct Pace {
    bytes_per_second: u64,
    begun: Instant,
    bytes: u64,
}

impl Pace {
    pub(super) fn new(bytes_per_second: u64) -> Pace {
        Pace {
            bytes_per_second: bytes_per_second.max(1),
            begun: Instant::now(),
            bytes: 0,
        }
    }

    /// The time after which so many bytes are due.
    fn due(&self, bytes: u64) -> Duration {
        Duration::from_secs_f64(bytes as f64 / self.bytes_per_second as f64)
    }

    /// Counts bytes that were written.
    pub(super) fn take(&mut self, bytes: u64) {
        /// Time not used is not saved up for longer than this.
        const BURST: Duration = Duration::from_secs(1);
        if self.begun.elapsed() > self.due(self.bytes) + BURST {
            self.begun = Instant::now();
            self.bytes = 0;
        }
        self.bytes += bytes;
    }

    /// Waits a moment; whether there is more to wait.
    pub(super) fn rest(&self) -> bool {
        const MOMENT: Duration = Duration::from_millis(100);
        let ahead = self.due(self.bytes).saturating_sub(self.begun.elapsed());
        std::thread::sleep(ahead.min(MOMENT));
        ahead > MOMENT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_is_kept() {
        let begun = Instant::now();
        let mut pace = Pace::new(1_000_000);
        for _ in 0..10 {
            pace.take(10_000);
            while pace.rest() {}
        }
        let took = begun.elapsed();
        assert!(took >= Duration::from_millis(100), "{took:?}");
    }
}
