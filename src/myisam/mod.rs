//! How bytes mean rows: pure functions over byte slices.
//!
//! A MyISAM table with fixed rows is three files. The `.MYI` begins with a
//! [`Header`] that says how many bytes of the `.MYD` are committed and how
//! long a row is; the `.frm` (MariaDB, MySQL up to 5.7) or `.sdi` (MySQL 8)
//! names the [`Column`]s and their types; the `.MYD` is nothing but rows. A
//! [`Layout`] joins the first two into what is needed to read the third.
//!
//! The facts come from MariaDB's `storage/myisam` and `sql/table.cc`, from
//! MySQL's data dictionary sources, and from files written by MariaDB 10.11.

mod bytes;
mod checksum;
mod column;
mod frm;
mod header;
mod layout;
mod sdi;
mod tally;

pub use column::{Column, ColumnType, Definition};
pub use frm::parse as parse_frm;
pub use header::{Field, HEAD_MAX, Header};
pub use layout::{BadFlag, Layout, MAX_STRIDE, PLAIN, Row};
pub use sdi::parse as parse_sdi;
pub use tally::{BLOCK, Block, Columns, TALLYING_WORDS, Tally, Tallying, Totalling};
