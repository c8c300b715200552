//! `emonfeed explore`: starts the page to look at feeds.

use crate::console::{FAILED, printable};
use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// Serve a page that shows the feeds of a directory, until Ctrl-C
///
/// The page lists the feeds and draws any of them, at any scale from ten years to
/// ten seconds. PHP's built-in web server serves it, and emonfeed's extension reads
/// the files there: no database, emoncms or other web server is needed.
///
/// The server only reads the feeds in DIR (and the copies in that of --backup), and
/// by default listens on this machine alone. It answers only those who opened the
/// address that it prints, which contains a key. From another machine, reach it
/// through `ssh -L 8080:localhost:8080 THIS_MACHINE`.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  sudo emonfeed explore /var/lib/mysql/emoncms
  emonfeed explore /mnt/usb/emoncms --port 8081
  emonfeed explore /var/opt/emoncms/phptimeseries --backup /mnt/usb/phptimeseries

Exit codes:
  1              the page could not be served
  2              wrong usage
  130, 131, 143  a signal ended it")]
pub struct Args {
    /// Directory with the feeds: of a database, of PHPTimeSeries, or of copies
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Destination to which `emonfeed backup` copies these feeds: the list then shows
    /// how old each copy is and what it lacks
    #[arg(long, value_name = "DEST_DIR")]
    backup: Option<PathBuf>,
    /// Port to listen on
    #[arg(long, default_value_t = 8080, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Address to listen on; the connection is not encrypted
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    host: String,
}

pub fn run(args: Args) -> ExitCode {
    let (emonfeed, page) = match page() {
        Ok(places) => places,
        Err(message) => return failed(&message),
    };
    // In place of this program, so that signals reach it.
    let error = Command::new("sh")
        .arg(page.join("serve.sh"))
        // The cache of the user; the extension that is installed.
        .args(["", "emonfeed"])
        .arg(emonfeed)
        .arg(args.directory)
        .arg(args.backup.unwrap_or_default())
        .arg(args.port.to_string())
        .arg(args.host)
        .exec();
    failed(&format!("sh cannot be started: {error}"))
}

fn failed(message: &str) -> ExitCode {
    // Where nobody listens there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "emonfeed: {message}");
    ExitCode::from(FAILED)
}

/// This program, and the folder of the page that was installed with it.
fn page() -> Result<(PathBuf, PathBuf), String> {
    let emonfeed = std::env::current_exe()
        .map_err(|error| format!("where this program lies is not known: {error}"))?;
    let prefix = emonfeed.parent().and_then(Path::parent).unwrap_or(Path::new("/"));
    let page = prefix.join("share/emonfeed/explore");
    if page.join("serve.sh").is_file() {
        return Ok((emonfeed, page));
    }
    Err(format!(
        "the page is not in {}: the Debian package has it, and `make install` puts it there \
         after `make page`; to look at feeds from the source tree: make explore DIR=...",
        printable(page.display())
    ))
}
