//! What a command prints beside a progress bar, and how it ends.

use crate::failure;
use emonfeed::{Error, Status};
use indicatif::ProgressBar;
use serde_json::json;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

/// Nothing, or nearly nothing, was done.
pub const FAILED: u8 = 1;
/// The arguments make no sense.
pub const USAGE: u8 = 2;
/// Something is missing or different; the rest is done.
pub const INCOMPLETE: u8 = 3;
/// Another run holds the lock.
pub const LOCKED: u8 = 11;

/// A path as text of one line: a name may hold what moves the cursor of a terminal.
pub fn printable(path: impl Display) -> String {
    let mut text = String::new();
    for c in path.to_string().chars() {
        match c.is_control() {
            true => text.extend(c.escape_default()),
            false => text.push(c),
        }
    }
    text
}

/// Standard output and standard error.
pub struct Console {
    pub bar: ProgressBar,
    /// Whether it is a failure, too, if the reader of the results goes away.
    pub needs_reader: bool,
    /// The first failure to print a result.
    broken: Option<io::Error>,
}

impl Console {
    pub fn new(bar: ProgressBar) -> Console {
        Console { bar, needs_reader: false, broken: None }
    }

    /// Prints a result. What is being done goes on if that fails.
    pub fn out(&mut self, line: impl Display) {
        let written = self.bar.suspend(|| writeln!(io::stdout().lock(), "{line}"));
        if let Err(error) = written {
            self.broken.get_or_insert(error);
        }
    }

    /// Says what is wrong.
    pub fn complain(&self, message: impl Display) {
        self.say(format_args!("emonfeed: {message}"));
    }

    pub fn say(&self, line: impl Display) {
        self.bar.suspend(|| {
            // Where there is nobody to tell, the exit code has to do.
            let _ = writeln!(io::stderr().lock(), "{line}");
        });
    }

    /// Says why something was not begun, and what to do about it if a hint is
    /// wanted; the exit code.
    pub fn not_begun(
        &mut self,
        error: &Error,
        hints: bool,
        json: bool,
        destination: Option<&Path>,
    ) -> u8 {
        self.complain(error);
        if let Some(hint) =
            failure::hint(error).filter(|_| hints && error.status() == Status::Permission)
        {
            self.say(format_args!("hint: {hint}"));
        }
        self.failed(error, json, destination)
    }

    /// The exit code for an error that ended everything, with a summary in JSON
    /// if that is wanted.
    pub fn failed(
        &mut self,
        error: &Error,
        json: bool,
        destination: Option<&Path>,
    ) -> u8 {
        let code = match error.status() {
            Status::Locked => LOCKED,
            Status::Argument => USAGE,
            _ => FAILED,
        };
        if json {
            let mut object = json!({
                "type": "summary",
                "status": error.status().code(),
                "message": error.to_string(),
                "exit_code": code,
            });
            if let Some(destination) = destination {
                object["destination"] = destination.display().to_string().into();
            }
            self.out(object);
        }
        code
    }

    pub fn finish(self, code: u8) -> ExitCode {
        match &self.broken {
            // The reader has seen enough.
            Some(error)
                if error.kind() == io::ErrorKind::BrokenPipe && !self.needs_reader => {}
            Some(error) => {
                self.complain(format_args!("cannot write the results: {error}"));
                return ExitCode::from(code.max(FAILED));
            }
            None => {}
        }
        ExitCode::from(code)
    }
}
