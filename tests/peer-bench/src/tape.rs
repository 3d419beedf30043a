//! A byte stream in memory that behaves as a busy socket does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Plays a block of bytes again and again. Every read gives at most a set number of bytes, and after each the stream
/// is `Pending` once, as a socket is that was read empty. What is written is dropped.
#[derive(Debug)]
pub struct Tape {
    block: Bytes,
    blocks_left: u64,
    position: usize,
    read_bytes: usize,
    pause: bool,
}

impl Tape {
    /// `block` played `blocks` times, at most `read_bytes` a read.
    pub fn new(block: Bytes, blocks: u64, read_bytes: usize) -> Self {
        Self { block, blocks_left: blocks, position: 0, read_bytes, pause: false }
    }
}

impl AsyncRead for Tape {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if std::mem::take(&mut self.pause) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.blocks_left == 0 {
            return Poll::Ready(Ok(()));
        }
        let mut room = self.read_bytes.min(buffer.remaining());
        while room > 0 && self.blocks_left > 0 {
            let until = self.block.len().min(self.position + room);
            buffer.put_slice(&self.block[self.position..until]);
            room -= until - self.position;
            self.position = until;
            if until == self.block.len() {
                self.position = 0;
                self.blocks_left -= 1;
            }
        }
        self.pause = true;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tape {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
