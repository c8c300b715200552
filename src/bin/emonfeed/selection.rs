//! Which feeds a command is about.

use emonfeed::backup::RunOptions;

/// Arguments of every command about many feeds.
#[derive(clap::Args)]
pub struct Selection {
    /// Prefix of the feed tables' names; a number follows it
    #[arg(long, value_name = "TEXT", default_value = "feed_")]
    prefix: String,
    /// Select only these feeds: numbers, ranges (1-50) or table names, with * and
    /// ?; repeatable
    #[arg(long, value_name = "FEEDS", value_delimiter = ',')]
    only: Vec<String>,
    /// Leave out these feeds, named as in --only
    #[arg(long, value_name = "FEEDS", value_delimiter = ',')]
    exclude: Vec<String>,
}

impl Selection {
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The options of a run over these feeds.
    pub fn options(&self) -> RunOptions {
        RunOptions {
            prefix: self.prefix.clone(),
            only: self.only.clone(),
            exclude: self.exclude.clone(),
            ..RunOptions::default()
        }
    }
}
