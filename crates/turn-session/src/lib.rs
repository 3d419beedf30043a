//! One streamed model turn as a state machine without I/O.
