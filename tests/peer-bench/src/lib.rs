//! What the project costs beside others: traffic, peers, interleaved rounds, one table.
//! It tests nothing: whether the codecs are right, their own suites say.
#![cfg(feature = "peers")]

pub mod benches;
pub mod measure;
pub mod peers;
pub mod report;
pub mod tape;
pub mod traffic;
