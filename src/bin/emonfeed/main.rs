//! The command `emonfeed`: looks into feed files, answers questions about them
//! and backs them up, from the shell.

mod backup;
mod calendar;
mod client;
mod completions;
mod console;
mod convert;
mod database;
mod explore;
#[cfg(feature = "export")]
mod export;
mod failure;
mod get;
mod info;
mod man;
mod metrics;
mod plot;
mod restore;
mod selection;
mod signals;
mod source;
mod status;
mod table;
mod time;
mod verify;

// A private server, for the tests.
#[cfg(test)]
#[path = "../../../tests/server/mod.rs"]
mod server;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "emonfeed",
    version,
    about = "Reads emoncms feed files (feed_N.MYD) directly, without a database server, and backs \
             them up",
    after_help = "\
Examples:
  emonfeed info /var/lib/mysql/emoncms/feed_7.MYD
  emonfeed get feed_7.MYD --points 50 --average --plot
  emonfeed get feed_7.MYD --start 2026-01-01 --end 2026-02-01 --daily --format csv
  emonfeed backup /var/lib/mysql/emoncms /mnt/usb/emoncms
  emonfeed status /mnt/usb/emoncms
  emonfeed verify /mnt/usb/emoncms --source /var/lib/mysql/emoncms
  emonfeed explore /var/lib/mysql/emoncms
  emonfeed convert /var/lib/mysql/emoncms /var/opt/emoncms/phpfina --to phpfina --dry-run

`emonfeed help COMMAND` explains a command and shows more examples.

Exit codes:
  0   done
  1   failed
  2   wrong usage
  3   backup, restore, convert, export: finished, but incomplete;
      verify, status: something is wrong with the copies
  11  another run holds the lock"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Info(info::Args),
    Get(get::Args),
    Backup(backup::Args),
    Restore(restore::Args),
    Verify(verify::Args),
    Status(status::Args),
    Explore(explore::Args),
    Convert(convert::Args),
    #[cfg(feature = "export")]
    Export(export::Args),
    Completions(completions::Args),
    Man(man::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Info(args) => info::run(args),
        Command::Get(args) => get::run(args),
        Command::Backup(args) => return backup::run(args),
        Command::Restore(args) => return restore::run(args),
        Command::Verify(args) => return verify::run(args),
        Command::Status(args) => return status::run(args),
        Command::Explore(args) => return explore::run(args),
        Command::Convert(args) => return convert::run(args),
        #[cfg(feature = "export")]
        Command::Export(args) => return export::run(args),
        Command::Completions(args) => completions::run::<Cli>(args),
        Command::Man(args) => man::run::<Cli>(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
