//! `emonfeed completions`: what a shell needs to complete the command's arguments.

use crate::failure::Failure;
use clap::{Command, CommandFactory};
use clap_complete::Shell;
use std::io::{self, Write};

/// Print a script that completes the arguments of emonfeed in a shell
///
/// The packages and `make install` put these scripts where the shells look for
/// them. Use this command for other installations.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  emonfeed completions bash > ~/.local/share/bash-completion/completions/emonfeed
  emonfeed completions zsh > /usr/local/share/zsh/site-functions/_emonfeed
  emonfeed completions fish > ~/.config/fish/completions/emonfeed.fish")]
pub struct Args {
    /// Shell to print the script for
    #[arg(value_enum, value_name = "SHELL")]
    shell: Shell,
}

pub fn run<C: CommandFactory>(args: Args) -> Result<(), Failure> {
    io::stdout().lock().write_all(&script(args.shell, C::command()))?;
    Ok(())
}

fn script(shell: Shell, mut command: Command) -> Vec<u8> {
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    script
}
