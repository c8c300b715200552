//! A feed's rows as they were at one moment.

use super::cursor::Cursor;
use super::growth::{Evidence, Growth, Proof, Token};
use super::keep;
use super::map::Mapping;
use super::order::Order;
use super::scan::scan;
use super::source::{Bytes, Source};
use super::state::{LONGEST_PAUSE, State};
use super::table::{Table, changed};
use super::{Access, Options};
use crate::error::{Error, Result, Status};
use crate::myisam::{Header, Layout};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

/// What was found out about a table in one [`State`] of it.
#[derive(Debug)]
pub(super) struct View {
    state: State,
    layout: Layout,
    source: Source,
    known: Known,
}

/// What is known of the rows.
#[derive(Clone, Debug)]
struct Known {
    order: Order,
    /// What the files said then.
    token: Token,
    /// Whether the same again means the same rows.
    settled: bool,
    /// Whether all rows were read for it.
    was_read: bool,
    /// Whether the files held still while rows were read for it, the disk
    /// brought all of them, and there were as many as the header says.
    sound: bool,
    /// The checksum of the rows as they were read, if the table keeps one.
    sum: Option<u32>,
    /// The last time it was kept in a file.
    kept: Option<Kept>,
}

/// A summary in a file.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The slots it is about; 0 if it is about what was overwritten since.
    slots: u64,
    /// When this process wrote it, if it did.
    written: Option<Instant>,
}

impl View {
    /// Finds out about the rows of `table`, taking over from an earlier view,
    /// or from a kept summary, what still serves. Unless it `trusts` these,
    /// all rows are read.
    pub(super) fn build(
        table: &Table,
        state: State,
        options: &Options,
        earlier: Option<Arc<View>>,
        trusts: bool,
    ) -> Result<View> {
        let now = SystemTime::now();
        let settled = state.is_settled(now);
        let bytes_of = |layout: &Layout| state.slots * layout.stride() as u64;
        let provisional = state.layout.clone().unwrap_or_else(|| Layout::bare(true));
        let len = bytes_of(&provisional);
        let source = match options.access {
            Access::Pread => Source::File,
            Access::Mmap => map(table, len, earlier.as_deref())?,
        };
        let bytes = || Bytes::new(&source, table.data(), table.path(), len);
        let layout = match &state.layout {
            Some(layout) => layout.clone(),
            None => bare_layout(&bytes(), &provisional, state.slots, table)?,
        };
        let token = Token::of(&state, &layout);
        let keep = options.keep.as_deref().filter(|_| state.slots >= keep::WORTHWHILE);
        let before = match earlier {
            Some(view) => Some(Known::of(view)),
            None => keep
                .and_then(|folder| Known::kept(folder, table.path(), options.evidence)),
        };
        let earlier_kept = before.as_ref().and_then(|known| known.kept);
        let before = before.filter(|_| trusts);
        let carried_over = match before {
            Some(known) => known.carry_over(&token, &bytes(), &layout, options, table)?,
            None => None,
        };
        let mut known = match carried_over {
            Some(known) => known,
            None => {
                let (order, dead, sum) = find(bytes(), &layout, &state, table)?;
                let agrees = state.header().is_none_or(|header| header.deleted == dead);
                if !agrees && !state.is_at_rest_for(LONGEST_PAUSE, now) {
                    // A statement uses the slot of a deleted row, or deletes
                    // one, and has not ended.
                    return Err(changed().at(table.path()));
                }
                let kept = earlier_kept.map(|kept| Kept { slots: 0, ..kept });
                Known { order, token, settled, was_read: true, sound: agrees, sum, kept }
            }
        };
        known.settled = settled;
        known.sound &= source.is_intact() && table.state().is_ok_and(|now| now == state);
        if let Some(folder) =
            keep.filter(|_| known.is_worth_keeping(&state, options, now))
        {
            let evidence = options.evidence;
            keep::save(folder, table.path(), evidence, &known.token, &known.order);
            known.kept = Some(Kept { slots: state.slots, written: Some(Instant::now()) });
        }
        Ok(View { state, layout, source, known })
    }

    /// Whether all rows were read for it.
    pub(super) fn was_read(&self) -> bool {
        self.known.was_read
    }

    /// Whether this view still holds in `state`, for the calling thread.
    pub(super) fn holds(&self, state: &State) -> bool {
        self.known.settled && self.state == *state && self.is_intact() && self.is_safe()
    }

    /// Memory held besides the mapping, in bytes.
    pub(super) fn footprint(&self) -> usize {
        self.known.order.footprint()
    }

    /// Addresses that the mapping takes, in bytes.
    pub(super) fn mapped(&self) -> u64 {
        match &self.source {
            Source::Mapped(mapping) => mapping.len(),
            Source::File => 0,
        }
    }

    /// Whether all that was read of the mapping was there.
    pub(super) fn is_intact(&self) -> bool {
        self.source.is_intact()
    }

