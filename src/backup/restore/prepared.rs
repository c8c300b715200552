//! A feed that is written and has not got its name yet.

use super::Restored;
use crate::backup::folder::Folder;
use crate::backup::held::{Partial, Place};
use crate::error::{Error, Result, Status};
use std::ffi::{OsStr, OsString};

/// A feed that is written whole, under names of its own; they are removed
/// unless it is published.
pub struct Prepared<'r> {
    pub(super) to: Option<&'r Folder>,
    pub(super) name: OsString,
    pub(super) rows: Option<Partial<'r>>,
    pub(super) definition: Option<(OsString, Partial<'r>)>,
    pub(super) outdated: Vec<OsString>,
    pub(super) removes_index: bool,
    pub(super) replaces: bool,
    pub(super) restored: Restored,
}

impl Prepared<'_> {
    /// What will have been put back.
    pub fn restored(&self) -> &Restored {
        &self.restored
    }

    /// Gives the files their names. [`Statements::before`](super::Statements::before) must have been
    /// executed.
    pub fn publish(self) -> Result<Restored> {
        let (Some(to), Some(rows)) = (self.to, self.rows) else {
            return Ok(self.restored);
        };
        if self.removes_index {
            // An index of other rows would have the server overwrite these.
            let place = Place { folder: to, name: &self.name };
            to.remove(&place.sibling(OsStr::new(".MYI")))?;
        }
        for name in &self.outdated {
            to.remove(name)?;
        }
        let publish = |name: &OsStr, mut partial: Partial| {
            if self.replaces {
                return partial.publish(name);
            }
            if partial.publish_new(name)? {
                return Ok(());
            }
            let why = "somebody put this there meanwhile";
            Err(Error::new(Status::Changed, why).at(&to.join(name)))
        };
        match self.definition {
            // Rows alone would be taken for a feed of PHPTimeSeries, should this be
            // cut short; a definition alone for nothing.
            Some((name, definition)) if !self.replaces => {
                publish(&name, definition)?;
                if let Err(error) = publish(&self.name, rows) {
                    let _ = to.remove(&name);
                    return Err(error);
                }
            }
            definition => {
                publish(&self.name, rows)?;
                if let Some((name, definition)) = definition {
                    publish(&name, definition)?;
                }
            }
        }
        to.sync()?;
        Ok(self.restored)
    }
}
