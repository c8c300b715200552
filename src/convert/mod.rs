//! Writing feeds of MySQL and PHPTimeSeries as emoncms's file engines keep them.
//!
//! ```text
//! Convert ── which feeds; looks at the target, then at feed after feed
//!  ├─ rows ── the readings of a feed, a piece at a time
//!  ├─ gaps ── at which interval a feed ticks
//!  ├─ encode ── what becomes of the readings, and how many of which kind
//!  ├─ plan ── what that comes to, and whether it may be done unasked
//!  ├─ file ── the bytes
//!  └─ check ── whether what was written is what the feed holds
//! ```
//!
//! Everything is known before anything is written ([`Convert::plan`]). What is
//! written has a name of its own until both sides have been read again and
//! compared ([`Convert::carry_out`]); the feed is only read.

mod check;
mod encode;
mod file;
mod gaps;
mod plan;
mod rows;

pub use encode::{Figures, Pause};
pub use gaps::Detected;
pub use plan::{Loss, LossKind, Objection, Plan};

use self::check::Checked;
use self::encode::{Encoder, Form, Nowhere};
use self::file::Writer;
use self::gaps::Gaps;
use crate::backup::{
    Catalog, FeedName, Folder, Partial, Place, RunOptions, Whole, demand_sensible,
    feed_of_source, has_servers_files, no_directory, rights, same_file,
};
use crate::error::{Error, Result, Status};
use crate::feed::{Access, Feed, Options, changed, lock_within};
use crate::query::{Aggregate, Meta, Point, census, meta};
use rustix::fs::{Advice, FlockOperation, Stat, fadvise, flock};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How often a feed that changes meanwhile is begun again.
const ATTEMPTS: u32 = 4;

/// The engines whose files can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Rows of a time and a value: `feed_7.MYD`.
    PhpTimeSeries,
    /// Values at a fixed interval: `7.dat` and `7.meta`.
    PhpFina,
}

impl Engine {
    /// Its number in emoncms.
    pub fn number(self) -> u32 {
        match self {
            Engine::PhpTimeSeries => 2,
            Engine::PhpFina => 5,
        }
    }

    /// As emoncms calls it.
    pub fn name(self) -> &'static str {
        match self {
            Engine::PhpTimeSeries => "PHPTimeSeries",
            Engine::PhpFina => "PHPFina",
        }
    }
}

/// Which feeds are converted, to what, and what may be lost.
#[derive(Clone, Debug)]
pub struct ConvertOptions {
    /// To the files of which engine.
    pub engine: Engine,
    /// What the names of feed tables begin with; a number follows.
    pub prefix: String,
    /// If there are any, only feeds that one of them matches, as in
    /// [`RunOptions`].
    pub only: Vec<String>,
    /// Feeds that one of these matches are left out.
    pub exclude: Vec<String>,
    /// Seconds between two values of PHPFina; if none are given, they are found
    /// out.
    pub interval: Option<u32>,
    /// How readings of one slot become one value.
    pub aggregate: Aggregate,
    /// Time of the first reading to take.
    pub start: Option<i64>,
    /// Time of the last.
    pub end: Option<i64>,
    /// Whether something may be lost.
    pub allow_loss: bool,
    /// Whether files may be nearly empty.
    pub allow_sparse: bool,
    /// Write nothing.
    pub dry_run: bool,
}

impl ConvertOptions {
    /// All feeds, without any loss.
    pub fn to(engine: Engine) -> ConvertOptions {
        ConvertOptions {
            engine,
            prefix: "feed_".into(),
            only: Vec::new(),
            exclude: Vec::new(),
            interval: None,
            aggregate: Aggregate::Last,
            start: None,
            end: None,
            allow_loss: false,
            allow_sparse: false,
            dry_run: false,
        }
    }