    /// The verdict when the files say what they said.
    fn unchanged(&self) -> Verdict {
        if self.known.settled { Verdict::Same } else { Verdict::Unsettled }
    }

    fn is_safe(&self) -> bool {
        matches!(self.source, Source::File) || Mapping::is_safe()
    }
}

impl Known {
    fn of(view: Arc<View>) -> Known {
        Arc::try_unwrap(view).map_or_else(|view| view.known.clone(), |view| view.known)
    }

    fn kept(folder: &Path, feed: &Path, evidence: Evidence) -> Option<Known> {
        let (token, order) = keep::load(folder, feed, evidence)?;
        let kept = Some(Kept { slots: token.slots(), written: None });
        // Nothing else is kept: see `is_worth_keeping`.
        let sum = token.checksum();
        Some(Known {
            order,
            token,
            settled: true,
            was_read: false,
            sound: true,
            sum,
            kept,
        })
    }

    /// What is known of the rows now, if there is proof that they only were
    /// added to.
    fn carry_over(
        self,
        now: &Token,
        bytes: &Bytes,
        layout: &Layout,
        options: &Options,
        table: &Table,
    ) -> Result<Option<Known>> {
        let Some(Growth { slots, proof }) = self.token.growth(now, options.evidence)
        else {
            return Ok(None);
        };
        if !self.sound || (slots.is_empty() && !self.settled) {
            return Ok(None);
        }
        let mut sum = self.sum.unwrap_or(0);
        let order = self.order.extended(bytes, layout, slots, table.path(), |rows| {
            if let Proof::Checksum { skip_nulls, .. } = proof {
                sum = sum.wrapping_add(layout.checksum(rows, skip_nulls));
            }
        })?;
        let proved = match proof {
            Proof::Given => true,
            Proof::Checksum { sum: wanted, .. } => self.sum.is_some() && sum == wanted,
        };
        Ok(order.filter(|_| proved).map(|order| Known {
            order,
            token: now.clone(),
            settled: false,
            was_read: false,
            sound: true,
            sum: self.sum.map(|_| sum),
            kept: self.kept,
        }))
    }

    /// Whether it should be kept for other processes: they could use it, and
    /// what they have by now, if anything, is much less.
    fn is_worth_keeping(
        &self,
        state: &State,
        options: &Options,
        now: SystemTime,
    ) -> bool {
        const AGAIN: Duration = Duration::from_secs(600);
        const SHARE: u64 = 64;
        let usable = self.token.can_grow(options.evidence)
            || state.is_at_rest_for(LONGEST_PAUSE, now);
        let new = self.kept.is_none_or(|Kept { slots, written }| {
            // Memory cards wear out.
            written.is_none_or(|written| written.elapsed() > AGAIN)
                && state.slots.saturating_sub(slots)
                    >= (state.slots / SHARE).max(keep::WORTHWHILE)
        });
        // What was read in the midst of a statement is not what the server
        // vouches for.
        let vouched = self.sum == self.token.checksum();
        self.settled && self.sound && vouched && usable && new
    }
}

/// Reads all rows: their order, the number of dead slots, and the checksum if
/// the table keeps one.
fn find(
    bytes: Bytes,
    layout: &Layout,
    state: &State,
    table: &Table,
) -> Result<(Order, u64, Option<u32>)> {
    let header = state.header().filter(|header| header.has_checksum());
    let skips_nulls = header.map(Header::checksum_skips_nulls);
    let mut sum = skips_nulls.map(|_| 0_u32);
    let found = Order::find(bytes, layout, state.slots, table.path(), |rows| {
        if let (Some(sum), Some(skips_nulls)) = (&mut sum, skips_nulls) {
            *sum = sum.wrapping_add(layout.checksum(rows, skips_nulls));
        }
    });
    let explain = |e| if state.layout.is_none() { explain_bare(e, table) } else { e };
    let (order, dead) = found.map_err(explain)?;
    Ok((order, dead, sum))
}

fn map(table: &Table, len: u64, earlier: Option<&View>) -> Result<Source> {
    if let Some(View { source: Source::Mapped(mapping), .. }) = earlier {
        if mapping.len() >= len && !mapping.faulted() && Mapping::is_safe() {
            return Ok(Source::Mapped(mapping.clone()));
        }
    }
    let mapping =
        Mapping::new(table.data(), len).map_err(|e| Error::io("map", table.path(), e))?;
    Ok(mapping.map_or(Source::File, |mapping| Source::Mapped(Arc::new(mapping))))
}

