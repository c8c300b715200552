//! One table held open: its files, and what they say at this moment.

use super::Options;
use super::files::{self, Identity, Paths};
use super::state::{Stamp, State, order_reads};
use crate::error::{Error, Result, Status};
use crate::myisam::{self, Definition, HEAD_MAX, Header, Layout};
use rustix::fs::{Advice, fadvise};
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Enough for the head of every feed seen: one read finds it whole.
const HEAD_GUESS: usize = 2048;

/// A definition file is a few kilobytes; a larger one is something else.
const MAX_DEFINITION: u64 = 4 << 20;

/// How the rows are described.
#[derive(Debug)]
enum Description {
    /// A table of a server: the `.MYI` vouches for the rows.
    Indexed { index: File, index_id: Identity, layout: Layout },
    /// A copy: the definition is there, the `.MYI` is not.
    Copy(Layout),
    /// Rows and nothing else: PHPTimeSeries, or the old backup script.
    Bare,
}

/// A table's `.frm` or `.sdi`.
#[derive(Debug)]
pub struct DefinitionFile {
    /// Where it is.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
    stamp: Stamp,
}

/// A table's files, held open.
#[derive(Debug)]
pub struct Table {
    paths: Paths,
    data: File,
    data_id: Identity,
    description: Description,
    definition: Option<DefinitionFile>,
}

impl Table {
    /// Opens the table whose rows are in `paths.data`. While a server rebuilds
    /// or truncates it, files are missing or short for a moment: a caller that
    /// would wait that out goes by `may_pass`.
    pub fn open(paths: &Paths, options: &Options) -> Result<Table> {
        let (data, meta) = files::open(&paths.data, options.no_follow)?
            .ok_or_else(|| paths.explain_missing())?;
        let data_id = Identity::of(&meta);
        let index = match files::open(&paths.index, options.no_follow)? {
            Some((index, meta)) => {
                // Nothing but its head is ever read. A hint.
                let _ = fadvise(&index, 0, None, Advice::Random);
                // Before the columns: its refusals say more than theirs.
                let header = read_header(&index)
                    .and_then(|header| header.check().map(|()| header))
                    .map_err(|e| e.at(&paths.index))?;
                Some((index, Identity::of(&meta), header))
            }
            None => None,
        };
        let definition = Self::find_definition(paths, options)?;
        let missing = |path: &Path, message: &str| {
            Err(Error::new(Status::MissingDefinition, message).at(path))
        };
        let (description, definition) = match (index, definition) {
            (Some((index, index_id, header)), Some((definition, file))) => {
                let layout =
                    Layout::new(&header, &definition).map_err(|e| e.at(&file.path))?;
                (Description::Indexed { index, index_id, layout }, Some(file))
            }
            (Some(_), None) => {
                return missing(
                    &paths.frm,
                    "no such file, nor an .sdi, so nothing names the table's columns: restore \
                     it beside the .MYI, or remove that if the .MYD is a bare copy",
                );
            }
            (None, _) if paths.in_database() => {
                return missing(
                    &paths.index,
                    "no such file, though this is a database directory (it has a db.opt): \
                     without the index's header nothing says which rows are committed; REPAIR \
                     TABLE … USE_FRM makes a new one",
                );
            }
            (None, Some((definition, file))) => {
                let layout =
                    Layout::of_copy(&definition).map_err(|e| e.at(&file.path))?;
                (Description::Copy(layout), Some(file))
            }
            (None, None) => (Description::Bare, None),
        };
        Ok(Table { paths: paths.clone(), data, data_id, description, definition })
    }

