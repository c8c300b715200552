//! The feed a command is asked about.

use crate::failure::Failure;
use crate::time;
use emonfeed::{Access, Feed, Options};
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments every command about one feed has.
#[derive(clap::Args)]
pub struct Source {
    /// File with the feed's rows, feed_N.MYD (.MYD may be left out)
    path: PathBuf,
    /// Read the file piece by piece instead of mapping it into memory: for
    /// network file systems
    #[arg(long)]
    pread: bool,
    /// Keep a summary of the rows (their order and sums) in DIR, so that the next
    /// call need not read all rows
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    /// Time zone of days and of times without offset: an IANA name such as
    /// Europe/London [default: this machine's]
    #[arg(long, value_name = "ZONE", value_parser = time::zone)]
    timezone: Option<TimeZone>,
}

impl Source {
    /// Opens the feed.
    pub fn open(&self) -> Result<Feed, Failure> {
        let access = if self.pread { Access::Pread } else { Access::Mmap };
        let keep = self.cache.as_deref().map(Arc::from);
        let options = Options { access, keep, ..Options::default() };
        Ok(Feed::open_with(self.rows(), options)?)
    }

    /// The time zone asked for, or this machine's.
    pub fn zone(&self) -> TimeZone {
        self.timezone.clone().unwrap_or_else(TimeZone::system)
    }

    /// The rows' file, also for the name of a table (`feed_7`) or of its
    /// index or definition.
    fn rows(&self) -> PathBuf {
        let extension = self.path.extension().and_then(|extension| extension.to_str());
        if !matches!(extension, None | Some("MYI" | "frm")) {
            return self.path.clone();
        }
        let rows = self.path.with_extension("MYD");
        // A folder called feed_7 is not meant by feed_7.MYD.
        if self.path.is_dir() { self.path.clone() } else { rows }
    }
}