/// Which of the nine-byte layouts a bare file has: its first row that tells
/// decides, and the strict check of all flags that follows confirms.
fn bare_layout(
    bytes: &Bytes,
    nine: &Layout,
    slots: u64,
    table: &Table,
) -> Result<Layout> {
    let stride = nine.stride();
    let mut hint = None;
    let mut live = None;
    let mut from = 0;
    // Nearly always the first row tells.
    let mut to = slots.min(64);
    while hint.is_none() && from < slots {
        scan(bytes, nine, from..to, table.path(), |first_row, chunk| {
            for (index, row) in chunk.chunks_exact(stride).enumerate() {
                if hint.is_none() {
                    hint = Layout::bare_hint(row);
                }
                if row[0] != 0 && live.is_none() {
                    live = Some(first_row + index as u64);
                }
            }
            Ok(())
        })?;
        (from, to) = (to, slots);
    }
    match (hint, live) {
        (Some(nullable), _) => Ok(Layout::bare(nullable)),
        (None, None) => Ok(Layout::bare(true)),
        (None, Some(row)) => Err(ambiguous(table, row * stride as u64)),
    }
}

/// A bare file whose rows fit neither of the nine-byte layouts may be the copy
/// of a table with one nullable column.
fn explain_bare(error: Error, table: &Table) -> Error {
    const ONE_NULLABLE: u8 = 0xfd;
    let offset = match error.offset() {
        Some(offset) if error.status() == Status::BadRow => offset,
        _ => return error,
    };
    let mut flag = [0];
    match table.data().read_exact_at(&mut flag, offset) {
        Ok(()) if flag == [ONE_NULLABLE] => ambiguous(table, offset),
        _ => error,
    }
}

fn ambiguous(table: &Table, offset: u64) -> Error {
    Error::new(
        Status::MissingDefinition,
        "nothing in this bare file tells which of its rows have values: put the table's .frm \
         beside it",
    )
    .at(table.path())
    .at_offset(offset)
}

/// How a snapshot relates to the files after a query.
pub(super) enum Verdict {
    /// Nothing was written.
    Same,
    /// Nothing was counted as written, but so lately that a write in progress
    /// would not show.
    Unsettled,
    /// Something was written.
    Changed,
}

/// A feed's committed rows as they were at one moment.
pub struct Snapshot {
    table: Arc<Table>,
    view: Arc<View>,
}

impl Snapshot {
    pub(super) fn new(table: Arc<Table>, view: Arc<View>) -> Snapshot {
        Snapshot { table, view }
    }

    /// How rows are read.
    pub fn layout(&self) -> &Layout {
        &self.view.layout
    }

    /// What the files said.
    pub fn state(&self) -> &State {
        &self.view.state
    }

    /// Whether rows lie in the file in the order of their times.
    pub fn is_in_file_order(&self) -> bool {
        self.view.known.order.in_file_order
    }

    /// How many rows lie in the file behind one of a later time.
    pub(crate) fn late(&self) -> u64 {
        self.view.known.order.late()
    }

    /// How many slots are those of deleted rows, and how many rows have no time.
    pub(crate) fn left_out(&self) -> Result<(u64, u64)> {
        let View { source, layout, known: Known { order, .. }, state, .. } = &*self.view;
        let left_out = state.slots - order.len;
        if left_out == 0 {
            return Ok((0, 0));
        }
        let len = state.slots * layout.stride() as u64;
        let bytes = Bytes::new(source, self.table.data(), self.table.path(), len);
        let mut deleted = 0;
        scan(&bytes, layout, 0..state.slots, self.table.path(), |_, rows| {
            let slots = rows.chunks_exact(layout.stride());
            deleted += slots.filter(|slot| layout.is_deleted(slot)).count() as u64;
            Ok(())
        })?;
        // Where rows are deleted meanwhile, the caller asks again.
        Ok((deleted, left_out.saturating_sub(deleted)))
    }

    /// A way to read the rows.
    pub(crate) fn cursor(&self) -> Cursor<'_> {
        let View { source, layout, known: Known { order, .. }, state, .. } = &*self.view;
        let len = state.slots * layout.stride() as u64;
        let bytes = Bytes::new(source, self.table.data(), self.table.path(), len);
        Cursor::new(bytes, layout, order, self.table.path())
    }

    /// Looks at the files again.
    pub(super) fn verdict(&self) -> Result<Verdict> {
        let glance = self.table.glance_at_open();
        if glance.is_ok_and(|state| state.as_ref() == Some(&self.view.state))
            && self.view.is_intact()
        {
            return Ok(self.view.unchanged());
        }
        if !self.table.is_current()? {
            return Ok(Verdict::Changed);
        }
        let now = self.table.state()?;
        let same = self.view.state == now;
        if !self.view.is_intact() {
            // Pages were missing. If the file did not get shorter, the disk
            // could not bring them.
            return if same && self.view.known.settled {
                Err(Error::new(
                    Status::Io,
                    "the disk failed to read some of this file (the kernel's log, dmesg, says \
                     where); copy what can be read to another disk",
                )
                .at(self.table.path()))
            } else {
                Ok(Verdict::Changed)
            };
        }
        Ok(if same { self.view.unchanged() } else { Verdict::Changed })
    }
}
