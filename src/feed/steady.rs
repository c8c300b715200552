//! Answers from rows that are written all the time.
//!
//! Where the files never hold still for as long as a query takes, and nothing
//! tells appended rows from edited ones, the rows themselves have to: they are
//! read before the query and after it, and must be the same.

use super::Options;
use super::scan::scan;
use super::snapshot::{Snapshot, View};
use super::source::{Bytes, Source};
use super::state::Work;
use super::table::Table;
use crate::error::Result;
use crate::myisam::Layout;
use std::ops::Range;
use std::sync::Arc;
use std::time::SystemTime;
use xxhash_rust::xxh3::Xxh3;

/// Asks `query` of the committed rows as they are at one moment, if there is
/// one that can be told from what is written around it.
pub(super) fn ask<T>(
    query: &mut impl FnMut(&Snapshot) -> Result<T>,
    table: &Arc<Table>,
    options: &Options,
) -> Result<Option<T>> {
    let mut state = table.state()?;
    let Some(layout) = state.layout.clone() else { return Ok(None) };
    if state.work(SystemTime::now()) == Work::Going {
        return Ok(None);
    }
    let mut before = Xxh3::new();
    hash(&mut before, table, &layout, 0..state.slots)?;
    // The moment is one when all committed rows have been read: after the last
    // of them, nothing was written.
    const TRIES: u32 = 16;
    let mut tries = 0;
    loop {
        let now = table.state()?;
        tries += 1;
        if !state.may_precede(&now) || tries > TRIES {
            return Ok(None);
        }
        if now == state {
            break;
        }
        hash(&mut before, table, &layout, state.slots..now.slots)?;
        state = now;
    }
    let work = state.work(SystemTime::now());
    if work == Work::Going {
        return Ok(None);
    }
    let slots = state.slots;
    let start = state.clone();
    // Nothing to keep: the next rows are on their way.
    let options = Options { keep: None, ..options.clone() };
    let view = Arc::new(View::build(table, state, &options, None, false)?);
    let answer = query(&Snapshot::new(table.clone(), view.clone()))?;
    if let Work::Unclear(tick) = work {
        // A statement that began then shows by now, or in the rows.
        std::thread::sleep(tick);
    }
    let mut after = Xxh3::new();
    hash(&mut after, table, &layout, 0..slots)?;
    // Rows that were changed and changed back are the same, but were counted.
    let end = table.state()?;
    let only_grew = end == start || start.only_grew(&end);
    let same = before.digest128() == after.digest128() && view.is_intact();
    let rests = end.work(SystemTime::now()) != Work::Going;
    Ok((only_grew && same && rests).then_some(answer))
}

fn hash(into: &mut Xxh3, table: &Table, layout: &Layout, rows: Range<u64>) -> Result<()> {
    let end = rows.end * layout.stride() as u64;
    let bytes = Bytes::new(&Source::File, table.data(), table.path(), end);
    scan(&bytes, layout, rows, table.path(), |_, chunk| {
        into.update(chunk);
        Ok(())
    })
}
