//! What monitoring reads: a text file for Prometheus's node exporter.

use emonfeed::backup::Destination;
use std::fmt::{Display, Write as _};
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// The name, what it says, and its value for a destination; none if that cannot
/// be told.
type Metric = (&'static str, &'static str, fn(&Destination) -> Option<String>);

const METRICS: [Metric; 9] = [
    (
        "last_success_timestamp_seconds",
        "Start of the last run that copied every feed; 0 if none has.",
        |d| text(d.last_success.as_ref().map_or(0, |run| run.started)),
    ),
    (
        "last_run_timestamp_seconds",
        "Start of the last run that is over; 0 if there was none.",
        |d| text(d.last_run.as_ref().map_or(0, |run| run.started)),
    ),
    ("last_run_duration_seconds", "How long it took; none if it was killed.", |d| {
        d.last_run.as_ref()?.seconds.and_then(text)
    }),
    ("last_run_bytes", "Bytes of rows it wrote.", |d| text(d.last_run.as_ref()?.bytes)),
    ("last_run_failed_feeds", "Feeds it could not copy.", |d| {
        text(d.last_run.as_ref()?.failed)
    }),
    ("last_run_success", "Whether it copied every feed: 1 or 0.", |d| {
        let outcome = d.last_run.as_ref().and_then(|run| run.outcome.as_deref());
        text(u8::from(outcome == Some("ok")))
    }),
    ("feeds", "Feeds that have a copy.", |d| {
        text(d.feeds.iter().filter(|feed| feed.kind.is_some()).count())
    }),
    ("bytes", "Bytes of the copies, without the kept old states.", |d| text(d.bytes())),
    (
        "oldest_feed_success_timestamp_seconds",
        "Of each feed whose source is not gone, the start of the last run that found it complete \
         (0 if none did); the oldest of these.",
        |d| d.oldest_success().and_then(text),
    ),
];

fn text(value: impl Display) -> Option<String> {
    Some(value.to_string())
}

/// Writes the file, which has its old content or its new one at each moment.
pub fn write(file: &Path, destinations: &[Destination]) -> io::Result<()> {
    let name = file
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "this is no file"))?;
    // Not ending in .prom: the exporter reads all that do.
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.partial", std::process::id()));
    let beside = file.with_file_name(beside);
    let written =
        fill(&beside, &format(destinations)).and_then(|()| fs::rename(&beside, file));
    if written.is_err() {
        // It may never have been made.
        let _ = fs::remove_file(&beside);
    }
    written
}

fn fill(path: &Path, text: &str) -> io::Result<()> {
    /// The exporter is another user.
    const MODE: u32 = 0o644;
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?;
    file.write_all(text.as_bytes())?;
    // Whatever the umask is.
    file.set_permissions(fs::Permissions::from_mode(MODE))?;
    file.sync_data()
}

fn format(destinations: &[Destination]) -> String {
    let mut text = String::new();
    for (name, help, value) in METRICS {
        let name = format!("emonfeed_backup_{name}");
        // Writing to a string cannot fail.
        let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} gauge");
        for destination in destinations {
            if let Some(value) = value(destination) {
                // The same one, wherever the command is run.
                let path = std::path::absolute(&destination.path);
                let path = path.as_ref().unwrap_or(&destination.path);
                let label = escape(&path.to_string_lossy());
                let _ = writeln!(text, "{name}{{destination=\"{label}\"}} {value}");
            }
        }
    }
    text
}

/// The value of a label as it is written between quotes.
fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped() {
        assert_eq!(escape("/mnt/usb"), "/mnt/usb");
        assert_eq!(escape("a\\b\"c\nd"), "a\\\\b\\\"c\\nd");
    }

    #[test]
    fn what_cannot_be_told_is_left_out_or_0() {
        let text = format(&[Destination::default()]);
        let values: Vec<_> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert_eq!(
            values,
            [
                "emonfeed_backup_last_success_timestamp_seconds{destination=\"\"} 0",
                "emonfeed_backup_last_run_timestamp_seconds{destination=\"\"} 0",
                "emonfeed_backup_last_run_success{destination=\"\"} 0",
                "emonfeed_backup_feeds{destination=\"\"} 0",
                "emonfeed_backup_bytes{destination=\"\"} 0",
            ]
        );
    }

    #[test]
    fn nothing_is_left_of_a_file_that_cannot_be_written() {
        let dir = tempfile::tempdir().unwrap();
        let taken = dir.path().join("backup.prom");
        fs::create_dir(&taken).unwrap();
        assert!(write(&taken, &[]).is_err());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert!(write(Path::new("/"), &[]).is_err());
    }
}
