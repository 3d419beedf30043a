//! `replay` serves what it is given until it is told to stop.
#![cfg(unix)]

mod support;

use std::{env, fs, process};

use support::{file, run, serving::Serving};

fn start(args: &[&str]) -> Serving {
    Serving::start(&[&["replay"], args].concat())
}

#[test]
fn recordings_are_served_one_a_request_and_the_last_one_again() {
    let port_file = env::temp_dir().join(format!("codex-stream-replay-{}", process::id()));
    let port_path = port_file.to_str().expect("the path is UTF-8");
    let replay = start(&[
        &file("demo/responses.sse"),
        &file("demo/chat.sse"),
        "--hold-open",
        "1h",
        "--speed",
        "max",
        "--port-file",
        port_path,
    ]);
    let port = fs::read_to_string(&port_file).expect("the port file is there");
    fs::remove_file(&port_file).expect("the port file can go");
    assert_eq!(replay.base_url, format!("http://127.0.0.1:{}/v1", port.trim_end()));
    for wire in ["responses", "chat", "chat"] {
        let ran = run(&["turn", "hi", "--wire", wire, "--base-url", &replay.base_url]);
        assert_eq!(ran.status, Some(0), "{ran:?}");
        assert!(ran.stdout.starts_with("Hello!"));
    }
    replay.stop("-TERM", 0);
}

#[test]
fn a_cassette_is_one_by_its_content_and_a_stream_by_its_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str, content: &str| {
        let path = folder.path().join(name);
        fs::write(&path, content).expect("the file is written");
        path.to_str().expect("the path is UTF-8").to_owned()
    };
    let stream = fs::read_to_string(file("demo/chat.sse")).expect("the recording is there");
    let lines = format!("  | {}\n", stream.trim_end().replace('\n', "\n  | "));
    let head = "codex-cassette 1\nrequest +0s POST \"/v1/chat/completions\"\nresponse +0s 200\n";
    let cassette = format!("{head}header content-type \"text/event-stream\"\nchunk +0s\n{lines}end +0s finish\n");
    for (name, content) in [("cassette.sse", &cassette), ("cassette.txt", &cassette), ("STREAM.SSE", &stream)] {
        let replay = start(&[&path(name, content)]);
        let ran = run(&["turn", "hi", "--wire", "chat", "--base-url", &replay.base_url, "--max-attempts", "1"]);
        assert!(ran.status == Some(0) && ran.stdout.starts_with("Hello!"), "{name}: {ran:?}");
        replay.stop("-TERM", 0);
    }
    let refused = run(&["replay", &path("stream.txt", &stream)]);
    assert_eq!(refused.status, Some(2));
    let hint = "this is no cassette; an event stream is served from a file that is named `.sse`\n";
    assert!(refused.stderr.ends_with(hint) && refused.stderr.contains("stream.txt: line 1"), "{refused:?}");
    let broken = run(&["replay", &path("broken.cassette", "codex-cassette 1\nrequst")]);
    assert!(
        broken.stderr.contains("broken.cassette: line 2, column 1: ") && !broken.stderr.contains(".sse"),
        "{broken:?}"
    );
}

#[test]
fn an_interrupt_stops_the_server() {
    start(&[&file("demo/chat.sse")]).stop("-INT", 130);
}

#[test]
fn a_fault_script_breaks_a_connection_and_serves_the_next() {
    let script = env::temp_dir().join(format!("codex-stream-fault-{}", process::id()));
    fs::write(&script, "read-request\nrst\nconnection 2:\nserve\n").expect("the script is written");
    let script_path = script.to_str().expect("the path is UTF-8");
    let replay = start(&[&file("demo/chat.sse"), "--fault", script_path]);
    for status in [Some(3), Some(0)] {
        let ran = run(&["turn", "hi", "--wire", "chat", "--base-url", &replay.base_url, "--max-attempts", "1"]);
        assert_eq!(ran.status, status, "{ran:?}");
    }
    replay.stop("-TERM", 0);
    let lonely = run(&["replay", "--fault", script_path]);
    fs::write(&script, "hold\n").expect("the script is written");
    start(&["--fault", script_path]).stop("-TERM", 0);
    fs::remove_file(&script).expect("the script can go");
    assert_eq!(lonely.status, Some(2));
    assert!(lonely.stderr.contains("says `serve`, but no CASSETTE is given"), "{lonely:?}");
}
