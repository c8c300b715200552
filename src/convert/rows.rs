//! The readings of a feed, a piece at a time, however many there are.

use crate::error::Result;
use crate::feed::Feed;
use crate::query::{Point, Position, rows_from};

/// Rows read at a time: a megabyte as points.
const PIECE: u64 = 1 << 16;

/// Readings in the order of time, those of one second in file order.
pub(super) struct Readings<'f> {
    feed: &'f Feed,
    from: Position,
    until: i64,
    piece: std::vec::IntoIter<Point>,
    is_last: bool,
}

impl<'f> Readings<'f> {
    /// Those with `from <= time <= until`.
    pub(super) fn new(feed: &'f Feed, from: i64, until: i64) -> Readings<'f> {
        Readings {
            feed,
            from: Position::at(from),
            until,
            piece: Vec::new().into_iter(),
            is_last: until < from,
        }
    }

    /// The next ones; none at the end.
    pub(super) fn next_piece(&mut self) -> Result<std::vec::IntoIter<Point>> {
        if self.is_last {
            return Ok(Vec::new().into_iter());
        }
        let (series, behind) = rows_from(self.feed, self.from, self.until, PIECE)?;
        self.from = behind;
        self.is_last = (series.points.len() as u64) < PIECE;
        Ok(series.points.into_iter())
    }

    /// The next one.
    pub(super) fn next(&mut self) -> Result<Option<Point>> {
        if let Some(point) = self.piece.next() {
            return Ok(Some(point));
        }
        self.piece = self.next_piece()?;
        Ok(self.piece.next())
    }
}

/// Calls `each` with every reading of a range of time. `progress` is told how many
/// were read; if it answers `false`, this stops, and answers that, too.
pub(super) fn each(
    feed: &Feed,
    from: i64,
    until: i64,
    progress: &mut dyn FnMut(u64) -> bool,
    mut each: impl FnMut(Point) -> Result<()>,
) -> Result<bool> {
    let mut readings = Readings::new(feed, from, until);
    loop {
        let piece = readings.next_piece()?;
        let count = piece.len() as u64;
        if count == 0 {
            return Ok(true);
        }
        piece.into_iter().try_for_each(&mut each)?;
        if !progress(count) {
            return Ok(false);
        }
    }
}
