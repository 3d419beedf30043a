//! Which headers are secret, by their names.
//!
//! `http-transport` and `stream-replay` have this file in the same words, because there is no crate below both that
//! could have it for them; the suite `secret_names` compares the two.

/// In any part of a name.
const PARTS: [&str; 6] = ["authorization", "cookie", "api-key", "apikey", "secret", "password"];

/// The bytes that these begin with, a bit each.
const FIRST: u128 = {
    let (mut bits, mut at) = (0, 0);
    while at < PARTS.len() {
        bits |= 1 << PARTS[at].as_bytes()[0];
        at += 1;
    }
    bits
};

/// At its end.
const ENDS: [&str; 2] = ["-key", "token"];

/// The turn state, and the subprotocols, among which clients that can set no other header send their key.
const WHOLE: [&str; 2] = ["x-codex-turn-state", "sec-websocket-protocol"];

/// It ends like a secret; what it names is a nonce (RFC 6455, section 4.1).
const NONCE: &str = "sec-websocket-key";

/// Whether the value of the header of this name, in whatever case, can be a credential or a turn state.
pub(crate) fn is_secret_name(name: &str) -> bool {
    // Mostly it is in lower case already.
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return is_secret_name(&name.to_ascii_lowercase());
    }
    name != NONCE && (WHOLE.contains(&name) || holds_part(name) || ENDS.iter().any(|end| name.ends_with(end)))
}

/// One pass, which looks closer only where a part could begin: a request asks this of each of its headers.
fn holds_part(name: &str) -> bool {
    let may_begin = |byte: u8| byte.is_ascii() && FIRST >> byte & 1 == 1;
    let begins = |at: usize| PARTS.iter().any(|part| name[at..].starts_with(part));
    name.bytes().enumerate().any(|(at, byte)| may_begin(byte) && begins(at))
}