    fn demand_sensible(&self) -> Result<()> {
        let refuse = |why: String| Err(Error::new(Status::Argument, why));
        if self.interval == Some(0) {
            return refuse("an interval must be at least 1 second".into());
        }
        if self.aggregate == Aggregate::Count {
            return refuse("the number of readings is no reading".into());
        }
        if self.engine == Engine::PhpTimeSeries
            && (self.interval.is_some() || self.aggregate != Aggregate::Last)
        {
            return refuse(
                "PHPTimeSeries keeps every reading at its own time: an interval, and what \
                 becomes of the readings in it, are for PHPFina"
                    .into(),
            );
        }
        match (self.start, self.end) {
            (Some(start), Some(end)) if end < start => refuse(format!(
                "the end ({end}) is before the start ({start}): nothing lies between"
            )),
            _ => Ok(()),
        }
    }
}

/// Feeds to be converted.
pub struct Convert {
    /// The directory of the feeds.
    source: PathBuf,
    to: Folder,
    target: PathBuf,
    /// Of a source that is a destination of backups.
    whole: Option<Whole>,
    feeds: Vec<FeedName>,
    left_out: u64,
    rights: Stat,
    options: ConvertOptions,
}

/// What was converted.
#[derive(Clone, Debug)]
pub struct Converted {
    /// As it was carried out: where the feed was written to since it was looked
    /// at, this is another one.
    pub plan: Plan,
    /// Rows or slots that were read again and are what the feed says.
    pub compared: u64,
    /// Readings that came in meanwhile, and are left out.
    pub later: u64,
    /// User and group that the files should have and could not be given.
    pub owner: Option<(u32, u32)>,
}

/// A try to write a feed.
enum Attempt {
    Done(Box<Converted>),
    /// What was written is not what the feed holds by now.
    Outdated(Error),
    Stopped,
}

/// Is told how many rows were read, and answers whether to go on.
type Progress<'p> = &'p mut dyn FnMut(u64) -> bool;

impl Convert {
    /// Looks at a feed's file (`feed_7.MYD`) or a directory of feeds, and at the
    /// directory that theirs are to be in. Nobody else's conversion goes on there
    /// then, and what one that was killed left is removed.
    pub fn open(
        source: &Path,
        target: &Path,
        options: ConvertOptions,
    ) -> Result<Convert> {
        options.demand_sensible()?;
        let wanted = RunOptions {
            prefix: options.prefix.clone(),
            only: options.only.clone(),
            exclude: options.exclude.clone(),
            ..RunOptions::default()
        };
        demand_sensible(&wanted)?;
        let metadata = std::fs::metadata(source);
        let is_directory =
            metadata.map_err(|e| Error::io("inspect", source, e))?.is_dir();
        let directory = match is_directory {
            true => source,
            false => source.parent().unwrap_or(Path::new("")),
        };
        let from = Folder::open(directory)?.ok_or_else(|| no_directory(directory))?;
        let all = match is_directory {
            true => from.names()?,
            false => source.file_name().map(OsStr::to_owned).into_iter().collect(),
        };
        let named = |name: &OsString| feed_of_source(Path::new(name), &options.prefix);
        let all: BTreeSet<FeedName> = all.iter().filter_map(named).collect();
        let is_table = |feed: &FeedName| feed.file().ends_with(".MYD");
        let left_out = all.iter().filter(|feed| !is_table(feed)).count() as u64;
        let has_tables = all.iter().any(is_table);
        let feeds: Vec<FeedName> = all
            .into_iter()
            .filter(|feed| is_table(feed) && feed.is_selected(&wanted))
            .collect();
        if feeds.is_empty() {
            return Err(nothing_here(
                has_tables,
                left_out,
                is_directory,
                &options.prefix,
            )
            .at(source));
        }
        let to = Folder::open(target)?.ok_or_else(|| {
            Error::new(
                Status::NotFound,
                "there is no such directory: make it, as the user that emoncms runs as",
            )
            .at(target)
        })?;
        demand_target(&from, &to, target)?;
        let whole = Whole::open(&from)?;
        let rights = rights(&to)?;
        let convert = Convert {
            source: directory.to_owned(),
            to,
            target: target.to_owned(),
            whole,
            feeds,
            left_out,
            rights,
            options,
        };
        let same = convert.feeds.windows(2).find(|pair| {
            let [one, other] = [&pair[0], &pair[1]].map(|feed| convert.files(feed));
            one == other
        });
        if let Some(pair) = same {
            return Err(Error::new(
                Status::Argument,
                format!(
                    "{} and {} would have the same files: leave one of them out",
                    pair[0].file(),
                    pair[1].file()
                ),
            )
            .at(source));
        }
        if !convert.options.dry_run {
            convert.lock()?;
            convert.sweep()?;
        }
        Ok(convert)
    }

