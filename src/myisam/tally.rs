//! What the values of many rows come to.
//!
//! A block of [`BLOCK`] rows that are all alike, as nearly all are, is taken
//! in column by column, which compilers turn into vector instructions; any
//! other rows one by one. Both add up in the same order, to the same bits.

use super::layout::{BadFlag, Layout, PLAIN, Row};

/// Rows that are taken in together.
pub const BLOCK: usize = 128;

/// Sums are kept in so many parts, the row at place `i` going to part
/// `i % LANES`.
const LANES: usize = 8;

/// Plain rows are mostly so long: with a pad behind in tables that keep a
/// checksum.
const NINE: usize = PLAIN;
const TEN: usize = PLAIN + 1;

/// What the values of some rows come to; rows without value are left out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tally {
    /// Rows with a value.
    pub count: u64,
    /// The sum of the values, 0 without any.
    pub sum: f64,
    /// The smallest value, NaN without any. Which zero, if it is one, is open.
    pub min: f64,
    /// The largest value, likewise.
    pub max: f64,
}

/// [`BLOCK`] rows in order of time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Block {
    /// The time of the first row.
    pub first: i64,
    /// The time of the last row.
    pub last: i64,
    /// What their values come to.
    pub tally: Tally,
}

/// A sum of values that is being made.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Totalling {
    rows: usize,
    count: u64,
    sums: [f64; LANES],
}

/// A [`Tally`] that is being made.
#[derive(Clone, Debug, PartialEq)]
pub struct Tallying {
    total: Totalling,
    min: f64,
    max: f64,
}

/// The smaller of a new value and the one so far, either of which may be NaN.
fn less(new: f64, so_far: f64) -> f64 {
    if new < so_far || so_far.is_nan() { new } else { so_far }
}

fn more(new: f64, so_far: f64) -> f64 {
    if new > so_far || so_far.is_nan() { new } else { so_far }
}

impl Totalling {
    /// Takes in one row.
    #[inline]
    pub fn push(&mut self, value: f64) {
        if !value.is_nan() {
            self.count += 1;
            self.sums[self.rows % LANES] += value;
        }
        self.rows += 1;
    }

    /// Takes in whole rows. `false` if one of them does not count: it has been
    /// deleted, or has no time.
    pub fn extend(&mut self, layout: &Layout, rows: &[u8]) -> Result<bool, BadFlag> {
        let mut done = 0;
        if layout.is_plain() && self.rows % LANES == 0 {
            let flag = layout.full_flag();
            done = match layout.stride() {
                NINE => self.extend_plain::<NINE>(rows, flag),
                TEN => self.extend_plain::<TEN>(rows, flag),
                _ => 0,
            };
        }
        let (_, rest) = rows.split_at(done * layout.stride());
        let mut all_count = true;
        layout
            .for_each(rest, |_, row| match row {
                Some(row) => self.push(row.value),
                None => all_count = false,
            })
            .map_err(|bad| BadFlag { index: done + bad.index, ..bad })?;
        Ok(all_count)
    }

    /// Takes in as many of these rows as make whole lanes, none if that is
    /// not as simple as adding their values. How many it were.
    #[inline(always)]
    fn extend_plain<const STRIDE: usize>(&mut self, rows: &[u8], flag: u8) -> usize {
        let mut sums = self.sums;
        let mut others = 0;
        let lanes = rows.chunks_exact(LANES * STRIDE);
        let count = lanes.len() * LANES;
        for rows in lanes {
            for lane in 0..LANES {
                let row = &rows[lane * STRIDE..][..PLAIN];
                others |= row[0] ^ flag;
                let value = row[5..].try_into().expect("four bytes");
                sums[lane] += f64::from(f32::from_le_bytes(value));
            }
        }
        // A NaN among the values is one in the sums.
        if others != 0 || sums.iter().any(|sum| sum.is_nan()) {
            return 0;
        }
        self.sums = sums;
        self.count += count as u64;
        self.rows += count;
        count
    }

    /// The sum of the values, and how many there are.
    pub fn total(&self) -> (f64, u64) {
        let [a, b, c, d, e, f, g, h] = self.sums;
        (((a + e) + (b + f)) + ((c + g) + (d + h)), self.count)
    }
}

impl Default for Tallying {
    fn default() -> Tallying {
        Tallying { total: Totalling::default(), min: f64::NAN, max: f64::NAN }
    }
}

/// The numbers of a [`Tallying`].
pub const TALLYING_WORDS: usize = 4 + LANES;

