//! `record` writes what passes, and `replay` and `decode` take it.
#![cfg(unix)]

mod support;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Stdio,
};

use stream_replay::Response;
use support::{
    command, run,
    server::{Server, message},
    serving::Serving,
};

const KEY: &str = "sk-test-0123456789";

fn text(path: &Path) -> &str {
    path.to_str().expect("the path is UTF-8")
}

fn cassettes(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path()).collect();
    paths.sort();
    paths
}

#[test]
fn a_turn_with_a_retry_is_recorded_replayed_and_decoded() {
    let service = Server::new([
        Response::json(503, r#"{"error":{"message":"busy"}}"#).header("retry-after-ms", "1"),
        message("recorded"),
    ]);
    let folder = tempfile::tempdir().expect("a folder");
    let (out, port_file) = (folder.path().join("turn"), folder.path().join("port"));
    let upstream = service.server.base_url();
    let record =
        Serving::start(&["record", "--upstream", &upstream, "--out", text(&out), "--port-file", text(&port_file)]);
    let port = fs::read_to_string(&port_file).expect("the port file is there");
    assert_eq!(record.base_url, format!("http://127.0.0.1:{}/v1", port.trim_end()));
    let turn = |base_url: &str| {
        let mut command = command();
        command.args(["turn", "hi", "--base-url", base_url]).env("OPENAI_API_KEY", KEY).stdin(Stdio::null());
        let output = command.output().expect("the binary runs");
        (output.status.code(), String::from_utf8(output.stdout).expect("text"))
    };
    let lived = turn(&record.base_url);
    assert_eq!(lived, (Some(0), "recorded\n".to_owned()));
    let said = record.stop("-TERM", 0);

    let paths = cassettes(&out);
    let names: Vec<_> = paths.iter().map(|path| text(path).rsplit('/').next().unwrap_or_default()).collect();
    assert_eq!(names, ["0001-responses.cassette", "0002-responses.cassette"]);
    for path in &paths {
        let written = fs::read_to_string(path).expect("a text");
        assert!(!written.contains(KEY) && written.contains("header authorization \"[redacted]\""), "{written}");
        assert!(said.contains(&format!("wrote {}", path.display())), "{said}");
    }

    let replay = Serving::start(&["replay", text(&paths[0]), text(&paths[1]), "--speed", "max"]);
    assert_eq!(turn(&replay.base_url), lived);
    replay.stop("-INT", 130);

    // Both in one file: two exchanges.
    let joined = folder.path().join("joined.cassette");
    let second = fs::read_to_string(&paths[1]).expect("a text").replace("codex-cassette 1\n", "");
    fs::write(&joined, fs::read_to_string(&paths[0]).expect("a text") + &second).expect("it is written");
    let replay = Serving::start(&["replay", text(&joined), "--speed", "max"]);
    assert_eq!(turn(&replay.base_url), lived);
    replay.stop("-TERM", 0);

    let decoded = run(&["decode", "--wire", "responses", "--output", "text", text(&paths[1])]);
    assert_eq!((decoded.status, decoded.stdout.trim_end()), (Some(0), "recorded"), "{decoded:?}");
    let decoded = run(&["decode", "--wire", "responses", text(&paths[0])]);
    assert_eq!(decoded.status, Some(1), "{decoded:?}");
    assert!(decoded.stderr.contains("busy") && decoded.stderr.contains("status 503"), "{decoded:?}");
    let decoded = run(&["decode", "--wire", "responses", text(&joined)]);
    assert_eq!(decoded.status, Some(0), "{decoded:?}");
}

#[test]
fn transcripts_show_the_times_of_a_cassette_on_both_transports() {
    let folder = tempfile::tempdir().expect("a folder");
    let event = r#"{"type":"response.completed","response":{"id":"r","status":"completed"}}"#;
    let sse = format!("200\nchunk +1.5s\n  | data: {event}\n  |\nend +2s finish");
    let socket = format!("101 websocket\nclient +1s text\n  : x\nserver +1.5s text\n  : {event}\nend +2s open");
    for response in [sse, socket] {
        let path = folder.path().join("x.cassette");
        fs::write(&path, format!("codex-cassette 1\nrequest +0s POST \"/v1\"\nresponse +1s {response}\n"))
            .expect("written");
        for chunk in ["1", "1000"] {
            let ran = run(&["decode", "--wire", "responses", "--chunk-bytes", chunk, text(&path)]);
            assert_eq!(ran.status, Some(0), "{ran:?}");
            assert!(ran.stdout.contains("1.5"), "{ran:?}");
        }
    }
}

#[test]
fn a_body_that_is_not_recorded_is_said() {
    let service = Server::new([Response::json(200, "{}").header("content-encoding", "gzip"), message("Hi.")]);
    let folder = tempfile::tempdir().expect("a folder");
    let upstream = service.server.base_url();
    let record = Serving::start(&["record", "--upstream", &upstream, "--out", text(folder.path())]);
    for _ in 0..2 {
        let mut command = command();
        command.args(["turn", "hi", "--max-attempts", "1", "--base-url", &record.base_url]).stdin(Stdio::null());
        command.output().expect("the binary runs");
    }
    let said = record.stop("-TERM", 0);
    let ends: Vec<_> = said.lines().filter_map(|line| line.split_once(".cassette")).map(|(_, end)| end).collect();
    assert_eq!(ends, [" without its body: coded as gzip", ""], "{said}");
}

#[test]
fn broken_cassettes_are_refused_with_file_and_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("broken.cassette");
    for (content, expected) in [
        ("codex-cassette 1\nrequest +0s", "line 2, column 12: expected a method"),
        ("codex-cassette 2\n", "line 1, column 16: expected version 1 of the format, not 2"),
        ("codex-cassette 1\n", "the cassette holds no exchange"),
    ] {
        fs::write(&path, content).expect("it is written");
        let decode = ["decode", "--wire", "chat", "--output"];
        for args in [&["replay"][..], &[&decode[..], &["text"]].concat(), &[&decode[..], &["html"]].concat()] {
            let ran = run(&[args, &[text(&path)]].concat());
            assert_eq!(ran.status, Some(2), "{ran:?}");
            assert!(ran.stderr.contains(expected), "{ran:?}");
            assert!(ran.stderr.contains("broken.cassette"), "{ran:?}");
        }
    }
}

#[test]
fn a_recorder_that_cannot_work_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("it is written");
    for (upstream, out, expected) in [
        ("host", folder.path(), "cannot use the upstream URL"),
        ("http://127.0.0.1:1/v1", &file, "cannot write cassettes to"),
    ] {
        let ran = run(&["record", "--upstream", upstream, "--out", text(out)]);
        assert_eq!(ran.status, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(expected), "{ran:?}");
    }
}
