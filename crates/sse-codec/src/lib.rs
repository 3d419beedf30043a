//! Server-Sent Events, bytes to events and back, by the WHATWG rules, without I/O.
