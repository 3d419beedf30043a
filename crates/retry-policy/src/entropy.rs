//! Where random bits come from: the caller.

/// A source of uniformly distributed random bits.
///
/// The same bits give the same decisions. A source that yields [`u64::MAX`] gives the longest waits, one that yields 0
/// the shortest.
pub trait Entropy {
    /// The next 64 bits.
    fn next_u64(&mut self) -> u64;
}

impl<E: Entropy + ?Sized> Entropy for &mut E {
    fn next_u64(&mut self) -> u64 {
        (**self).next_u64()
    }
}

/// A small deterministic generator (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
///
/// Good enough to spread waits, not for secrets. Clients must not share a seed, or they come back in step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// A generator; any seed will do.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Entropy for SplitMix64 {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_generator_gives_its_published_sequence() {
        let mut generator = SplitMix64::new(1_234_567);
        let drawn = [generator.next_u64(), generator.next_u64(), generator.next_u64()];
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }
}
