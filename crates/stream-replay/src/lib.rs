//! A loopback server that plays recorded streams: for tests, examples and the command line.