impl Tallying {
    /// All of it in numbers, to be kept somewhere.
    pub fn words(&self) -> [u64; TALLYING_WORDS] {
        let mut words = [0; TALLYING_WORDS];
        words[0] = self.total.rows as u64;
        words[1] = self.total.count;
        words[2] = self.min.to_bits();
        words[3] = self.max.to_bits();
        for (word, sum) in words[4..].iter_mut().zip(self.total.sums) {
            *word = sum.to_bits();
        }
        words
    }

    /// The same again.
    pub fn from_words(words: [u64; TALLYING_WORDS]) -> Tallying {
        let mut sums = [0.0; LANES];
        for (sum, word) in sums.iter_mut().zip(&words[4..]) {
            *sum = f64::from_bits(*word);
        }
        let total = Totalling { rows: words[0] as usize, count: words[1], sums };
        Tallying { total, min: f64::from_bits(words[2]), max: f64::from_bits(words[3]) }
    }

    /// How many rows were taken in.
    pub fn rows(&self) -> usize {
        self.total.rows
    }

    /// Takes in one row.
    pub fn push(&mut self, value: f64) {
        self.total.push(value);
        if !value.is_nan() {
            self.min = less(value, self.min);
            self.max = more(value, self.max);
        }
    }

    /// Takes in whole rows. `false` if one of them does not count: it has been
    /// deleted, or has no time.
    pub fn extend(&mut self, layout: &Layout, rows: &[u8]) -> Result<bool, BadFlag> {
        let mut all_count = true;
        let mut columns = Columns::default();
        for (number, part) in rows.chunks(BLOCK * layout.stride()).enumerate() {
            let mut done = 0;
            if layout.is_plain() && self.rows() % LANES == 0 {
                let lanes = part.len() / (LANES * layout.stride()) * LANES;
                let simple = columns.read(layout, &part[..lanes * layout.stride()])
                    && columns.add_to(self, lanes);
                done = if simple { lanes } else { 0 };
            }
            let before = number * BLOCK + done;
            layout
                .for_each(&part[done * layout.stride()..], |_, row| match row {
                    Some(row) => self.push(row.value),
                    None => all_count = false,
                })
                .map_err(|bad| BadFlag { index: before + bad.index, ..bad })?;
        }
        Ok(all_count)
    }

    /// What they come to.
    pub fn tally(&self) -> Tally {
        let (sum, count) = self.total.total();
        Tally { count, sum, min: self.min, max: self.max }
    }
}

impl Layout {
    /// The [`Block`] that `rows` make, [`BLOCK`] of them: `None` if they are
    /// no such block, or one that has to be read row by row.
    #[inline]
    pub fn block(&self, rows: &[u8], columns: &mut Columns) -> Option<Block> {
        if !self.is_plain() {
            return self.block_by_rows(rows);
        }
        let mut tallying = Tallying::default();
        if rows.len() != BLOCK * self.stride()
            || !columns.read(self, rows)
            || !columns.is_ascending()
            || !columns.add_to(&mut tallying, BLOCK)
        {
            return None;
        }
        Some(Block {
            first: columns.time(0),
            last: columns.time(BLOCK - 1),
            tally: tallying.tally(),
        })
    }

    /// The same for rows that are not taken in column by column.
    fn block_by_rows(&self, rows: &[u8]) -> Option<Block> {
        let mut times: Option<(i64, i64)> = None;
        let mut is_block = rows.len() == BLOCK * self.stride();
        let mut tallying = Tallying::default();
        self.for_each(rows, |_, row| match (row, times) {
            (Some(Row { time, value }), _) => {
                let (first, last) = times.unwrap_or((time, time));
                is_block &= last <= time;
                times = Some((first, time));
                tallying.push(value);
            }
            (None, _) => is_block = false,
        })
        .ok()?;
        let (first, last) = times.filter(|_| is_block)?;
        Some(Block { first, last, tally: tallying.tally() })
    }
}

/// Room for a block of plain rows, column by column. What is in it does not
/// matter; it only need not be made anew for each block.
#[derive(Debug)]
pub struct Columns {
    words: [u64; BLOCK],
    /// With the top bit flipped: that makes the order of unsigned numbers the
    /// one of signed, which more processors can compare many at a time.
    times: [i32; BLOCK],
    values: [f32; BLOCK],
}

const TOP: u32 = 1 << 31;

impl Default for Columns {
    fn default() -> Columns {
        Columns { words: [0; BLOCK], times: [0; BLOCK], values: [0.0; BLOCK] }
    }
}

impl Columns {
    /// Reads plain rows, a multiple of four. `false` if one of them has a flag
    /// byte other than that of a live row without NULLs, or if rows so long
    /// are not read this way.
    #[inline(always)]
    fn read(&mut self, layout: &Layout, rows: &[u8]) -> bool {
        match layout.stride() {
            NINE => self.fill::<NINE>(rows, layout.full_flag()),
            TEN => self.fill::<TEN>(rows, layout.full_flag()),
            _ => false,
        }
    }

