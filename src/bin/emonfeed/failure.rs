//! How a command ends when it cannot do what was asked.

use emonfeed::{Error, Status};
use std::error::Error as _;
use std::io::{self, Write};
use std::process::ExitCode;

/// Why a command stops.
pub enum Failure {
    /// The feed could not be read.
    Feed(Error),
    /// The arguments do not fit together, or not with the feed.
    Usage(String),
    /// The results could not be written.
    Output(io::Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Failure {
        Failure::Feed(error)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}

impl Failure {
    /// Tells the user on standard error and gives the exit code.
    pub fn report(self) -> ExitCode {
        match self {
            Failure::Feed(error) => {
                say(&error.to_string(), hint(&error));
                // A question that makes no sense is the caller's to correct.
                ExitCode::from(if error.status() == Status::Argument { 2 } else { 1 })
            }
            Failure::Usage(message) => {
                say(
                    &message,
                    Some("`emonfeed help` and `emonfeed help get` show examples"),
                );
                ExitCode::from(2)
            }
            // The reader has seen enough (`emonfeed get … | head`): no failure.
            Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                ExitCode::SUCCESS
            }
            Failure::Output(error) => {
                say(&format!("cannot write the results: {error}"), None);
                ExitCode::FAILURE
            }
        }
    }
}

/// Writes a message, with what to do about it, to standard error.
fn say(message: &str, hint: Option<&str>) {
    let mut stderr = io::stderr().lock();
    // Where nobody listens (a closed standard error) there is nobody to tell.
    let _ = writeln!(stderr, "emonfeed: {message}");
    if let Some(hint) = hint {
        let _ = writeln!(stderr, "hint: {hint}");
    }
}

/// What to do about it, where the message does not say so itself.
pub fn hint(error: &Error) -> Option<&'static str> {
    match error.status() {
        Status::NotFound => Some(
            "a feed's rows are in feed_N.MYD, for MySQL feeds in the database's folder below \
             /var/lib/mysql, for PHPTimeSeries feeds in /var/opt/emoncms/phptimeseries or \
             /var/lib/phptimeseries",
        ),
        // What this library refuses by itself, it explains.
        Status::Permission if error.source().is_some() => Some(
            "MySQL's files belong to the user mysql: try sudo; the README tells how to let \
             another user read them",
        ),
        _ => None,
    }
}
