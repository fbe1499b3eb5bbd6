//! Files of ours that other code of the process may close.

use std::fs::File;
use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// An open file that knows when other code of the process has closed its descriptor, whose number
/// may be that of another file by then.
pub struct OwnFile {
    file: ManuallyDrop<File>,
    identity: Option<(u64, u64)>,
}

impl OwnFile {
    /// Takes a file that has just been opened.
    #[must_use]
    pub fn new(file: File) -> Self {
        Self {
            identity: identity(&file),
            file: ManuallyDrop::new(file),
        }
    }

    /// Opens a file for reading.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        File::open(path).map(Self::new)
    }

    /// Whether the descriptor still is that of the file.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.identity.is_some() && identity(&self.file) == self.identity
    }
}

impl Deref for OwnFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl Drop for OwnFile {
    /// Closes the file, but not what somebody else has opened in its place.
    fn drop(&mut self) {
        if self.is_intact() {
            // SAFETY: dropped once; nobody uses it after this.
            unsafe { ManuallyDrop::drop(&mut self.file) }
        }
    }
}

fn identity(file: &File) -> Option<(u64, u64)> {
    let facts = file.metadata().ok()?;
    Some((facts.dev(), facts.ino()))
}
