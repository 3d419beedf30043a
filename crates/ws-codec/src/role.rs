use std::fmt;

/// Which end of the connection this is (RFC 6455, section 5.1: a client masks what it sends, a server does not).
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Role {
    /// The end that dialed, with the seed of its masking keys.
    Client(MaskSeed),
    /// The end that was dialed.
    Server,
}

/// 32 bytes of entropy, from which a client's masking keys are derived.
///
/// The keys must not be foreseeable (RFC 6455, section 10.3), so the bytes come from the operating system, and each
/// connection has its own.
#[derive(Clone)]
pub struct MaskSeed(pub(crate) [u8; 32]);

impl MaskSeed {
    /// A seed of these bytes.
    pub const fn new(entropy: [u8; 32]) -> Self {
        Self(entropy)
    }
}

impl fmt::Debug for MaskSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MaskSeed(..)")
    }
}
