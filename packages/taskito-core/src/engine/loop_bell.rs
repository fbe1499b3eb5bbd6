//! Wakes an event loop: a pipe that is readable while there is something to take. Used under
//! the lock of the desk only.

use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsRawFd, RawFd};

/// Silent until the loop has asked for the descriptor.
#[derive(Default)]
pub(super) struct LoopBell {
    pipe: Option<(PipeReader, PipeWriter)>,
    rung: bool,
}

impl LoopBell {
    /// What the loop waits for.
    pub(super) fn descriptor(&mut self) -> io::Result<RawFd> {
        if let Some((reader, _)) = &self.pipe {
            return Ok(reader.as_raw_fd());
        }
        let pipe = io::pipe()?;
        let descriptor = pipe.0.as_raw_fd();
        self.pipe = Some(pipe);
        Ok(descriptor)
    }

    /// Makes the pipe readable. At most one byte is in it, so this never blocks.
    pub(super) fn ring(&mut self) {
        if let Some((_, writer)) = &mut self.pipe
            && !self.rung
        {
            self.rung = writer.write_all(&[1]).is_ok();
        }
    }

    /// Makes it unreadable again.
    pub(super) fn silence(&mut self) {
        if let Some((reader, _)) = &mut self.pipe
            && self.rung
        {
            self.rung = reader.read_exact(&mut [0]).is_err();
        }
    }
}
