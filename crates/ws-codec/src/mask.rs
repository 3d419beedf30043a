//! Masking (RFC 6455, section 5.3).

use crate::MaskSeed;

/// The masking keys of a client: SHA-1 of seed and counter, so that none foretells the next (section 10.3).
#[derive(Debug)]
pub(crate) struct MaskKeys {
    seed: MaskSeed,
    counter: u64,
    block: [u8; 20],
    used: usize,
}

impl MaskKeys {
    pub(crate) fn new(seed: MaskSeed) -> Self {
        Self { seed, counter: 0, block: [0; 20], used: 20 }
    }

    pub(crate) fn next(&mut self) -> [u8; 4] {
        if self.used == self.block.len() {
            let mut hash = sha1_smol::Sha1::from(self.seed.0);
            hash.update(&self.counter.to_be_bytes());
            self.block = hash.digest().bytes();
            self.counter += 1;
            self.used = 0;
        }
        let mut key = [0; 4];
        key.copy_from_slice(&self.block[self.used..self.used + 4]);
        self.used += 4;
        key
    }
}

/// Masks or unmasks `bytes`, which begin at `offset` of their frame's payload.
pub(crate) fn apply(bytes: &mut [u8], key: [u8; 4], offset: usize) {
    let mut key = key;
    key.rotate_left(offset % 4);
    let [a, b, c, d] = key;
    let wide = u64::from_ne_bytes([a, b, c, d, a, b, c, d]);
    let mut words = bytes.chunks_exact_mut(8);
    for word in &mut words {
        for (byte, mask) in word.iter_mut().zip(wide.to_ne_bytes()) {
            *byte ^= mask;
        }
    }
    for (byte, mask) in words.into_remainder().iter_mut().zip(key.iter().cycle()) {
        *byte ^= mask;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{MaskKeys, apply};
    use crate::MaskSeed;

    #[test]
    fn keys_depend_on_the_seed_and_do_not_repeat() {
        let keys = |seed| {
            let mut keys = MaskKeys::new(MaskSeed::new([seed; 32]));
            std::iter::repeat_with(move || keys.next()).take(1000).collect::<std::collections::HashSet<_>>()
        };
        assert_eq!(keys(1).len(), 1000);
        assert_eq!(keys(1).intersection(&keys(2)).count(), 0);
    }

    proptest! {
        #[test]
        fn masking_in_parts_is_the_sum_of_the_rule(
            bytes in proptest::collection::vec(any::<u8>(), 0..70), key in any::<[u8; 4]>(), cut in any::<prop::sample::Index>(),
        ) {
            let expected: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| byte ^ key[at % 4]).collect();
            let mut masked = bytes;
            let cut = cut.index(masked.len() + 1);
            let (head, tail) = masked.split_at_mut(cut);
            apply(head, key, 0);
            apply(tail, key, cut);
            prop_assert_eq!(masked, expected);
        }
    }
}
