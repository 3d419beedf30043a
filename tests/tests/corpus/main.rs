//! The recorded streams of the corpus, decoded and compared with what the official client makes of them; then the
//! same streams, changed in ways that must not matter, or must matter in one way only.
//!
//! `STREAM_CORPUS` names the folder; without it the suite says that it is skipped.

mod agreement;
mod mutations;
mod prefixes;
mod recording;
mod transcripts;