    fn find_definition(
        paths: &Paths,
        options: &Options,
    ) -> Result<Option<(Definition, DefinitionFile)>> {
        let (path, opened) = match files::open(&paths.frm, options.no_follow)? {
            Some(opened) => (paths.frm.clone(), opened),
            None => {
                let Some(sdi) = paths.find_sdi()? else { return Ok(None) };
                match files::open(&sdi, options.no_follow)? {
                    Some(opened) => (sdi, opened),
                    None => return Ok(None),
                }
            }
        };
        let (file, meta) = opened;
        let is_frm = path == paths.frm;
        let parse = || {
            if meta.len() > MAX_DEFINITION {
                return Err(Error::new(
                    Status::Damaged,
                    format!("{} bytes are too many for a table definition", meta.len()),
                ));
            }
            let mut bytes = vec![0; meta.len() as usize];
            file.read_exact_at(&mut bytes, 0).map_err(|e| Error::io("read", &path, e))?;
            let definition = if is_frm {
                myisam::parse_frm(&bytes)
            } else {
                myisam::parse_sdi(&bytes)
            };
            definition.map(|definition| (definition, bytes))
        };
        let (definition, bytes) = parse().map_err(|e| e.at(&path))?;
        Ok(Some((definition, DefinitionFile { path, bytes, stamp: Stamp::of(&meta) })))
    }

    /// The path of the rows.
    pub fn path(&self) -> &Path {
        &self.paths.data
    }

    /// The file of the rows.
    pub fn data(&self) -> &File {
        &self.data
    }

    /// Which file that is.
    pub fn identity(&self) -> Identity {
        self.data_id
    }

    /// The table's `.frm` or `.sdi`, if it has one.
    pub fn definition(&self) -> Option<&DefinitionFile> {
        self.definition.as_ref()
    }

    /// Whether rows are written under `flock`: PHPTimeSeries does so, a
    /// server does not.
    pub fn is_locked_by_writers(&self) -> bool {
        !matches!(self.description, Description::Indexed { .. })
    }

    /// Whether the paths still lead to the files held open.
    pub fn is_current(&self) -> Result<bool> {
        let index = match &self.description {
            Description::Indexed { index_id, .. } => Some(*index_id),
            Description::Copy(_) | Description::Bare => None,
        };
        if Identity::at(&self.paths.data)? != Some(self.data_id)
            || Identity::at(&self.paths.index)? != index
        {
            return Ok(false);
        }
        match &self.definition {
            Some(DefinitionFile { path, stamp, .. }) => match path.metadata() {
                Ok(meta) => Ok(Stamp::of(&meta) == *stamp),
                Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
                Err(e) => Err(Error::io("inspect", path, e)),
            },
            None => Ok(Identity::at(&self.paths.frm)?.is_none()),
        }
    }

    /// What the files say now, in as few system calls as can be: `None` if
    /// the paths lead elsewhere now. The head of the `.MYI` is read once, so
    /// that it may be half old, half new: a state that is equal to one that
    /// [`Table::state`] gave can be trusted, any other cannot.
    pub(super) fn glance(&self) -> Result<Option<State>> {
        order_reads();
        let Description::Indexed { index, index_id, layout } = &self.description else {
            return Ok(None);
        };
        let header = read_header_once(index)?;
        let (Ok(index), Ok(data)) =
            (self.paths.index.metadata(), self.paths.data.metadata())
        else {
            return Ok(None);
        };
        let same_definition = match &self.definition {
            Some(DefinitionFile { path, stamp, .. }) => {
                path.metadata().is_ok_and(|meta| Stamp::of(&meta) == *stamp)
            }
            None => false,
        };
        if Identity::of(&index) != *index_id
            || Identity::of(&data) != self.data_id
            || !same_definition
        {
            return Ok(None);
        }
        glanced(header, &index, &data, layout).map(Some)
    }

    /// The same of the files held open, wherever the paths lead by now. A file
    /// that has lost its name says so by its times.
    pub(super) fn glance_at_open(&self) -> Result<Option<State>> {
        order_reads();
        let Description::Indexed { index, layout, .. } = &self.description else {
            return Ok(None);
        };
        let header = read_header_once(index)?;
        let (Ok(index), Ok(data)) = (index.metadata(), self.data.metadata()) else {
            return Ok(None);
        };
        glanced(header, &index, &data, layout).map(Some)
    }

