//! As much of DER (ITU-T X.690) as certificates need here.

/// One element.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) content: &'a [u8],
    /// With tag and length.
    pub(crate) whole: &'a [u8],
}

/// Takes the first element from `input`; `None` when there is none. Tags above 30 are not known.
pub(crate) fn take<'a>(input: &mut &'a [u8]) -> Option<Element<'a>> {
    let [tag, first, rest @ ..] = *input else {
        return None;
    };
    let (length, header) = match *first {
        short @ ..0x80 => (usize::from(short), 2),
        long => {
            let count = usize::from(long & 0x7f);
            if !(1..=4).contains(&count) {
                return None;
            }
            let length = rest.get(..count)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            (length, 2 + count)
        }
    };
    let whole = input.get(..header.checked_add(length)?)?;
    *input = &input[whole.len()..];
    Some(Element { tag: *tag, content: &whole[header..], whole })
}

#[cfg(test)]
mod tests {
    use super::take;

    /// The length of the first element's content and of what is behind it.
    fn check(input: &[u8], expected: Option<(usize, usize)>) {
        let mut rest = input;
        let found = take(&mut rest).map(|element| (element.content.len(), rest.len()));
        assert_eq!(found, expected, "{input:?}");
    }

    #[test]
    fn lengths_are_read_in_all_their_forms_and_never_beyond_the_end() {
        check(&[0x30, 0], Some((0, 0)));
        check(&[0x30, 2, 1, 2, 9], Some((2, 1)));
        check(&[0x30, 0x81, 2, 1, 2, 9], Some((2, 1)));
        check(&[0x30, 0x84, 0, 0, 0, 1, 2], Some((1, 0)));
        for broken in [&[][..], &[0x30], &[0x30, 1], &[0x30, 0x80, 0], &[0x30, 0x81], &[0x30, 0x82, 0xff]] {
            check(broken, None);
        }
        check(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0], None);
        check(&[0x30, 0x85, 0, 0, 0, 0, 1, 0], None);
    }
}
