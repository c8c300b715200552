//! Whether what was written is what the feed holds, by reading both, and by other
//! ways than the writing's: look-ups of windows instead of a pass over the rows.

use super::plan::Plan;
use super::rows::Readings;
use crate::backup::{FINA_STRIDE, Fina, FinaMeta};
use crate::error::{Error, Result, Status};
use crate::feed::{Access, Feed, Options, changed, read_up_to};
use crate::query::{Aggregate, Flags, Point, meta, windows};
use std::path::Path;

/// Slots compared at a time.
const PIECE: u64 = 1 << 16;

/// What came of it.
pub(super) enum Checked {
    /// All is the same: so many rows or slots.
    Same(u64),
    /// This is not.
    Different(String),
    Stopped,
}

type Progress<'p> = &'p mut dyn FnMut(u64) -> bool;

/// Compares the rows that were written at `path` with the feed's.
pub(super) fn rows(
    source: &Feed,
    path: &Path,
    plan: &Plan,
    progress: Progress,
) -> Result<Checked> {
    let options =
        Options { access: Access::Pread, no_follow: true, ..Options::default() };
    let written = Feed::open_with(path, options)?;
    let found = meta(&written)?;
    let (rows, bytes) = (plan.figures.written, plan.bytes());
    let length = std::fs::metadata(path).map_err(|e| Error::io("inspect", path, e))?;
    if found.npoints != rows || !found.sorted || length.len() != bytes {
        return Ok(Checked::Different(format!(
            "{} rows in {} bytes instead of {rows} in {bytes}",
            found.npoints,
            length.len()
        )));
    }
    let mut theirs = Readings::new(source, plan.from, plan.until);
    let mut ours = Readings::new(&written, i64::MIN, i64::MAX);
    let mut next = theirs.next()?;
    let (mut compared, mut told) = (0, 0);
    while let Some(mut wanted) = next {
        // Of those of one second the last counts.
        loop {
            next = theirs.next()?;
            match next {
                Some(other) if other.time == wanted.time => wanted = other,
                _ => break,
            }
        }
        let is = ours.next()?;
        if !is.is_some_and(|is| is.time == wanted.time && is_single(is.value, wanted)) {
            return Ok(Checked::Different(format!("the row of time {}", wanted.time)));
        }
        compared += 1;
        if compared - told == PIECE {
            told = compared;
            if !progress(PIECE) {
                return Ok(Checked::Stopped);
            }
        }
    }
    Ok(match ours.next()? {
        None => Checked::Same(compared),
        Some(more) => Checked::Different(format!("a row of time {} too many", more.time)),
    })
}

/// Whether `is` is the float32 next to a reading's value, to the bit, and nothing
/// where that has no value, or none that float32 holds.
fn is_single(is: f64, of: Point) -> bool {
    let nearest = f64::from(of.value as f32);
    if nearest.is_nan() || nearest.is_infinite() && of.value.is_finite() {
        return is.is_nan();
    }
    is.to_bits() == nearest.to_bits()
}

/// Compares the values that were written at `path` with the feed's, slot for slot.
pub(super) fn slots(
    source: &Feed,
    path: &Path,
    plan: &Plan,
    interval: u32,
    aggregate: Aggregate,
    progress: Progress,
) -> Result<Checked> {
    let written = Fina::open(path)?;
    let slots = plan.figures.written;
    let start = u32::try_from(plan.figures.start).unwrap_or(u32::MAX);
    let length = std::fs::metadata(path).map_err(|e| Error::io("inspect", path, e))?;
    let fits = FinaMeta::parse(&written.meta) == Some(FinaMeta { interval, start });
    if !fits || written.rows() != slots || length.len() != slots * FINA_STRIDE {
        return Ok(Checked::Different(format!(
            "{} values, of which the .meta says other than what was written",
            written.rows()
        )));
    }
    let mut values = Values { written, piece: Vec::new() };
    let mut totals = Readings::new(source, plan.from, plan.until);
    let mut next = match aggregate.chooses_row() {
        true => None,
        false => totals.next()?,
    };
    let mut slot = 0;
    while slot < slots {
        let count = PIECE.min(slots - slot);
        let time = |slot: u64| plan.figures.start + (slot * u64::from(interval)) as i64;
        values.read(slot, count)?;
        let differs = if aggregate.chooses_row() {
            let found = chosen(source, plan, time(slot), interval, count, aggregate)?;
            let mut pairs = values.piece.iter().zip(found);
            pairs.position(|(&is, wanted)| !is_single(f64::from(is), wanted))
        } else {
            let mut differs = None;
            for (index, &is) in values.piece.iter().enumerate() {
                let behind = time(slot + index as u64 + 1);
                let mut total = Total::default();
                while let Some(reading) = next.filter(|next| next.time < behind) {
                    total.add(reading.value);
                    next = totals.next()?;
                }
                if !total.fits(is, aggregate) {
                    differs.get_or_insert(index);
                }
            }
            differs
        };
        if let Some(index) = differs {
            let time = time(slot + index as u64);
            return Ok(Checked::Different(format!("the value of time {time}")));
        }
        slot += count;
        if !progress(count) {
            return Ok(Checked::Stopped);
        }
    }
    Ok(Checked::Same(slots))
}

