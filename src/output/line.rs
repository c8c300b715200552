//! A short stretch of text in a place of its own.
//!
//! Millions of numbers are written one after the other. Appending each of
//! their parts to a growing vector costs more than making them; here a point
//! is put together first and appended once.

use super::LONGEST;

/// Bytes of a time and a value, what stands around them, and what is written
/// too far.
pub(super) const POINT: usize = LONGEST + 40;

/// `00` to `99`.
const PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[b'0'; 2]; 100];
    let mut i = 0;
    while i < 100 {
        pairs[i] = [b'0' + (i / 10) as u8, b'0' + (i % 10) as u8];
        i += 1;
    }
    pairs
};

const NINE_DIGITS: u64 = 1_000_000_000;

/// Bytes of a time without its last four digits.
const FRONT: usize = 16;

/// Room for many points.
pub(super) type Lines = Line<4096>;

/// Text of at most `ROOM` bytes.
pub(super) struct Line<const ROOM: usize = POINT> {
    bytes: [u8; ROOM],
    len: usize,
    /// The last time without its last four digits, and its text.
    front: i64,
    front_text: [u8; FRONT],
    front_len: usize,
}

impl<const ROOM: usize> Line<ROOM> {
    pub(super) fn new() -> Self {
        Line { bytes: [0; ROOM], len: 0, front: 0, front_text: [0; FRONT], front_len: 0 }
    }

    /// Appends the text to `out` and begins anew.
    pub(super) fn move_to(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.bytes[..self.len]);
        self.len = 0;
    }

    /// Whether another point might not fit.
    pub(super) fn is_full(&self) -> bool {
        self.len > ROOM - POINT
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    #[inline(always)]
    pub(super) fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    #[inline(always)]
    pub(super) fn put(&mut self, text: &[u8]) {
        // Not worth a call: these are a few bytes.
        for &byte in text {
            self.push(byte);
        }
    }

    pub(super) fn zeros(&mut self, count: usize) {
        for _ in 0..count {
            self.push(b'0');
        }
    }

    /// An integer in decimal.
    #[inline]
    pub(super) fn integer(&mut self, value: i64) {
        if value < 0 {
            self.push(b'-');
        }
        let value = value.unsigned_abs();
        match u32::try_from(value) {
            Ok(value) => self.small(value),
            Err(_) => {
                self.integer((value / NINE_DIGITS) as i64);
                self.digits(value % NINE_DIGITS, 9);
            }
        }
    }

    /// A time in decimal. Times that follow each other share all but their
    /// last digits, which are not made again.
    #[inline]
    pub(super) fn time(&mut self, time: i64) {
        const SHARED: i64 = 10_000;
        if time < SHARED {
            self.integer(time);
            return;
        }
        let (front, rest) = (time / SHARED, (time % SHARED) as usize);
        if front != self.front {
            let from = self.len;
            self.integer(front);
            self.front = front;
            self.front_len = self.len - from;
            self.front_text = [0; FRONT];
            self.front_text[..self.front_len]
                .copy_from_slice(&self.bytes[from..self.len]);
        } else {
            let place = &mut self.bytes[self.len..self.len + FRONT];
            place.copy_from_slice(&self.front_text);
            self.len += self.front_len;
        }
        let place = &mut self.bytes[self.len..self.len + 4];
        place[..2].copy_from_slice(&PAIRS[rest / 100]);
        place[2..].copy_from_slice(&PAIRS[rest % 100]);
        self.len += 4;
    }

    /// Digits are made without a loop, and put so that the first that counts
    /// comes first, without a branch for how many there are.
    #[inline]
    fn small(&mut self, value: u32) {
        if value < 10_000 {
            // Most readings: all in one register.
            let [[a, b], [c, d]] =
                [PAIRS[(value / 100) as usize], PAIRS[(value % 100) as usize]];
            let count = 1
                + usize::from(value >= 10)
                + usize::from(value >= 100)
                + usize::from(value >= 1000);
            let text = u32::from_le_bytes([a, b, c, d]) >> (8 * (4 - count));
            self.bytes[self.len..self.len + 4].copy_from_slice(&text.to_le_bytes());
            self.len += count;
            return;
        }
        const DIGITS: usize = 10;
        let mut text = [0; 2 * DIGITS];
        let mut rest = value;
        for pair in (0..DIGITS / 2).rev() {
            text[2 * pair..2 * pair + 2].copy_from_slice(&PAIRS[(rest % 100) as usize]);
            rest /= 100;
        }
        let count = value.checked_ilog10().map_or(1, |log| log as usize + 1);
        let from = DIGITS - count;
        let place = &mut self.bytes[self.len..self.len + DIGITS];
        place.copy_from_slice(&text[from..from + DIGITS]);
        self.len += count;
    }

    /// The last so many digits of `value`, with zeros in front.
    #[inline]
    pub(super) fn digits(&mut self, value: u64, count: usize) {
        let place = &mut self.bytes[self.len..self.len + count];
        let mut pairs = place.rchunks_exact_mut(2);
        let mut rest = value;
        for pair in &mut pairs {
            pair.copy_from_slice(&PAIRS[(rest % 100) as usize]);
            rest /= 100;
        }
        if let [first] = pairs.into_remainder() {
            *first = b'0' + (rest % 10) as u8;
        }
        self.len += count;
    }

    /// A number of tenths, hundredths or thousandths.
    #[inline]
    pub(super) fn fixed(&mut self, units: u64, places: usize) {
        // Divisions by what the compiler knows.
        let (whole, fraction) = match places {
            1 => (units / 10, units % 10 * 100),
            2 => (units / 100, units % 100 * 10),
            _ => (units / 1000, units % 1000),
        };
        self.small(whole as u32);
        let [tens, ones] = PAIRS[(fraction / 10) as usize];
        let place = &mut self.bytes[self.len..self.len + 4];
        place.copy_from_slice(&[b'.', tens, ones, b'0' + (fraction % 10) as u8]);
        self.len += 1 + places;
    }
}