    #[inline(always)]
    fn fill<const STRIDE: usize>(&mut self, rows: &[u8], flag: u8) -> bool {
        // One load and one store a row here, and the columns from whole
        // vectors of these, is faster than two of each.
        let mut others = [0_u8; 4];
        let words = self.words.chunks_exact_mut(4);
        for (rows, words) in rows.chunks_exact(4 * STRIDE).zip(words) {
            for lane in 0..4 {
                let row = &rows[lane * STRIDE..][..PLAIN];
                others[lane] |= row[0] ^ flag;
                words[lane] =
                    u64::from_le_bytes(row[1..].try_into().expect("eight bytes"));
            }
        }
        for ((word, time), value) in
            self.words.iter().zip(&mut self.times).zip(&mut self.values)
        {
            *time = (*word as u32 ^ TOP) as i32;
            *value = f32::from_bits((*word >> 32) as u32);
        }
        others == [0; 4]
    }

    #[inline(always)]
    fn time(&self, index: usize) -> i64 {
        i64::from(self.times[index] as u32 ^ TOP)
    }

    /// Whether a whole block's times ascend.
    #[inline(always)]
    fn is_ascending(&self) -> bool {
        let mut descents = 0;
        for index in 0..BLOCK - 1 {
            descents |= if self.times[index] > self.times[index + 1] { -1 } else { 0 };
        }
        descents == 0
    }

    /// Adds the first `rows` values, a multiple of [`LANES`]. `false`, and
    /// nothing added, if that is not as simple as adding them.
    #[inline(always)]
    fn add_to(&self, tallying: &mut Tallying, rows: usize) -> bool {
        let values = &self.values[..rows];
        if values.is_empty() {
            return false;
        }
        let mut sums = tallying.total.sums;
        for lanes in values.chunks_exact(LANES) {
            for lane in 0..LANES {
                sums[lane] += f64::from(lanes[lane]);
            }
        }
        // A NaN among the values is one in the sums.
        if sums.iter().any(|sum| sum.is_nan()) {
            return false;
        }
        let mut mins = [f32::INFINITY; LANES];
        for lanes in values.chunks_exact(LANES) {
            for lane in 0..LANES {
                mins[lane] =
                    if lanes[lane] < mins[lane] { lanes[lane] } else { mins[lane] };
            }
        }
        let mut maxs = [f32::NEG_INFINITY; LANES];
        for lanes in values.chunks_exact(LANES) {
            for lane in 0..LANES {
                maxs[lane] =
                    if lanes[lane] > maxs[lane] { lanes[lane] } else { maxs[lane] };
            }
        }
        for lane in 0..LANES {
            tallying.min = less(f64::from(mins[lane]), tallying.min);
            tallying.max = more(f64::from(maxs[lane]), tallying.max);
        }
        tallying.total = Totalling {
            sums,
            count: tallying.total.count + rows as u64,
            rows: tallying.total.rows + rows,
        };
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::myisam::{Column, ColumnType, Definition};

    fn rows(values: &[(u8, u32, f32)]) -> Vec<u8> {
        padded(values, 0)
    }

    fn padded(values: &[(u8, u32, f32)], pad: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (flag, time, value) in values {
            bytes.push(*flag);
            bytes.extend_from_slice(&time.to_le_bytes());
            bytes.extend_from_slice(&value.to_le_bytes());
            bytes.resize(bytes.len() + pad, 0);
        }
        bytes
    }

    /// The layout of a feed with `CHECKSUM=1`, whose rows have a pad.
    fn with_checksum() -> Layout {
        let column = |name: &str, kind, unsigned| Column {
            name: name.into(),
            kind,
            unsigned,
            nullable: true,
        };
        let definition = Definition {
            columns: vec![
                column("time", ColumnType::Int, true),
                column("data", ColumnType::Float, false),
            ],
            checksum: true,
            max_rows: 0,
        };
        Layout::of_copy(&definition).unwrap()
    }

    fn one_by_one(values: impl IntoIterator<Item = f32>) -> Tallying {
        let mut tallying = Tallying::default();
        values.into_iter().for_each(|value| tallying.push(f64::from(value)));
        tallying
    }

    /// Equal to the bit; any NaN is as good as another, whose bits Rust leaves
    /// open.
    fn same(a: Tally, b: Tally) -> bool {
        let number = |n: f64| if n.is_nan() { f64::NAN.to_bits() } else { n.to_bits() };
        let bits = |t: Tally| (t.count, number(t.sum), number(t.min), number(t.max));
        bits(a) == bits(b)
    }

    #[test]
    fn a_block_at_once_is_the_same_as_its_rows_one_by_one() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut columns = Columns::default();
        let (layout, ten) = (Layout::bare(true), with_checksum());
        assert_eq!(ten.stride(), TEN);
        // Miri takes seconds for each.
        for round in 0..if cfg!(miri) { 16 } else { 2000 } {
            let mut all: Vec<(u8, u32, f32)> = (0..BLOCK as u32)
                .map(|i| {
                    (0xf9, 4_000_000_000 + i, random.f32() * 10_f32.powi(round % 60 - 30))
                })
                .collect();
            let odd = random.usize(..BLOCK);
            match round % 8 {
                0 => all[odd].2 = f32::NAN,
                1 => all[odd].2 = f32::INFINITY,
                2 => (all[odd].2, all[0].2) = (f32::NEG_INFINITY, f32::INFINITY),
                3 => all[odd].0 = 0xfd,
                4 => all.iter_mut().for_each(|row| row.2 = -row.2),
                _ => {}
            }
            let values =
                all.iter().map(|row| if row.0 == 0xfd { f32::NAN } else { row.2 });
            let want = one_by_one(values).tally();
            let (layout, bytes) = match round / 8 % 2 {
                0 => (&layout, rows(&all)),
                _ => (&ten, padded(&all, 1)),
            };
            let mut tallying = Tallying::default();
            assert_eq!(tallying.extend(layout, &bytes), Ok(true));
            assert!(same(tallying.tally(), want), "{:?} {want:?}", tallying.tally());
            let mut totalling = Totalling::default();
            assert_eq!(totalling.extend(layout, &bytes), Ok(true));
            let (sum, count) = totalling.total();
            assert!(same(Tally { sum, count, ..want }, want), "{sum} {count} {want:?}");
            if let Some(block) = layout.block(&bytes, &mut columns) {
                assert!(same(block.tally, want), "{block:?} {want:?}");
                assert_eq!((block.first, block.last), (4_000_000_000, 4_000_000_127));
            } else {
                assert!(matches!(round % 8, 0 | 2 | 3), "round {round}");
            }
        }
    }