/// What windows of the feed answer, without readings behind those planned for.
fn chosen(
    source: &Feed,
    plan: &Plan,
    start: i64,
    interval: u32,
    count: u64,
    aggregate: Aggregate,
) -> Result<Vec<Point>> {
    let last = start + ((count - 1) * u64::from(interval)) as i64;
    let interval = i64::from(interval);
    let (end, flags) = match last + interval > plan.until {
        // The end is the first second that is left out.
        true => (plan.until + 1, Flags::CLIP_END),
        false => (last, Flags::NONE),
    };
    let mut series = windows(source, start, end, interval, aggregate, flags)?;
    series.points.truncate(count as usize);
    // Readings before those planned for may lie in the first slot.
    if let Some(first) = series.points.first_mut().filter(|point| point.time < plan.from)
    {
        let inside = (plan.from, (first.time + interval - 1).min(plan.until));
        let flags = Flags::CLIP_END;
        let own = windows(source, inside.0, inside.1 + 1, interval, aggregate, flags)?;
        first.value = own.points.first().map_or(f64::NAN, |point| point.value);
    }
    if (series.points.len() as u64) < count {
        return Err(Error::new(Status::Internal, "windows are missing"));
    }
    Ok(series.points)
}

/// The values written, a piece at a time.
struct Values {
    written: Fina,
    piece: Vec<f32>,
}

impl Values {
    fn read(&mut self, slot: u64, count: u64) -> Result<()> {
        let mut bytes = vec![0; (count * FINA_STRIDE) as usize];
        let path = self.written.path();
        let offset = slot * FINA_STRIDE;
        let have = read_up_to(self.written.file(), &mut bytes, offset)
            .map_err(|e| Error::io("read", path, e).at_offset(offset))?;
        if have < bytes.len() {
            return Err(changed().at(path));
        }
        self.piece.clear();
        let values = bytes.chunks_exact(FINA_STRIDE as usize);
        self.piece.extend(values.map(|bytes| {
            f32::from_le_bytes(bytes.try_into().expect("a value has four bytes"))
        }));
        Ok(())
    }
}

/// A sum that is right to the last digits of a double, whatever the order.
#[derive(Default)]
struct Total {
    sum: f64,
    /// What was lost when it was rounded.
    rest: f64,
    /// The sum without signs.
    size: f64,
    values: u64,
}

impl Total {
    fn add(&mut self, value: f64) {
        if value.is_nan() {
            return;
        }
        let sum = self.sum + value;
        let (large, small) = match self.sum.abs() >= value.abs() {
            true => (self.sum, value),
            false => (value, self.sum),
        };
        self.rest += (large - sum) + small;
        self.sum = sum;
        self.size += value.abs();
        self.values += 1;
    }

    /// Whether a float32 is the sum or the average of these values. Those of
    /// another order of adding are, too.
    fn fits(&self, is: f32, aggregate: Aggregate) -> bool {
        if self.values == 0 {
            return is.is_nan();
        }
        // Infinite values have no rest.
        let sum = if self.sum.is_finite() { self.sum + self.rest } else { self.sum };
        let by = match aggregate {
            Aggregate::Average => self.values as f64,
            _ => 1.0,
        };
        let (value, slack) =
            (sum / by, self.size / by * self.values as f64 * f64::EPSILON);
        if !value.is_finite() {
            return is_single(f64::from(is), Point { time: 0, value });
        }
        let (low, high) = ((value - slack) as f32, (value + slack) as f32);
        if low.is_infinite() || high.is_infinite() {
            return is.is_nan() || low <= is && is <= high;
        }
        low <= is && is <= high
    }
}
