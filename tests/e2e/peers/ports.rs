//! Free ports of the loopback address.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the ports that systems give to outgoing connections, so that none of those takes a port that is free only
/// for a moment.
const FIRST: u16 = 20_000;
const LAST: u16 = 29_999;

/// A port that nobody listens on, and that was not given out before.
pub(super) fn free() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = LAST - FIRST + 1;
    // Two runs at the same time begin at different places.
    let offset = (std::process::id() % u32::from(count)) as u16;
    loop {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(number < count, "no port from {FIRST} to {LAST} is free");
        let port = FIRST + (offset + number) % count;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

/// The names of all ports that a template asks for: `@NAME_PORT@`.
pub(super) fn named_in(template: &str) -> BTreeSet<&str> {
    template.split('@').filter(|word| word.ends_with("_PORT") && !word.contains(' ')).collect()
}
