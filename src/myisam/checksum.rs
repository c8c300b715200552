//! The live checksum of a table (`CHECKSUM=1`): the sum of the CRC-32 of its
//! live rows, which `CHECKSUM TABLE … EXTENDED` computes of any table.
//!
//! The CRC runs over the flag byte and then each column as it lies there. The
//! padding is never covered, and the bytes of a NULL column only where the
//! header lacks `HA_OPTION_NULL_FIELDS` (`mi_checksum` in
//! `storage/myisam/mi_checksum.c`, `handler::checksum` in `sql/handler.cc`).

use super::layout::{Layout, PLAIN};
use crc32fast::Hasher;

/// A CRC is linear: that of a message is that of as many zeros, changed by each
/// byte for itself. For short rows of one length that is quicker than any
/// general way, by several times.
const BYTES: [[u32; 256]; PLAIN] = {
    let mut table = [[0; 256]; PLAIN];
    let mut place = 0;
    while place < PLAIN {
        let mut byte = 0;
        while byte < 256 {
            // Itself, and the bytes behind it.
            table[place][byte] = divided(byte as u32, PLAIN - place);
            byte += 1;
        }
        place += 1;
    }
    table
};

/// The CRC-32 of [`PLAIN`] zeros.
const ZEROS: u32 = !divided(u32::MAX, PLAIN);

/// The remainder of CRC-32's division after so many more bytes, which are zero.
const fn divided(mut rest: u32, bytes: usize) -> u32 {
    let mut bits = 8 * bytes;
    while bits > 0 {
        rest = if rest & 1 != 0 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 };
        bits -= 1;
    }
    rest
}

#[inline(always)]
fn plain_crc(row: &[u8; PLAIN]) -> u32 {
    BYTES
        .iter()
        .zip(row)
        .fold(ZEROS, |crc, (table, &byte)| crc ^ table[usize::from(byte)])
}

impl Layout {
    /// The sum over the live rows of `rows`, which begin with whole ones.
    /// `skip_nulls`: whether the bytes of NULL columns are left out.
    pub fn checksum(&self, rows: &[u8], skip_nulls: bool) -> u32 {
        let end = self.record_length();
        let null_bits = if skip_nulls { self.null_bits() } else { 0 };
        rows.chunks_exact(self.stride())
            .filter(|row| !self.is_deleted(row))
            .map(|row| {
                if row[0] & null_bits == 0 {
                    let row = &row[..end];
                    return match row.try_into() {
                        Ok(row) => plain_crc(row),
                        Err(_) => crc32fast::hash(row),
                    };
                }
                let mut crc = Hasher::new();
                crc.update(&row[..1]);
                self.each_column(|null_bit, bytes| {
                    if row[0] & null_bit == 0 {
                        crc.update(&row[bytes]);
                    }
                });
                crc.finalize()
            })
            .fold(0, u32::wrapping_add)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crc_of_a_plain_row_is_that_of_any_nine_bytes() {
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..if cfg!(miri) { 50 } else { 2_000 } {
            let mut row = [0; PLAIN];
            random.fill(&mut row);
            assert_eq!(plain_crc(&row), crc32fast::hash(&row), "{row:?}");
        }
        assert_eq!(plain_crc(&[0; PLAIN]), crc32fast::hash(&[0; PLAIN]));
    }
}
