//! Numbers and pieces out of the bytes that a fuzzer makes.

/// What is left of an input. It never runs out: behind its end are zeros.
pub struct Input<'a>(pub &'a [u8]);

impl<'a> Input<'a> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let piece = self.take(N);
        array[..piece.len()].copy_from_slice(piece);
        array
    }

    /// So many bytes, or what there is.
    pub fn take(&mut self, len: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// A piece that says how long it is.
    pub fn piece(&mut self) -> &'a [u8] {
        let len = self.u16();
        self.take(len.into())
    }

    pub fn u8(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    pub fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    pub fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    pub fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }

    /// A number near `base`, near an end of what there is, or any.
    pub fn near(&mut self, base: i64) -> i64 {
        match self.u8() % 8 {
            0..=3 => base.wrapping_add((self.u16() as i16).into()),
            4 => self.u32().into(),
            5 => i64::from(u32::MAX) + i64::from(self.u8() as i8),
            6 => i64::MAX.wrapping_add((self.u8() as i8).into()),
            _ => self.u64() as i64,
        }
    }

    pub fn f64(&mut self, base: i64) -> f64 {
        match self.u8() % 4 {
            0 => f64::from_bits(self.u64()),
            1 => [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 5e-324, f64::MAX]
                [usize::from(self.u8() % 6)],
            _ => self.near(base) as f64,
        }
    }
}

/// A piece as [`Input::piece`] reads it.
pub fn piece(bytes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(bytes.len()).expect("a piece of 64 KiB at most");
    [&len.to_le_bytes(), bytes].concat()
}