    /// Locks the target. The lock is the directory's own, so that no file is left;
    /// file systems without such locks go without.
    fn lock(&self) -> Result<()> {
        // One that was killed may be about to end.
        const PATIENCE: Duration = Duration::from_millis(200);
        let operation = FlockOperation::NonBlockingLockExclusive;
        match lock_within(&self.to, operation, PATIENCE) {
            Ok(false) => Err(Error::new(
                Status::Locked,
                "another conversion is writing to this directory",
            )
            .at(&self.target)),
            Ok(true) | Err(Errno::BADF) => Ok(()),
            Err(e) => Err(Error::io("lock", &self.target, e.into())),
        }
    }

    /// Removes what a conversion that was killed left.
    fn sweep(&self) -> Result<()> {
        for name in self.to.names()? {
            let Some(file) = file_of_partial(&name) else { continue };
            // One of a `.dat` whose `.meta` had its name already.
            if file.as_bytes().ends_with(b".dat") {
                let meta = OsString::from(Path::new(&file).with_extension("meta"));
                if self.is_left_over(&meta)? {
                    self.to.remove(&meta)?;
                }
            }
            self.to.remove_left(&name)?;
        }
        Ok(())
    }

    /// Whether a `.meta` was given its name by a conversion that was killed before
    /// its `.dat` got it. Alone it tells emoncms of no feed.
    fn is_left_over(&self, meta: &OsStr) -> Result<bool> {
        let data = OsString::from(Path::new(meta).with_extension("dat"));
        Ok(self.to.stat(&data)?.is_none()
            && self.to.stat(&partial_name(&data))?.is_some())
    }

    /// The feeds, by number.
    pub fn feeds(&self) -> &[FeedName] {
        &self.feeds
    }

    /// Feeds of PHPFina in the source, which are what they are.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// Fails if there is not room for so many bytes.
    pub fn demand_room(&self, bytes: u64) -> Result<()> {
        let free = self.to.free_bytes()?;
        if bytes <= free {
            return Ok(());
        }
        Err(Error::new(
            Status::Io,
            format!("the feeds take {bytes} bytes, and only {free} are free here"),
        )
        .at(&self.target))
    }

    /// The names of the files of a feed at the target, that of its readings last.
    pub fn files(&self, feed: &FeedName) -> Vec<String> {
        // As emoncms writes numbers.
        let number = match feed.number().trim_start_matches('0') {
            "" => "0",
            number => number,
        };
        match self.options.engine {
            Engine::PhpTimeSeries => vec![format!("feed_{number}.MYD")],
            Engine::PhpFina => vec![format!("{number}.meta"), format!("{number}.dat")],
        }
    }

    /// Fails if there is something where a feed's files are to be.
    fn demand_free(&self, feed: &FeedName) -> Result<()> {
        let mut names: Vec<OsString> =
            self.files(feed).into_iter().map(OsString::from).collect();
        if self.options.engine == Engine::PhpTimeSeries {
            // A definition beside it would be taken for that of these rows.
            let place = Place { folder: &self.to, name: &names[0].clone() };
            let suffixes = place.definition_suffixes()?;
            names.extend(suffixes.iter().map(|suffix| place.sibling(suffix)));
        }
        for name in names {
            if self.to.stat(&name)?.is_some() && !self.is_left_over(&name)? {
                return Err(Error::new(
                    Status::Destination,
                    "this is there already, and nothing is overwritten: move it away, or leave \
                     the feed out by --exclude",
                )
                .at(&self.target.join(name)));
            }
        }
        Ok(())
    }

