//! Names of files on the device: flushing a file does not flush them.

use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Sees that the name of a file, and those of the directories it lies in, survive power loss.
/// Directories we may not read are left out, and so is what another file system holds.
///
/// # Errors
/// What the operating system says.
pub fn flush_names(path: &Path) -> io::Result<()> {
    let path = path.canonicalize()?;
    let device = path.metadata()?.dev();
    for directory in path.ancestors().skip(1) {
        let directory = match File::open(directory) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => continue,
            opened => opened?,
        };
        if directory.metadata()?.dev() != device {
            break;
        }
        match directory.sync_all() {
            // Some file systems cannot flush a directory.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
            flushed => flushed?,
        }
    }
    Ok(())
}
