//! `replay` serves what it is given until it is told to stop.
#![cfg(unix)]

mod support;

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{self, Child, Command, Stdio},
};

use support::{command, file, run};

struct Replay {
    child: Child,
    base_url: String,
}

impl Replay {
    fn start(args: &[&str]) -> Self {
        let mut child = command().arg("replay").args(args).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        stdout.read_line(&mut line).expect("the base URL arrives");
        Self { child, base_url: line.trim_end().to_owned() }
    }

    #[track_caller]
    fn stop(mut self, signal: &str, status: i32) {
        let killed = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(killed.success());
        assert_eq!(self.child.wait().expect("the binary ends").code(), Some(status), "{signal}");
    }
}

#[test]
fn recordings_are_served_one_a_request_and_the_last_one_again() {
    let port_file = env::temp_dir().join(format!("codex-stream-replay-{}", process::id()));
    let port_path = port_file.to_str().expect("the path is UTF-8");
    let replay = Replay::start(&[
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
fn an_interrupt_stops_the_server() {
    Replay::start(&[&file("demo/chat.sse")]).stop("-INT", 130);
}

#[test]
fn a_fault_script_breaks_a_connection_and_serves_the_next() {
    let script = env::temp_dir().join(format!("codex-stream-fault-{}", process::id()));
    fs::write(&script, "read-request\nrst\nconnection 2:\nserve\n").expect("the script is written");
    let script_path = script.to_str().expect("the path is UTF-8");
    let replay = Replay::start(&[&file("demo/chat.sse"), "--fault", script_path]);
    for status in [Some(3), Some(0)] {
        let ran = run(&["turn", "hi", "--wire", "chat", "--base-url", &replay.base_url, "--max-attempts", "1"]);
        assert_eq!(ran.status, status, "{ran:?}");
    }
    replay.stop("-TERM", 0);
    let lonely = run(&["replay", "--fault", script_path]);
    fs::write(&script, "hold\n").expect("the script is written");
    Replay::start(&["--fault", script_path]).stop("-TERM", 0);
    fs::remove_file(&script).expect("the script can go");
    assert_eq!(lonely.status, Some(2));
    assert!(lonely.stderr.contains("says `serve`, but no CASSETTE is given"), "{lonely:?}");
}
