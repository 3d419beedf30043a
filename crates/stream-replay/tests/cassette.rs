//! Recorded streams from disk.

mod support;

use std::error::Error;
use std::fs;
use std::path::Path;

use stream_replay::{Cassette, CassetteError, Response};
use support::{Client, LAST_CHUNK, SSE_HEAD, server};

#[tokio::test]
async fn sse_file_is_played_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("hello.sse");
    let recorded = b"\xef\xbb\xbfdata: \xff\r\n\r\n: end";
    fs::write(&path, recorded).unwrap();
    let server = server([Response::sse_file(&path).unwrap()]).await;
    let mut client = Client::post(&server).await;
    client.expect(&[SSE_HEAD, b"13\r\n", recorded, b"\r\n", LAST_CHUNK].concat()).await;
}

#[test]
fn missing_file_is_named() {
    let error = Response::sse_file("no/such.sse").unwrap_err();
    assert_eq!(error.to_string(), "cannot read the recorded stream no/such.sse");
    assert!(error.source().is_some());
    let CassetteError::Read { path, .. } = error else { panic!("{error:?}") };
    assert_eq!(path, Path::new("no/such.sse"));
}

#[test]
fn a_cassette_that_cannot_be_saved_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("taken.cassette");
    fs::create_dir_all(taken.join("by a folder")).unwrap();
    Cassette::default().save(&taken).unwrap_err();
    Cassette::default().save(folder.path().join("no/such.cassette")).unwrap_err();
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["taken.cassette"]);
}
