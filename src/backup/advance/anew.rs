//! Copies that become a file of their own: new ones, and those that cannot be
//! carried on.

use super::{Advance, Advanced, Held, Look, cut_off, stopped};
use crate::backup::catalog::Commit;
use crate::backup::generation::Exchange;
use crate::backup::held::{Partial, Place};
use crate::backup::naming::Naming;
use crate::backup::plan::{Columns, Reason};
use crate::backup::report::Outcome;
use crate::error::{Error, Result};

impl<'a> Look<'a, '_, '_> {
    pub(super) fn create(&mut self, place: &Place<'a, '_>) -> Result<Advance<'a>> {
        let to = self.rows.min(self.rows_of_a_commit());
        if self.is_dry() {
            return Ok(Advance::only(self.report(Outcome::Created, 0..self.rows)));
        }
        Partial::sweep(place.folder, place.name)?;
        let partial = Partial::create(place.folder, place.name)?;
        let written = self.copy_to(&partial, 0..to)?;
        let mut report = self.report(Outcome::Created, 0..written.to);
        let commit = self.commit(&written, false)?;
        let mut names = self.new_definition(place, &mut report)?;
        let name = place.name.to_owned();
        names.push(Naming::New { partial: partial.put_aside(), name });
        let commit = Commit { loses: self.entry.is_some(), ..commit };
        let more = written.to < self.rows && !written.stopped;
        let commit = Some(commit);
        let advanced = Advanced { report, commit, edit: None, names, more };
        Ok(Advance { advanced, exchange: None })
    }

    /// Copies the whole feed to a new file, which is to become the copy.
    pub(super) fn replace(
        &mut self,
        place: &Place<'a, '_>,
        held: &Held,
        columns: Columns,
        reason: Reason,
    ) -> Result<Option<Advance<'a>>> {
        if self.context.small_only {
            return Ok(None);
        }
        let mut report = self.report(Outcome::NewGeneration, 0..self.rows);
        report.reason = Some(reason);
        report.adopted = held.adopted;
        if self.is_dry() {
            return Ok(Some(Advance::only(report)));
        }
        if self.must_enter(held) {
            return self.enter(place, held).map(Some);
        }
        // Rows that were appended before it turned out that there is no use in it.
        cut_off(held, place)?;
        Partial::sweep(place.folder, place.name)?;
        let partial = Partial::create(place.folder, place.name)?;
        let written = self.copy_to(&partial, 0..self.rows)?;
        if written.stopped {
            return Err(stopped());
        }
        let there = rustix::fs::fstat(&held.file)
            .map_err(|e| Error::io("inspect", &place.path(), e.into()))?;
        place.folder.adopt(&partial.file, partial.name(), &there)?;
        let definition = self.prepare_definition(place)?;
        report.definition_copied = definition.is_some();
        let outdated = place.outdated_definitions(self.input, columns)?;
        let commit = self.commit(&written, true)?;
        let exchange = Exchange {
            rows: partial,
            definition,
            outdated,
            other_columns: columns == Columns::Other,
        };
        let commit = Some(commit);
        let names = Vec::new();
        let advanced = Advanced { report, commit, edit: None, names, more: false };
        Ok(Some(Advance { advanced, exchange: Some(exchange) }))
    }
}
