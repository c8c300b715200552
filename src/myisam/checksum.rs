//! The live checksum of a table (`CHECKSUM=1`): the sum of the CRC-32 of its
//! live rows, which `CHECKSUM TABLE … EXTENDED` computes of any table.
//!
//! The CRC runs over the flag byte and then each column as it lies there. The
//! padding is never covered, and the bytes of a NULL column only where the
//! header lacks `HA_OPTION_NULL_FIELDS` (`mi_checksum` in
//! `storage/myisam/mi_checksum.c`, `handler::checksum` in `sql/handler.cc`).

use super::layout::Layout;
use crc32fast::Hasher;

impl Layout {
    /// The sum over the live rows of `rows`, which begin with whole ones.
    /// `skip_nulls`: whether the bytes of NULL columns are left out.
    pub fn checksum(&self, rows: &[u8], skip_nulls: bool) -> u32 {
        let end = self.record_length();
        let null_bits = if skip_nulls { self.null_bits() } else { 0 };
        rows.chunks_exact(self.stride())
            .filter(|row| row[0] & 1 != 0)
            .map(|row| {
                if row[0] & null_bits == 0 {
                    return crc32fast::hash(&row[..end]);
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
