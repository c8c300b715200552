//! `emonfeed man`: the manual pages, made from what `--help` is made from.

use crate::failure::Failure;
use clap::{Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, roman};
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

/// Print a manual page, or write all of them into a directory
///
/// The packages and `make install` put the pages where man looks for them. Use
/// this command for other installations.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  emonfeed man backup | man -l -
  emonfeed man --to ~/.local/share/man/man1")]
pub struct Args {
    /// Command whose page to print [default: emonfeed itself]
    #[arg(value_name = "COMMAND", conflicts_with = "to")]
    command: Option<String>,
    /// Write emonfeed.1 and a page for each command into this directory
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

/// A page and the name of its file.
struct Page {
    file: String,
    text: Vec<u8>,
}

pub fn run<C: CommandFactory>(args: Args) -> Result<(), Failure> {
    let pages = pages(C::command())?;
    let Some(folder) = args.to else {
        let own = C::command().get_name().to_owned();
        let file = match &args.command {
            None => format!("{own}.1"),
            Some(command) => format!("{own}-{command}.1"),
        };
        let page = pages.iter().find(|page| page.file == file).ok_or_else(|| {
            let command = args.command.as_deref().unwrap_or_default();
            Failure::Usage(format!("there is no command {command:?}"))
        })?;
        io::stdout().lock().write_all(&page.text)?;
        return Ok(());
    };
    for page in pages {
        let path = folder.join(&page.file);
        fs::write(&path, &page.text).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
    }
    Ok(())
}

/// The page of the command, and those of its subcommands.
fn pages(command: Command) -> io::Result<Vec<Page>> {
    let mut command = command.disable_help_subcommand(true);
    command.build();
    let source =
        format!("{} {}", command.get_name(), command.get_version().unwrap_or_default());
    let subcommands = command.get_subcommands().filter(|sub| !sub.is_hide_set());
    [&command].into_iter().chain(subcommands).map(|one| page(one, &source)).collect()
}

fn page(command: &Command, source: &str) -> io::Result<Page> {
    // Without a date, and roff would leave out an empty one.
    let man = Man::new(command.clone()).date(" ").source(source).manual("User Commands");
    let mut text = Vec::new();
    man.render_title(&mut text)?;
    man.render_name_section(&mut text)?;
    man.render_synopsis_section(&mut text)?;
    man.render_description_section(&mut text)?;
    man.render_options_section(&mut text)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut text)?;
    }
    if let Some(after) = command.get_after_long_help().or(command.get_after_help()) {
        sections(&after.to_string()).to_writer(&mut text)?;
    }
    Ok(Page { file: man.get_filename(), text })
}

/// What `--help` says after the options. `Examples:` heads a section of its own,
/// as does `Exit codes:`; indented lines stay as they are.
fn sections(after: &str) -> Roff {
    let mut roff = Roff::new();
    let mut verbatim = false;
    let mut titled = false;
    for line in after.lines() {
        let indented = line.starts_with(' ');
        if indented != verbatim {
            roff.control(if indented { "EX" } else { "EE" }, []);
            verbatim = indented;
        }
        let title = line.strip_suffix(':').filter(|_| !indented);
        if let Some(title) = title {
            roff.control("SH", [heading(title).as_str()]);
        } else if line.is_empty() {
            roff.control("PP", []);
        } else if titled {
            roff.text([roman(line)]);
        } else {
            roff.control("SH", ["NOTES"]).text([roman(line)]);
        }
        titled = true;
    }
    if verbatim {
        roff.control("EE", []);
    }
    roff
}

/// The name that the section of this title has in manual pages.
fn heading(title: &str) -> String {
    match title {
        "Exit codes" => "EXIT STATUS".to_owned(),
        title => title.to_uppercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Cli;

    /// The words of a page as a reader sees them, with one space between.
    fn words(page: &Page) -> String {
        let text = String::from_utf8(page.text.clone()).unwrap();
        let lines = text.lines().map(|line| match line.split_once(' ') {
            Some((".SH" | ".TH", rest)) => rest,
            _ if line.starts_with('.') => "",
            _ => line,
        });
        let mut read = lines.collect::<Vec<_>>().join(" ");
        for font in ["\\fB", "\\fI", "\\fR"] {
            read = read.replace(font, "");
        }
        let read = read.replace("\\-", "-").replace("\\&", "").replace("\\*(Aq", "'");
        plain(&read.replace("\\\\", "\\"))
    }

    fn plain(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_page_says_all_that_help_says() {
        let pages = pages(Cli::command()).unwrap();
        let mut whole = Cli::command();
        whole.build();
        let commands: Vec<&Command> = [&whole]
            .into_iter()
            .chain(whole.get_subcommands().filter(|sub| sub.get_name() != "help"))
            .collect();
        assert!(commands.len() > 6 && commands.len() == pages.len());
        for (command, page) in commands.into_iter().zip(&pages) {
            let name = command.get_display_name().unwrap_or("emonfeed");
            assert_eq!(page.file, format!("{name}.1"));
            let read = words(page);
            let has = |text: &str| {
                assert!(read.contains(&plain(text)), "{}: {text}\n{read}", page.file);
            };
            has(&format!("{name} - {}", command.get_about().unwrap()));
            for text in [command.get_long_about(), command.get_overridden_usage()] {
                has(&text.map(ToString::to_string).unwrap_or_default());
            }
            for argument in command.get_arguments() {
                if let Some(short) = argument.get_short() {
                    has(&format!("-{short}, "));
                }
                if let Some(long) = argument.get_long() {
                    has(&format!("--{long}"));
                }
                for value in argument.get_value_names().unwrap_or_default() {
                    if argument.get_num_args().unwrap().takes_values() {
                        has(value);
                    }
                }
                for value in argument.get_possible_values() {
                    if argument.get_num_args().unwrap().takes_values() {
                        has(value.get_name());
                    }
                }
                let help = argument.get_long_help().or(argument.get_help()).unwrap();
                has(&help.to_string());
            }
            for line in command.get_after_help().unwrap().to_string().lines() {
                match line.strip_suffix(':').filter(|line| !line.starts_with(' ')) {
                    Some(title) => has(&heading(title)),
                    None => has(line),
                }
            }
            for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
                has(&format!(
                    "emonfeed-{}(1) {}",
                    sub.get_name(),
                    sub.get_about().unwrap()
                ));
            }
        }
    }
}
