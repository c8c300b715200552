//! The definition of the table that goes with a copy.

use super::Look;
use crate::backup::held::{Partial, Place};
use crate::backup::naming::Naming;
use crate::backup::options::Recheck;
use crate::backup::plan::Columns;
use crate::backup::report::CopyReport;
use crate::backup::source::DefinitionFile;
use crate::error::Result;
use std::ffi::OsString;

impl<'a> Look<'a, '_, '_> {
    /// Whether the copy's definition, which the catalog knows of, is not there.
    pub(super) fn is_definition_gone(&self) -> Result<bool> {
        let (Some(folder), Some(file)) = (self.context.folder, &self.input.definition)
        else {
            return Ok(false);
        };
        let name = Place { folder, name: self.name }.sibling(&file.suffix);
        let Some(there) = folder.stat(&name)? else { return Ok(true) };
        folder.demand_regular(&name, &there)?;
        Ok(false)
    }

    /// What gives the copy the table's definition if it has another.
    pub(super) fn new_definition(
        &self,
        place: &Place<'a, '_>,
        report: &mut CopyReport,
    ) -> Result<Vec<Naming>> {
        let glance = &self.context.glance;
        let known = self.entry.filter(|entry| {
            // Else the copy's is read, too.
            self.definition == entry.definition
                && glance.recheck != Recheck::All
                && !glance.is_suspicious(entry)
                && !glance.is_copy_due(entry, 0)
        });
        if known.is_some() && !self.is_definition_gone()? {
            return Ok(Vec::new());
        }
        let outdated = place.outdated_definitions(self.input, Columns::Same)?;
        let prepared = self.prepare_definition(place)?;
        report.definition_copied = prepared.is_some();
        let replace = prepared.map(|(name, partial)| Naming::Replace {
            partial: partial.put_aside(),
            name,
        });
        Ok(replace.into_iter().chain(outdated.into_iter().map(Naming::Remove)).collect())
    }

    pub(super) fn prepare_definition(
        &self,
        place: &Place<'a, '_>,
    ) -> Result<Option<(OsString, Partial<'a>)>> {
        let Some(DefinitionFile { suffix, bytes }) = &self.input.definition else {
            return Ok(None);
        };
        let name = place.sibling(suffix);
        if place.read_definition(suffix)?.as_ref() == Some(bytes) {
            return Ok(None);
        }
        Partial::sweep(place.folder, &name)?;
        let partial = Partial::filled(place.folder, &name, bytes)?;
        if let Some(there) = place.folder.stat(&name)? {
            place.folder.adopt(&partial.file, partial.name(), &there)?;
        }
        Ok(Some((name, partial)))
    }
}
