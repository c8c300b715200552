//! What would become of a feed, found out before anything is written.

use super::encode::{Figures, Form};
use super::gaps::Detected;
use super::{Engine, file};
use crate::query::Census;
use std::fmt::{self, Display};

/// A file of PHPFina with more slots than this has to have readings in some of
/// them: 4 MB.
const MANY_SLOTS: u64 = 1 << 20;

/// ... in one of so many.
const SPARSE: u64 = 50;

/// What would become of a feed.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// How many rows there are of which kind.
    pub census: Census,
    /// What becomes of the readings.
    pub figures: Figures,
    /// SQL type of the feed's values.
    pub value_type: &'static str,
    /// The interval of PHPFina, if that was found out.
    pub detected: Option<Detected>,
    /// Times of the first and the last reading that may be taken.
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) form: Form,
    /// Whether readings before `from` are left out because they are from before
    /// 1970, not because that was asked for.
    pub(super) drops_before_1970: bool,
}

impl Plan {
    /// Seconds between two values of PHPFina.
    pub fn interval(&self) -> Option<u32> {
        match self.form {
            Form::Rows => None,
            Form::Slots { interval, .. } => Some(interval),
        }
    }

    /// The engine whose files are written.
    pub fn engine(&self) -> Engine {
        match self.form {
            Form::Rows => Engine::PhpTimeSeries,
            Form::Slots { .. } => Engine::PhpFina,
        }
    }

    /// Bytes that are written.
    pub fn bytes(&self) -> u64 {
        match self.form {
            Form::Rows => self.figures.written * file::ROW,
            Form::Slots { .. } => {
                self.figures.written * crate::backup::FINA_STRIDE + file::META
            }
        }
    }

    /// Slots of PHPFina without readings.
    pub fn empty_slots(&self) -> u64 {
        self.figures.written - self.figures.filled
    }

    /// Readings with a time before 1970, which neither engine can hold.
    pub fn before_1970(&self) -> u64 {
        if self.drops_before_1970 { self.census.before } else { 0 }
    }

    /// Readings that are left out because of the times asked for.
    pub fn outside(&self) -> u64 {
        self.census.before + self.census.behind - self.before_1970()
    }

    /// What is lost: how many of what.
    pub fn losses(&self) -> Vec<Loss> {
        let Figures { joined, conflicting, narrowed, too_large, .. } = self.figures;
        [
            (LossKind::Joined, joined),
            (LossKind::Conflicting, conflicting),
            (LossKind::Narrowed, narrowed),
            (LossKind::TooLarge, too_large),
            (LossKind::Before1970, self.before_1970()),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
        .map(|(kind, count)| Loss { kind, count })
        .collect()
    }

    /// Whether the file would be nearly empty, because of a reading at a wrong
    /// time, mostly.
    pub fn is_sparse(&self) -> bool {
        let Figures { written, filled, .. } = self.figures;
        self.interval().is_some() && written > MANY_SLOTS && written / SPARSE > filled
    }

    /// Why this is not carried out without being allowed to.
    pub fn objection(&self, allow_loss: bool, allow_sparse: bool) -> Option<Objection> {
        if self.is_sparse() && !allow_sparse {
            return Some(Objection::Sparse(Box::new(self.clone())));
        }
        let losses = self.losses();
        (!losses.is_empty() && !allow_loss).then_some(Objection::Loss(losses))
    }
}

/// Something that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loss {
    /// What it is.
    pub kind: LossKind,
    /// How many there are.
    pub count: u64,
}

/// What can be lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LossKind {
    /// Readings that share a slot with others.
    Joined,
    /// Readings of one second that differ.
    Conflicting,
    /// Digits of values.
    Narrowed,
    /// Values beyond those of float32.
    TooLarge,
    /// Readings before 1970.
    Before1970,
}

impl Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            LossKind::Joined => "readings that share an interval with others",
            LossKind::Conflicting => "readings of one second with different values",
            LossKind::Narrowed => "values cut to the digits of float32",
            LossKind::TooLarge => "values too large for float32",
            LossKind::Before1970 => "readings from before 1970",
        };
        write!(f, "{what} ({})", self.count)
    }
}

/// Why a plan is not carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Objection {
    /// Something would be lost.
    Loss(Vec<Loss>),
    /// The file would be nearly empty.
    Sparse(Box<Plan>),
}

impl Objection {
    /// The option that overrules it.
    pub fn option(&self) -> &'static str {
        match self {
            Objection::Loss(_) => "--allow-loss",
            Objection::Sparse(_) => "--allow-sparse",
        }
    }
}

impl Display for Objection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Objection::Loss(losses) => {
                let losses: Vec<_> = losses.iter().map(Loss::to_string).collect();
                write!(f, "something would be lost: {}", losses.join(", "))?;
            }
            Objection::Sparse(plan) => {
                let Figures { written, filled, readings, .. } = plan.figures;
                write!(
                    f,
                    "its file would have {} bytes, with readings in {filled} of {written} \
                     intervals",
                    plan.bytes()
                )?;
                if let Some(pause) = plan.figures.pause {
                    write!(
                        f,
                        ". There are none between {} and {}, {} before and {} behind: if these \
                         are at a wrong time, leave them out by --start or --end",
                        pause.after,
                        pause.until,
                        pause.readings,
                        readings - pause.readings
                    )?;
                }
            }
        }
        write!(f, ". {} accepts that", self.option())
    }
}
