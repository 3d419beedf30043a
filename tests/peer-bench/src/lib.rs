//! What the project costs beside others: traffic, peers, interleaved rounds, one table.
//! It tests nothing: whether the codecs are right, their own suites say.
#![cfg(feature = "peers")]

pub mod benches;
pub mod clients;
pub mod measure;
pub mod peers;
pub mod report;
pub mod server;
pub mod tape;
pub mod traffic;
