//! What becomes of readings: rows of PHPTimeSeries, one for each time, or values
//! of PHPFina, one for each slot of its interval.

use crate::error::Result;
use crate::query::{Aggregate, Point};

/// From here on a double does not hold every whole number, and a `BIGINT` was
/// rounded when it was read.
const WHOLE: f64 = 9_007_199_254_740_992.0;

/// What is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A row for each time: of several readings the last in the file.
    Rows,
    /// A value every so many seconds.
    Slots { interval: u32, aggregate: Aggregate },
}

/// Where it goes.
pub(super) trait Sink {
    /// A row.
    fn row(&mut self, time: u32, value: f32) -> Result<()>;
    /// The value of the next slot.
    fn value(&mut self, value: f32) -> Result<()>;
    /// So many slots without value.
    fn gap(&mut self, slots: u64) -> Result<()>;
}

/// Nowhere: only the figures are wanted.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn row(&mut self, _: u32, _: f32) -> Result<()> {
        Ok(())
    }

    fn value(&mut self, _: f32) -> Result<()> {
        Ok(())
    }

    fn gap(&mut self, _: u64) -> Result<()> {
        Ok(())
    }
}

/// What became of the readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Readings taken in.
    pub readings: u64,
    /// Readings without value.
    pub without_value: u64,
    /// Readings that say what the one before them in that second said.
    pub duplicates: u64,
    /// Readings of the second of the one before them that say something else.
    pub conflicting: u64,
    /// Readings that come into the slot of one of another time.
    pub joined: u64,
    /// Readings that are not at the beginning of their slot.
    pub moved: u64,
    /// Readings that are alone in their slot, or the only one of their time.
    pub alone: u64,
    /// Values that float32 does not hold exactly.
    pub narrowed: u64,
    /// Values beyond those of float32, which become none.
    pub too_large: u64,
    /// Rows, or slots that readings came into.
    pub filled: u64,
    /// Rows, or slots.
    pub written: u64,
    /// Time of the first row, or of the beginning of the first slot.
    pub start: i64,
    /// The longest stretch of slots without readings.
    pub pause: Option<Pause>,
}

/// A stretch without readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pause {
    /// Time of the reading before it.
    pub after: i64,
    /// Time of the reading behind it.
    pub until: i64,
    /// Slots in it.
    pub slots: u64,
    /// Readings before it.
    pub readings: u64,
}

/// Takes in readings in the order of time, those of one second in file order.
pub(super) struct Encoder<S> {
    form: Form,
    /// Whether values are of a `BIGINT`.
    is_big: bool,
    pub(super) sink: S,
    figures: Figures,
    open: Option<Open>,
    last: Option<Point>,
}

/// The row or slot at hand.
struct Open {
    start: i64,
    readings: u64,
    value: f64,
    sum: f64,
    values: u64,
}

impl<S: Sink> Encoder<S> {
    pub(super) fn new(form: Form, is_big: bool, sink: S) -> Encoder<S> {
        let figures = Figures::default();
        Encoder { form, is_big, sink, figures, open: None, last: None }
    }

    /// Takes in the next reading; its time is one of u32.
    pub(super) fn take(&mut self, reading: Point) -> Result<()> {
        let start = match self.form {
            Form::Rows => reading.time,
            Form::Slots { interval, .. } => {
                reading.time - reading.time % i64::from(interval)
            }
        };
        self.figures.readings += 1;
        self.figures.without_value += u64::from(reading.value.is_nan());
        self.figures.moved += u64::from(start != reading.time);
        match &mut self.open {
            Some(open) if open.start == start => {
                let last = self.last.filter(|last| last.time == reading.time);
                let count = match last {
                    Some(last) if same(last.value, reading.value) => {
                        &mut self.figures.duplicates
                    }
                    Some(_) => &mut self.figures.conflicting,
                    None => &mut self.figures.joined,
                };
                *count += 1;
                open.add(reading.value, self.form);
            }
            _ => {
                let before = self.close()?;
                self.begin(before, start, reading)?;
            }
        }
        self.last = Some(reading);
        Ok(())
    }

    fn begin(&mut self, before: Option<i64>, start: i64, reading: Point) -> Result<()> {
        self.figures.filled += 1;
        self.figures.written += 1;
        match (before, self.form) {
            (None, _) => self.figures.start = start,
            (Some(_), Form::Rows) => {}
            (Some(before), Form::Slots { interval, .. }) => {
                let slots = (start - before) as u64 / u64::from(interval) - 1;
                if slots > 0 {
                    self.sink.gap(slots)?;
                    self.figures.written += slots;
                    let longest = self.figures.pause.map_or(0, |pause| pause.slots);
                    if let Some(last) = self.last.filter(|_| slots > longest) {
                        self.figures.pause = Some(Pause {
                            after: last.time,
                            until: reading.time,
                            slots,
                            readings: self.figures.readings - 1,
                        });
                    }
                }
            }
        }
        let open = Open { start, readings: 0, value: f64::NAN, sum: 0.0, values: 0 };
        self.open.insert(open).add(reading.value, self.form);
        Ok(())
    }

    /// Writes the row or slot at hand; when it began.
    fn close(&mut self) -> Result<Option<i64>> {
        let Some(open) = self.open.take() else { return Ok(None) };
        self.figures.alone += u64::from(open.readings == 1);
        match self.form {
            Form::Rows => {
                let value = self.single(open.value, true);
                self.sink.row(open.start as u32, value)?;
            }
            Form::Slots { aggregate, .. } => {
                let value = match aggregate {
                    Aggregate::Average if open.values > 0 => {
                        open.sum / open.values as f64
                    }
                    Aggregate::Sum if open.values > 0 => open.sum,
                    _ => open.value,
                };
                let value = self.single(value, aggregate.chooses_row());
                self.sink.value(value)?;
            }
        }
        Ok(Some(open.start))
    }

    fn single(&mut self, value: f64, is_reading: bool) -> f32 {
        let single = value as f32;
        if value.is_nan() {
            // One NaN for all kinds of it, and for NULL.
            return f32::NAN;
        }
        if single.is_infinite() && value.is_finite() {
            self.figures.too_large += 1;
            return f32::NAN;
        }
        let is_exact =
            f64::from(single) == value && !(self.is_big && value.abs() >= WHOLE);
        self.figures.narrowed += u64::from(is_reading && !is_exact);
        single
    }

    /// Writes what is at hand. The figures, and where all went.
    pub(super) fn finish(mut self) -> Result<(Figures, S)> {
        self.close()?;
        Ok((self.figures, self.sink))
    }
}

impl Open {
    fn add(&mut self, value: f64, form: Form) {
        let is_first = self.readings == 0;
        self.readings += 1;
        if !value.is_nan() {
            self.sum += value;
            self.values += 1;
        }
        let aggregate = match form {
            Form::Rows => Aggregate::Last,
            Form::Slots { aggregate, .. } => aggregate,
        };
        let takes = match aggregate {
            Aggregate::First => is_first,
            Aggregate::Last => true,
            // Nothing is smaller or larger than NaN.
            Aggregate::Min => self.value.is_nan() || value < self.value,
            Aggregate::Max => self.value.is_nan() || value > self.value,
            Aggregate::Average | Aggregate::Sum | Aggregate::Count => false,
        };
        if takes {
            self.value = value;
        }
    }
}

/// Whether two values are the same to the bit, or neither is one.
pub(super) fn same(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
}
