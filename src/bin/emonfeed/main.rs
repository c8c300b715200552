//! The command `emonfeed`: looks into feed files and answers questions about
//! them from the shell.

mod calendar;
mod failure;
mod get;
mod info;
mod plot;
mod source;
mod table;
mod time;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

#[derive(Parser)]
#[command(
    name = "emonfeed",
    version,
    about = "Reads emoncms feed files (feed_N.MYD) directly, without a database server",
    after_help = "\
Examples:
  emonfeed info /var/lib/mysql/emoncms/feed_7.MYD
  emonfeed get feed_7.MYD --points 50 --average --plot
  emonfeed get feed_7.MYD --start 2026-01-01 --end 2026-02-01 --daily --format csv

`emonfeed help get` explains a command and shows more examples.

Exit codes: 0 done, 1 failed, 2 wrong usage."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Info(info::Args),
    Get(get::Args),
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Info(args) => info::run(args),
        Command::Get(args) => get::run(args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