    #[test]
    fn pieces_of_any_length_add_up() {
        let layout = Layout::bare(true);
        let all: Vec<_> = (0..300_u32).map(|i| (0xf9, i, (i * i) as f32 * 0.1)).collect();
        let bytes = rows(&all);
        for cut in (0..=300).step_by(if cfg!(miri) { 37 } else { 1 }) {
            let mut tallying = Tallying::default();
            tallying.extend(&layout, &bytes[..cut * 9]).unwrap();
            tallying.extend(&layout, &bytes[cut * 9..]).unwrap();
            let want = one_by_one(all.iter().map(|row| row.2));
            assert_eq!(tallying, want, "cut at {cut}");
            let mut totalling = Totalling::default();
            totalling.extend(&layout, &bytes[..cut * 9]).unwrap();
            totalling.extend(&layout, &bytes[cut * 9..]).unwrap();
            assert_eq!(totalling, want.total, "cut at {cut}");
        }
    }

    #[test]
    fn what_is_no_block_is_none() {
        let mut columns = Columns::default();
        let layout = Layout::bare(true);
        let good: Vec<_> = (0..BLOCK as u32).map(|i| (0xf9, i, 1.0)).collect();
        assert!(layout.block(&rows(&good), &mut columns).is_some());
        assert!(layout.block(&rows(&good[1..]), &mut columns).is_none());
        for place in (0..BLOCK).step_by(if cfg!(miri) { 41 } else { 1 }) {
            for flag in [0, 0xfb, 0xff, 0xf8] {
                let mut bad = good.clone();
                bad[place].0 = flag;
                assert!(
                    layout.block(&rows(&bad), &mut columns).is_none(),
                    "{flag:#x} at {place}"
                );
            }
            if place > 0 {
                let mut bad = good.clone();
                // Far before, so that signed and wrapped comparisons differ.
                bad[place - 1].1 = u32::MAX;
                assert!(
                    layout.block(&rows(&bad), &mut columns).is_none(),
                    "descent at {place}"
                );
            }
        }
    }

    #[test]
    fn a_bad_flag_is_found_where_it_is() {
        let layout = Layout::bare(true);
        for place in [0, 7, 8, 100, 127, 128, 200] {
            let mut all: Vec<_> = (0..201_u32).map(|i| (0xf9, i, 1.0)).collect();
            all[place].0 = 0x10;
            let error = Tallying::default().extend(&layout, &rows(&all)).unwrap_err();
            assert_eq!((error.index, error.flag), (place, 0x10));
            let error = Totalling::default().extend(&layout, &rows(&all)).unwrap_err();
            assert_eq!((error.index, error.flag), (place, 0x10));
        }
    }
}
