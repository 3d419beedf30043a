//! Header blocks, written in the plainest way that HPACK has (RFC 7541).

/// Statuses with an entry of their own in the static table, from its index 8 (appendix A).
const STATUSES: [u16; 7] = [200, 204, 206, 304, 400, 404, 500];

/// Appends `:status`.
pub(super) fn status(block: &mut Vec<u8>, status: u16) {
    if let Some((index, _)) = (8_u8..).zip(STATUSES).find(|(_, known)| *known == status) {
        block.push(0x80 | index);
    } else {
        // A literal that is not indexed, with the name of entry 8 (§6.2.2).
        block.push(8);
        string(block, status.to_string().as_bytes());
    }
}

/// Appends a field: `NAME: VALUE`, as it is written but for the blank behind the colon.
pub(super) fn line(block: &mut Vec<u8>, line: &[u8]) {
    // The colon of a pseudo-header is part of its name.
    let colon = line.iter().skip(1).position(|byte| *byte == b':').map_or(line.len(), |at| at + 1);
    let (name, value) = line.split_at(colon);
    block.push(0);
    string(block, name);
    string(block, value.strip_prefix(b":").unwrap_or(value).trim_ascii());
}

/// A string without Huffman coding (§5.2); its length is a number with a prefix of 7 bits (§5.1).
fn string(block: &mut Vec<u8>, text: &[u8]) {
    if text.len() < 0x7f {
        block.push(text.len() as u8);
    } else {
        block.push(0x7f);
        let mut rest = text.len() - 0x7f;
        while rest >= 0x80 {
            block.push((rest % 0x80) as u8 | 0x80);
            rest /= 0x80;
        }
        block.push(rest as u8);
    }
    block.extend(text);
}
