/// How much a connection may hold in memory. Every limit is finite: values beyond the range are brought into it.
///
/// A limit holds when the header of a frame announces the size, before any of its bytes are waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    pub(crate) message: usize,
    pub(crate) frame: usize,
    pub(crate) fragments: usize,
    pub(crate) outgoing: usize,
    pub(crate) fragment_size: usize,
}

impl Limits {
    /// The largest value of any size here: 256 MiB.
    pub const CEILING: usize = 256 << 20;

    /// 32 MiB for a received message and for a frame, 262,144 fragments in a message, 16,777,215 bytes for a message
    /// to send, sent in fragments of 128 KiB.
    pub const fn new() -> Self {
        Self {
            message: 32 << 20,
            frame: 32 << 20,
            fragments: 1 << 18,
            outgoing: (16 << 20) - 1,
            fragment_size: 128 << 10,
        }
    }

    /// The largest message that is received, in bytes, up to [`CEILING`](Self::CEILING). Default 32 MiB.
    pub const fn max_message_bytes(mut self, bytes: usize) -> Self {
        self.message = clamp(bytes, 0, Self::CEILING);
        self
    }

    /// The largest data frame that is received, in bytes, up to [`CEILING`](Self::CEILING). Default 32 MiB.
    pub const fn max_frame_bytes(mut self, bytes: usize) -> Self {
        self.frame = clamp(bytes, 0, Self::CEILING);
        self
    }

    /// The most fragments of a received message, at least 1: empty fragments take no memory, but no message needs
    /// endless ones. Default 262,144.
    pub const fn max_fragments(mut self, count: usize) -> Self {
        self.fragments = clamp(count, 1, usize::MAX);
        self
    }

    /// The largest message that may be sent, in bytes, up to [`CEILING`](Self::CEILING). Default 16,777,215: services
    /// are known that close with 1009 from 16 MiB on.
    pub const fn max_outgoing_bytes(mut self, bytes: usize) -> Self {
        self.outgoing = clamp(bytes, 0, Self::CEILING);
        self
    }

    /// The largest frame that is sent, in bytes of payload, from 1 to [`CEILING`](Self::CEILING). A larger message
    /// goes out in fragments, so that an answer to a ping waits for no more than this. Default 128 KiB.
    pub const fn fragment_bytes(mut self, bytes: usize) -> Self {
        self.fragment_size = clamp(bytes, 1, Self::CEILING);
        self
    }

    /// The limit set by [`max_message_bytes`](Self::max_message_bytes), in bytes.
    pub const fn get_max_message_bytes(&self) -> usize {
        self.message
    }

    /// The limit set by [`max_outgoing_bytes`](Self::max_outgoing_bytes), in bytes.
    pub const fn get_max_outgoing_bytes(&self) -> usize {
        self.outgoing
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::new()
    }
}

/// `Ord::clamp` is not const.
const fn clamp(value: usize, low: usize, high: usize) -> usize {
    if value < low {
        low
    } else if value > high {
        high
    } else {
        value
    }
}
