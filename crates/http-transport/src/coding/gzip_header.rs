//! The header of a gzip member (RFC 1952, section 2.3), byte by byte.

use flate2::Crc;

/// Before the first optional field.
const FIXED: usize = 10;

const FHCRC: u8 = 1 << 1;
const FEXTRA: u8 = 1 << 2;
const FNAME: u8 = 1 << 3;
const FCOMMENT: u8 = 1 << 4;
const RESERVED: u8 = 0xe0;

/// As much of a header as has come. What it says is of no interest, only where it ends.
pub(super) struct Header {
    part: Part,
    /// The optional fields that are still to come.
    flags: u8,
    crc: Crc,
}

enum Part {
    /// So many bytes of the fixed part are there.
    Fixed(usize),
    /// The length of the extra field: no byte of it, or the first.
    ExtraLength(Option<u8>),
    /// So many bytes of the extra field are missing.
    Extra(u16),
    /// Text up to a zero byte.
    Text,
    /// The checksum over all of the above: no byte of it, or the first.
    Checksum(Option<u8>),
    End,
}

impl Header {
    pub(super) fn new() -> Self {
        Self { part: Part::Fixed(0), flags: 0, crc: Crc::new() }
    }

    pub(super) fn is_whole(&self) -> bool {
        matches!(self.part, Part::End)
    }

    /// Takes the next byte, if the header has not ended; `Err` says what is wrong with it.
    pub(super) fn take(&mut self, byte: u8) -> Result<(), &'static str> {
        let sum = self.crc.sum().to_le_bytes();
        self.crc.update(&[byte]);
        self.part = match self.part {
            Part::Fixed(at) => {
                match (at, byte) {
                    (0, 0x1f) | (1, 0x8b) | (2, 8) | (4.., _) => {}
                    (3, flags) if flags & RESERVED == 0 => self.flags = flags,
                    (3, _) => return Err("its header has unknown flags"),
                    _ => return Err("it does not begin as gzip does"),
                }
                if at + 1 < FIXED { Part::Fixed(at + 1) } else { self.next() }
            }
            Part::ExtraLength(None) => Part::ExtraLength(Some(byte)),
            Part::ExtraLength(Some(low)) => match u16::from_le_bytes([low, byte]) {
                0 => self.next(),
                length => Part::Extra(length),
            },
            Part::Extra(1) => self.next(),
            Part::Extra(missing) => Part::Extra(missing - 1),
            Part::Text if byte == 0 => self.next(),
            Part::Text => Part::Text,
            Part::Checksum(None) if byte == sum[0] => Part::Checksum(Some(sum[1])),
            Part::Checksum(Some(expected)) if byte == expected => self.next(),
            Part::Checksum(_) => return Err("the checksum of its header is wrong"),
            Part::End => Part::End,
        };
        Ok(())
    }

    /// The part behind the one that has just ended.
    fn next(&mut self) -> Part {
        const ORDER: [(u8, Part); 4] = [
            (FEXTRA, Part::ExtraLength(None)),
            (FNAME, Part::Text),
            (FCOMMENT, Part::Text),
            (FHCRC, Part::Checksum(None)),
        ];
        for (flag, part) in ORDER {
            if self.flags & flag != 0 {
                self.flags &= !flag;
                return part;
            }
        }
        Part::End
    }
}
