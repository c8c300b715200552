//! Files that are whole and have no name yet. They get it only when they are on
//! the disk, so that a power cut leaves nothing half there under a copy's name.

use super::folder::Folder;
use crate::error::Result;
use crate::feed::changed;
use std::ffi::{OsStr, OsString};

/// A change of names that is left for when all is on the disk.
pub(super) enum Naming {
    /// A file gets a name that nothing has.
    New { partial: OsString, name: OsString },
    /// A file takes the place of what has its name, if anything has.
    Replace { partial: OsString, name: OsString },
    /// A file goes.
    Remove(OsString),
}

impl Naming {
    /// The file, as long as it has no name.
    pub(super) fn partial(&self) -> Option<&OsStr> {
        match self {
            Naming::New { partial, .. } | Naming::Replace { partial, .. } => {
                Some(partial)
            }
            Naming::Remove(_) => None,
        }
    }

    pub(super) fn carry_out(&self, folder: &Folder) -> Result<()> {
        match self {
            Naming::New { partial, name } => match folder.rename(partial, name)? {
                true => Ok(()),
                // Somebody put a file there meanwhile.
                false => Err(changed().at(&folder.join(name))),
            },
            Naming::Replace { partial, name } => folder.replace(partial, name),
            Naming::Remove(name) => folder.remove(name),
        }
    }

    /// Removes the file that is to have no name. Should that fail, the next copy
    /// removes it.
    pub(super) fn give_up(&self, folder: &Folder) {
        if let Some(partial) = self.partial() {
            let _ = folder.remove(partial);
        }
    }
}
