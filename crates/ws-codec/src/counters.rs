/// What has passed over a connection since it was opened: what an idle timer (bytes) and a progress timer (messages)
/// need to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Counters {
    /// Bytes read from the peer, frame headers included.
    pub bytes_received: u64,
    /// Bytes written, frame headers included.
    pub bytes_sent: u64,
    /// Frames read whole.
    pub frames_received: u64,
    /// Frames put into the write buffer.
    pub frames_sent: u64,
    /// Text and binary messages read whole.
    pub messages_received: u64,
    /// Messages whose last frame was put into the write buffer.
    pub messages_sent: u64,
    /// Pings read. Not each of them has been answered: of several, the newest is.
    pub pings_received: u64,
    /// Pongs read, unsolicited ones too.
    pub pongs_received: u64,
    /// Pings put into the write buffer.
    pub pings_sent: u64,
    /// Pongs put into the write buffer.
    pub pongs_sent: u64,
}
