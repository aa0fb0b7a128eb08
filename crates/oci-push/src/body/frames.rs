//! Buffers for frames, used again once the connection has taken them. A fresh one for each frame costs a fault for each
//! of its pages, and zeros that nobody reads: a tenth of the processor time of a large push.

use std::sync::{Arc, Mutex, PoisonError};

/// The buffers of one body that are not on their way.
#[derive(Debug, Clone, Default)]
pub(super) struct Frames(Arc<Mutex<Vec<Vec<u8>>>>);

/// A buffer that goes back when it is dropped.
#[derive(Debug)]
pub(super) struct Frame {
    buffer: Vec<u8>,
    length: usize,
    home: Frames,
}

impl Frames {
    /// A buffer for `length` bytes, whose content means nothing.
    pub(super) fn take(&self, length: usize) -> Frame {
        let mut idle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffer = idle.pop().unwrap_or_default();
        drop(idle);
        if buffer.len() < length {
            // Zeroed by the operating system, in no time.
            buffer = vec![0; length];
        }
        Frame {
            buffer,
            length,
            home: self.clone(),
        }
    }
}

impl Frame {
    pub(super) fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[..self.length]
    }
}

impl AsRef<[u8]> for Frame {
    fn as_ref(&self) -> &[u8] {
        &self.buffer[..self.length]
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        let mut idle = self.home.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push(buffer);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_used_again_and_shows_no_more_than_its_length() {
        let frames = Frames::default();
        let mut first = frames.take(100);
        first.bytes_mut().fill(7);
        let second = frames.take(100);
        let address = first.as_ref().as_ptr();
        drop(first);
        let shorter = frames.take(40);
        assert_eq!(shorter.as_ref(), [7; 40]);
        assert_eq!(shorter.as_ref().as_ptr(), address);
        drop((shorter, second));
        assert_eq!(frames.take(300).as_ref().len(), 300);
    }
}
