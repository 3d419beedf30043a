//! The other direction.

use std::cell::RefCell;
use std::io::{self, Write};
use std::rc::Rc;

use super::Coding;

pub(super) fn encoded(coding: Coding, body: &[u8]) -> Vec<u8> {
    match coding {
        // By its own function: a large body at once.
        #[cfg(feature = "zstd")]
        Coding::Zstd => {
            let mut frame = Vec::with_capacity(zstd_safe::compress_bound(body.len()));
            zstd_safe::compress(&mut frame, body, 3).unwrap();
            frame
        }
        coding => flushed(coding, &[body.to_vec()]).concat(),
    }
}

/// What a server sends that flushes its compressor behind each of `pieces`: one item for each, and one for the end.
pub(super) fn flushed(coding: Coding, pieces: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let sink = Sink::default();
    match coding {
        #[cfg(feature = "gzip")]
        Coding::Gzip => {
            let encoder = flate2::write::GzEncoder::new(sink.clone(), flate2::Compression::default());
            write_flushed(pieces, encoder, &sink)
        }
        #[cfg(feature = "gzip")]
        Coding::Deflate => {
            let encoder = flate2::write::ZlibEncoder::new(sink.clone(), flate2::Compression::default());
            write_flushed(pieces, encoder, &sink)
        }
        #[cfg(feature = "brotli")]
        Coding::Brotli => write_flushed(pieces, brotli::CompressorWriter::new(sink.clone(), 4096, 3, 20), &sink),
        #[cfg(feature = "zstd")]
        Coding::Zstd => {
            write_flushed(pieces, ZstdWriter { context: zstd_safe::CCtx::create(), sink: sink.clone() }, &sink)
        }
        #[allow(unreachable_patterns)]
        other => {
            write_flushed(pieces, sink.clone(), &sink);
            panic!("{other} is not built in")
        }
    }
}

/// An encoder writes its end when it is dropped.
fn write_flushed(pieces: &[Vec<u8>], mut encoder: impl Write, sink: &Sink) -> Vec<Vec<u8>> {
    let mut coded = Vec::new();
    for piece in pieces {
        encoder.write_all(piece).unwrap();
        encoder.flush().unwrap();
        coded.push(sink.take());
    }
    drop(encoder);
    coded.push(sink.take());
    coded
}

#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Sink {
    fn take(&self) -> Vec<u8> {
        self.0.take()
    }
}

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(feature = "zstd")]
struct ZstdWriter {
    context: zstd_safe::CCtx<'static>,
    sink: Sink,
}

#[cfg(feature = "zstd")]
impl Write for ZstdWriter {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut room = Vec::with_capacity(zstd_safe::compress_bound(data.len()) + 1024);
        let mut from = zstd_safe::InBuffer::around(data);
        self.context.compress_stream(&mut zstd_safe::OutBuffer::around(&mut room), &mut from).unwrap();
        self.sink.write_all(&room)?;
        Ok(from.pos())
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut missing = 1;
        while missing > 0 {
            let mut room = Vec::with_capacity(64 * 1024);
            missing = self.context.flush_stream(&mut zstd_safe::OutBuffer::around(&mut room)).unwrap();
            self.sink.write_all(&room)?;
        }
        Ok(())
    }
}

#[cfg(feature = "zstd")]
impl Drop for ZstdWriter {
    fn drop(&mut self) {
        let mut room = Vec::with_capacity(64 * 1024);
        assert_eq!(self.context.end_stream(&mut zstd_safe::OutBuffer::around(&mut room)).unwrap(), 0);
        self.sink.write_all(&room).unwrap();
    }
}