    /// Finds out what would become of a feed. `None` if it was told to stop.
    pub fn plan(&self, feed: &FeedName, progress: Progress) -> Result<Option<Plan>> {
        self.demand_free(feed)?;
        if let Some(whole) = &self.whole {
            whole.demand(feed)?;
        }
        let source = self.open_feed(feed)?;
        for _ in 0..ATTEMPTS {
            match self.look(&source, progress) {
                Ok(Looked::Planned(plan)) => return Ok(Some(*plan)),
                Ok(Looked::Stopped) => return Ok(None),
                Ok(Looked::Changed) => {}
                Err(error) if error.status() == Status::Changed => {}
                Err(error) => return Err(error),
            }
        }
        Err(changed().at(source.path()))
    }

    fn open_feed(&self, feed: &FeedName) -> Result<Feed> {
        let options =
            Options { access: Access::Pread, no_follow: true, ..Options::default() };
        Feed::open_with(self.source.join(feed.file()), options)
    }

    /// Reads all readings, to see what becomes of them.
    fn look(&self, source: &Feed, progress: Progress) -> Result<Looked> {
        let Meta { histogram, value_type, .. } = meta(source)?;
        if histogram {
            return Err(Error::new(
                Status::NotAFeed,
                "this is a histogram (it has a column data2), which the file engines cannot hold",
            )
            .at(source.path()));
        }
        let drops_before_1970 = self.options.start.is_none_or(|start| start < 0);
        let from = self.options.start.unwrap_or(0).max(0);
        let end = self.options.end.unwrap_or(i64::MAX).min(u32::MAX.into());
        let census = census(source, from, end)?;
        let until = census.span.map_or(from - 1, |(_, last)| last);
        let Some((form, detected)) = self.form(source, from, until, progress)? else {
            return Ok(Looked::Stopped);
        };
        let mut encoder = Encoder::new(form, value_type.starts_with("BIGINT"), Nowhere);
        if !rows::each(source, from, until, progress, |reading| encoder.take(reading))? {
            return Ok(Looked::Stopped);
        }
        let (figures, Nowhere) = encoder.finish()?;
        if figures.readings != census.within {
            return Ok(Looked::Changed);
        }
        Ok(Looked::Planned(Box::new(Plan {
            census,
            figures,
            value_type,
            detected,
            from,
            until,
            form,
            drops_before_1970,
        })))
    }

    /// What is written of readings in a range of time; the interval, if none is
    /// given, by the gaps between them.
    fn form(
        &self,
        source: &Feed,
        from: i64,
        until: i64,
        progress: Progress,
    ) -> Result<Option<(Form, Option<Detected>)>> {
        let ConvertOptions { engine, interval, aggregate, .. } = self.options;
        match (engine, interval) {
            (Engine::PhpTimeSeries, _) => Ok(Some((Form::Rows, None))),
            (Engine::PhpFina, Some(interval)) => {
                Ok(Some((Form::Slots { interval, aggregate }, None)))
            }
            (Engine::PhpFina, None) => {
                let mut gaps = Gaps::new();
                let take = |reading: Point| {
                    gaps.take(reading.time);
                    Ok(())
                };
                if !rows::each(source, from, until, progress, take)? {
                    return Ok(None);
                }
                let found = gaps.interval();
                let found =
                    found.ok_or_else(|| no_interval(gaps.best()).at(source.path()))?;
                let form = Form::Slots { interval: found.interval, aggregate };
                Ok(Some((form, Some(found))))
            }
        }
    }

