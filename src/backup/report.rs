//! What one copy did, for people and for programs.

use super::plan::{self, Decision, Reason};
use super::source::Input;
use std::fmt;
use std::path::{Path, PathBuf};

/// What became of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Outcome {
    /// It held every row already.
    #[default]
    Unchanged = 0,
    /// It was made.
    Created = 1,
    /// Rows were appended, or torn rows at its end cut off.
    Appended = 2,
    /// Rows that it held were overwritten (one copy alone does that only to the
    /// value of the last one), and rows appended if there were any.
    Patched = 3,
    /// It was made anew, and the old one kept under a dated name.
    NewGeneration = 4,
}

/// What one copy did, or would do in a dry run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CopyReport {
    /// What became of the copy.
    pub outcome: Outcome,
    /// Why the old copy could not be carried on.
    pub reason: Option<Reason>,
    /// Rows written.
    pub rows_copied: u64,
    /// Rows in the copy now.
    pub rows_total: u64,
    /// Bytes of rows written.
    pub bytes_copied: u64,
    /// Bytes of the copy now.
    pub bytes_total: u64,
    /// Bytes that were cut off the end of the copy: of a torn row, or zeros in
    /// the place of rows.
    pub bytes_repaired: u64,
    /// Where the old copy was kept.
    pub kept: Option<PathBuf>,
    /// Whether the table's definition was copied, too.
    pub definition_copied: bool,
    /// Whether the copy was there before its catalog was: it was compared as a
    /// whole.
    pub adopted: bool,
    /// Bytes of rows that were overwritten in a run with a catalog, and why.
    pub bytes_overwritten: u64,
    /// What was found to be edited.
    pub edit: Option<String>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

impl Outcome {
    /// All of them, by their numbers.
    pub const ALL: [Outcome; 5] = [
        Outcome::Unchanged,
        Outcome::Created,
        Outcome::Appended,
        Outcome::Patched,
        Outcome::NewGeneration,
    ];

    /// One word, the same in tables and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Unchanged => "unchanged",
            Outcome::Created => "created",
            Outcome::Appended => "appended",
            Outcome::Patched => "patched",
            Outcome::NewGeneration => "new-generation",
        }
    }
}

impl CopyReport {
    /// What is worth saying besides the outcome and the figures.
    pub fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.adopted {
            notes.push("a copy that was here was compared and taken over".into());
        }
        if let Some(edit) = &self.edit {
            notes.push(edit.clone());
        }
        if self.bytes_repaired > 0 {
            let was = if self.dry_run { "to be" } else { "were" };
            notes.push(format!(
                "{} bytes of torn rows {was} cut off",
                self.bytes_repaired
            ));
        }
        if let Some(reason) = &self.reason {
            notes.push(reason.to_string());
        }
        if let Some(name) = self.kept.as_deref().and_then(Path::file_name).map(Path::new)
        {
            notes.push(format!("the old copy is kept as {}", name.display()));
        }
        if self.definition_copied && self.outcome == Outcome::Unchanged {
            notes.push("its definition was copied".into());
        }
        notes
    }
}

impl fmt::Display for CopyReport {
    /// One sentence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dry_run && self.outcome != Outcome::Unchanged {
            f.write_str("would be ")?;
        }
        let (rows, bytes) = (self.rows_copied, self.bytes_copied);
        let s = if rows == 1 { "" } else { "s" };
        match self.outcome {
            Outcome::Unchanged => write!(f, "unchanged, {} rows", self.rows_total)?,
            Outcome::Created => write!(f, "created with {rows} row{s}, {bytes} bytes")?,
            Outcome::Appended if rows == 0 => f.write_str("repaired")?,
            Outcome::Appended => write!(f, "extended by {rows} row{s}, {bytes} bytes")?,
            Outcome::Patched if self.edit.is_some() => {
                write!(f, "brought up to date in {} bytes", self.bytes_overwritten)?;
                if rows > 0 {
                    write!(f, " and extended by {rows} row{s}")?;
                }
            }
            Outcome::Patched => {
                f.write_str("brought up to date in its last row")?;
                if rows > 1 {
                    write!(f, " and extended by {} more", rows - 1)?;
                }
            }
            Outcome::NewGeneration => {
                write!(f, "made anew with {rows} row{s}, {bytes} bytes")?
            }
        }
        for note in self.notes() {
            write!(f, "; {note}")?;
        }
        Ok(())
    }
}

/// The report of a decision, as if it had been carried out.
pub(super) fn report(decision: &Decision, input: &Input, dry_run: bool) -> CopyReport {
    let plan::Source { stride, rows: total } = input.facts();
    let (outcome, reason, rows_copied, torn) = match *decision {
        Decision::Unchanged | Decision::Refuse { .. } => (Outcome::Unchanged, None, 0, 0),
        Decision::Create { rows } => (Outcome::Created, None, rows, 0),
        Decision::Append { torn, rows, .. } => (Outcome::Appended, None, rows, torn),
        Decision::Patch { torn, rows, .. } => (Outcome::Patched, None, rows + 1, torn),
        Decision::NewGeneration { reason, rows } => {
            (Outcome::NewGeneration, Some(reason), rows, 0)
        }
    };
    CopyReport {
        outcome,
        reason,
        rows_copied,
        rows_total: total,
        bytes_copied: rows_copied * stride,
        bytes_total: total * stride,
        bytes_repaired: torn,
        dry_run,
        ..CopyReport::default()
    }
}