    /// What the files say now. The header is read before the rows' size: on
    /// every host a row is in the file before a header that counts it.
    pub fn state(&self) -> Result<State> {
        order_reads();
        let in_index = |e: Error| e.at(&self.paths.index);
        let (index, layout) = match &self.description {
            Description::Indexed { index, layout, .. } => {
                let header = read_header(index).map_err(in_index)?;
                header.check().map_err(in_index)?;
                if header.stride as usize != layout.stride() {
                    return Err(changed().at(&self.paths.index));
                }
                let meta = index
                    .metadata()
                    .map_err(|e| Error::io("inspect", &self.paths.index, e))?;
                (Some((header, Stamp::of(&meta))), Some(layout.clone()))
            }
            Description::Copy(layout) => (None, Some(layout.clone())),
            Description::Bare => (None, None),
        };
        let meta = self
            .data
            .metadata()
            .map_err(|e| Error::io("inspect", &self.paths.data, e))?;
        State::new(Stamp::of(&meta), index, layout).map_err(|e| e.at(&self.paths.data))
    }
}

/// What one look found.
fn glanced(
    header: Header,
    index: &Metadata,
    data: &Metadata,
    layout: &Layout,
) -> Result<State> {
    let index = (header, Stamp::of(index));
    State::new(Stamp::of(data), Some(index), Some(layout.clone()))
}

/// The error for what was given up after retries.
pub fn changed() -> Error {
    Error::new(
        Status::Changed,
        "the file changed while it was read, each time anew; ask again when its writer is done",
    )
}

/// Whether an error, met so many times in a row before, is one that a server
/// causes for a moment when it rebuilds or truncates a table: of that kind, and
/// files were touched just now.
pub fn may_pass(error: &Error, paths: &Paths, before: u32) -> bool {
    match error.status() {
        Status::Changed => true,
        Status::Damaged | Status::BadRow | Status::MissingDefinition => {
            paths.recently_touched()
        }
        Status::NotFound | Status::Engine => {
            paths.may_come_back() && paths.recently_touched()
        }
        // These stay until somebody repairs the table, but a head that is
        // being rewritten can look like either for microseconds.
        Status::Crashed | Status::PhaseShifted => before < 3 && paths.recently_touched(),
        _ => false,
    }
}

/// Reads the head of a `.MYI` until two reads in a row agree, since the
/// server may be writing it.
fn read_header(index: &File) -> Result<Header> {
    let mut first = Vec::new();
    let mut second = Vec::new();
    read_head(index, &mut first)?;
    for _ in 0..16 {
        read_head(index, &mut second)?;
        if first == second {
            return Header::parse(&first);
        }
        std::mem::swap(&mut first, &mut second);
    }
    Err(changed())
}

/// Reads the head of a `.MYI` as it is at this moment, which may be half old,
/// half new.
pub fn read_header_once(index: &File) -> Result<Header> {
    let mut head = Vec::new();
    read_head(index, &mut head)?;
    Header::parse(&head)
}

fn read_head(index: &File, into: &mut Vec<u8>) -> Result<()> {
    let cannot = |e| Error::new(Status::Io, format!("cannot read the index header: {e}"));
    into.resize(HEAD_GUESS, 0);
    let mut have = read_up_to(index, into, 0).map_err(cannot)?;
    if let Some(length) = Header::length(&into[..have]).filter(|length| *length > have) {
        into.resize(length.min(HEAD_MAX), 0);
        have += read_up_to(index, &mut into[have..], have as u64).map_err(cannot)?;
    } else if let Some(length) = Header::length(&into[..have]) {
        have = length;
    }
    into.truncate(have);
    Ok(())
}

/// Fills as much of `into` as the file has from `offset` on.
pub fn read_up_to(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match file.read_at(&mut into[done..], offset + done as u64) {
            Ok(0) => break,
            Ok(n) => done += n,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(done)
}