    /// Writes a feed, compares what was written with it, and gives it its name.
    /// `None` if it was told to stop; nothing is left then.
    ///
    /// A feed that was written to since it was planned is planned again; if
    /// something would be lost that would not have been before, it fails.
    pub fn carry_out(
        &self,
        feed: &FeedName,
        plan: &Plan,
        progress: Progress,
    ) -> Result<Option<Converted>> {
        self.demand_allowed(plan)?;
        let source = self.open_feed(feed)?;
        let mut plan = plan.clone();
        let mut outdated = None;
        for _ in 0..ATTEMPTS {
            if outdated.is_some() {
                match self.plan(feed, progress)? {
                    Some(again) => plan = again,
                    None => return Ok(None),
                }
                self.demand_allowed(&plan)?;
            }
            match self.attempt(feed, &source, &plan, progress) {
                Ok(Attempt::Done(converted)) => return Ok(Some(*converted)),
                Ok(Attempt::Stopped) => return Ok(None),
                Ok(Attempt::Outdated(error)) => outdated = Some(error),
                Err(error) if error.status() == Status::Changed => {
                    outdated = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(outdated.unwrap_or_else(changed).at(source.path()))
    }

    fn demand_allowed(&self, plan: &Plan) -> Result<()> {
        let ConvertOptions { allow_loss, allow_sparse, .. } = self.options;
        match plan.objection(allow_loss, allow_sparse) {
            Some(objection) => {
                Err(Error::new(Status::Destination, objection.to_string()))
            }
            None => Ok(()),
        }
    }

    fn attempt(
        &self,
        feed: &FeedName,
        source: &Feed,
        plan: &Plan,
        progress: Progress,
    ) -> Result<Attempt> {
        let mut owner = None;
        let mut partials = Vec::new();
        for name in self.files(feed) {
            let name = OsString::from(name);
            let partial = Partial::create_as(&self.to, partial_name(&name))?;
            let path = partial.path();
            let mut writer = Writer::new(&partial.file, &path);
            match plan.interval() {
                Some(interval) if name.as_bytes().ends_with(b".meta") => {
                    let start = u32::try_from(plan.figures.start).unwrap_or(0);
                    writer.put(&file::meta(interval, start))?;
                }
                _ => {
                    let is_big = plan.value_type.starts_with("BIGINT");
                    let mut encoder = Encoder::new(plan.form, is_big, writer);
                    let goes_on =
                        rows::each(source, plan.from, plan.until, progress, |reading| {
                            encoder.take(reading)
                        })?;
                    if !goes_on {
                        return Ok(Attempt::Stopped);
                    }
                    let figures;
                    (figures, writer) = encoder.finish()?;
                    if figures != plan.figures {
                        return Ok(Attempt::Outdated(changed()));
                    }
                }
            }
            writer.flush()?;
            owner = partial.finish(&self.rights)?;
            release(&partial)?;
            partials.push((name, partial));
        }
        let Some((_, data)) = partials.last() else {
            return Err(Error::new(Status::Internal, "a feed without files"));
        };
        let path = data.path();
        let checked = match plan.form {
            Form::Rows => check::rows(source, &path, plan, progress)?,
            Form::Slots { interval, aggregate } => {
                check::slots(source, &path, plan, interval, aggregate, progress)?
            }
        };
        let compared = match checked {
            Checked::Same(compared) => compared,
            Checked::Stopped => return Ok(Attempt::Stopped),
            Checked::Different(what) => {
                return Ok(Attempt::Outdated(Error::new(
                    Status::Changed,
                    format!(
                        "what was read back is not what the feed holds ({what}), each time anew: \
                         stop what writes to it; if nothing does, the disk of {} is failing",
                        self.target.display()
                    ),
                )));
            }
        };
        let end = self.options.end.unwrap_or(i64::MAX).min(u32::MAX.into());
        let later = census(source, plan.until + 1, end)?.within;
        // From here on only the target matters.
        self.publish(partials)?;
        let converted = Converted { plan: plan.clone(), compared, later, owner };
        Ok(Attempt::Done(Box::new(converted)))
    }

    /// Gives files their names. A `.dat` without `.meta` would be taken for that
    /// of a feed that emoncms makes anew; a `.meta` alone for nothing.
    fn publish(&self, partials: Vec<(OsString, Partial)>) -> Result<()> {
        let mut published: Vec<OsString> = Vec::new();
        for (name, mut partial) in partials {
            let named = partial.publish_new(&name).and_then(|is_new| match is_new {
                true => {
                    published.push(name.clone());
                    self.to.sync()
                }
                false => Err(Error::new(
                    Status::Destination,
                    "somebody put this there meanwhile",
                )
                .at(&self.target.join(&name))),
            });
            if let Err(error) = named {
                for name in published.iter().rev() {
                    // Should that fail, the error that is told is the first.
                    let _ = self.to.remove(name);
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

/// What looking at a feed gave.
enum Looked {
    Planned(Box<Plan>),
    /// It was written to meanwhile.
    Changed,
    Stopped,
}

/// The name that a file has until it is whole. Readers of feeds go by its end.
fn partial_name(file: &OsStr) -> OsString {
    let path = Path::new(file);
    let mut name = OsString::from(".");
    name.push(path.file_stem().unwrap_or_default());
    name.push(".converted.");
    name.push(path.extension().unwrap_or_default());
    name
}

/// The file that has this name until it is whole.
fn file_of_partial(name: &OsStr) -> Option<OsString> {
    let name = name.to_str()?;
    let (stem, extension) = name.strip_prefix('.')?.split_once(".converted.")?;
    let file = format!("{stem}.{extension}");
    let of_table = FeedName::of_file(&file, "feed_").is_some();
    let is_meta = extension == "meta"
        && FeedName::of_file(&format!("{stem}.dat"), "feed_").is_some();
    (of_table || is_meta).then(|| file.into())
}

/// Lets readers at a file that is written, and has them read it from the disk.
fn release(partial: &Partial) -> Result<()> {
    match flock(&partial.file, FlockOperation::Unlock) {
        Ok(()) | Err(Errno::NOLCK | Errno::OPNOTSUPP | Errno::NOSYS) => {}
        Err(e) => return Err(Error::io("unlock", &partial.path(), e.into())),
    }
    // A hint.
    let _ = fadvise(&partial.file, 0, None, Advice::DontNeed);
    Ok(())
}

fn demand_target(from: &Folder, to: &Folder, target: &Path) -> Result<()> {
    let refuse = |status, why| Err(Error::new(status, why).at(target));
    if same_file(&from.identity()?, &to.identity()?) {
        return refuse(Status::Argument, "source and target are the same directory");
    }
    if Catalog::is_in(to)? {
        return refuse(
            Status::Destination,
            "this is a directory of copies (it has a catalog), which only `emonfeed backup` \
             writes to",
        );
    }
    let is_table =
        |name: &OsString| name == "db.opt" || name.as_bytes().ends_with(b".MYI");
    if has_servers_files(to)? || to.names()?.iter().any(is_table) {
        return refuse(
            Status::Destination,
            "this is a directory of a database server, and no datadir of a file engine",
        );
    }
    Ok(())
}

/// Says why there is nothing to convert.
fn nothing_here(
    has_tables: bool,
    left_out: u64,
    is_directory: bool,
    prefix: &str,
) -> Error {
    let why = match (has_tables, left_out, is_directory) {
        (true, _, _) => "there are feeds here, but none that was asked for".to_owned(),
        (false, 0, true) => {
            format!("there is no feed here ({prefix}<number>.MYD)")
        }
        (false, 0, false) => format!(
            "its name tells of no feed ({prefix}<number>.MYD): say what table names begin with \
             by --prefix"
        ),
        (false, _, _) => "what is here is PHPFina's already".to_owned(),
    };
    Error::new(Status::NotFound, why)
}

fn no_interval(best: Option<Detected>) -> Error {
    let why = match best {
        Some(found) => format!(
            "its readings come at no regular interval (the most gaps between them, {:.0} %, are \
             of about {} s)",
            found.percent(),
            found.interval
        ),
        None => "it has too few readings to tell their interval".to_owned(),
    };
    Error::new(Status::Argument, format!("{why}: choose one with --interval"))
}
