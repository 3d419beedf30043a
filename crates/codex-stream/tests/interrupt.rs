//! `turn` when its user presses Ctrl-C.
#![cfg(unix)]

mod support;

use std::{
    io::{BufRead, BufReader, Read, Write},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::Duration,
};

use serde_json::{Value, json};
use stream_replay::{Cut, Gate, Response};
use support::{
    Ran,
    server::{Server, message, sse},
};

fn delta() -> Value {
    json!({"type": "response.output_text.delta", "output_index": 0, "delta": "Half\n"})
}

fn created() -> Value {
    json!({"type": "response.created", "response": {"id": "r"}})
}

/// Stops the program once a line with this text is on standard output, and gives the lines up to the end.
#[track_caller]
fn interrupt_after(mut child: Child, text: &str) -> Ran {
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    let mut seen = String::new();
    let mut next = || lines.next().map(|line| line.expect("text"));
    loop {
        let line = next().expect("the line comes before the end");
        seen += &(line.clone() + "\n");
        if line.contains(text) {
            break;
        }
    }
    interrupt(child.id());
    while let Some(line) = next() {
        seen += &(line + "\n");
    }
    let ran = Ran::from(child.wait_with_output().expect("the binary ends"));
    assert_eq!(ran.status, Some(130), "{ran:?}");
    Ran { stdout: seen, ..ran }
}

#[track_caller]
fn interrupt(process: u32) {
    let killed = Command::new("kill").args(["-INT", &process.to_string()]).status().expect("kill runs");
    assert!(killed.success());
}

fn start(server: &Server, args: &[&str]) -> Child {
    let mut command = server.command(args);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.spawn().expect("the binary starts")
}

/// Stops a turn after the last line with this `type`, and looks at how it says that it was stopped.
#[track_caller]
fn check(responses: Vec<Response>, after: &str, message: &str, attempts: u32, output_delivered: bool) {
    let server = Server::new(responses);
    let child = start(&server, &["hi", "--output", "json"]);
    let ran = interrupt_after(child, after);
    assert_eq!(ran.stderr, format!("error: {message}\n"));
    let error = json!({"kind": "cancelled", "message": message, "attempts": attempts,
        "retryable": false, "output_delivered": output_delivered});
    assert_eq!(ran.json_lines().last().map(|line| &line["error"]), Some(&error), "{ran:?}");
}

#[test]
fn an_interrupted_turn_is_status_130_and_says_what_was_received() {
    let server = Server::new([sse(&[delta()]).hold_until(Gate::new())]);
    let ran = interrupt_after(start(&server, &["hi", "--on-cut", "fail"]), "Half");
    assert!(ran.stderr.contains("interrupted after 1 event ("), "{}", ran.stderr);
    server.runtime.block_on(server.server.wait_for_disconnects(1));
}

#[test]
fn an_attempt_is_told_with_its_number_and_what_came_of_it() {
    let held = |events: &[Value]| sse(events).hold_until(Gate::new());
    let size = |event: Value| event.to_string().len();
    let message = format!("interrupted after 1 event ({} bytes)", size(created()));
    check(vec![held(&[created()])], "\"created\"", &message, 1, false);
    let message = format!("interrupted after 1 event ({} bytes) of attempt 2", size(delta()));
    let refused = Response::new(503).header("retry-after-ms", "1");
    check(vec![refused, held(&[delta()])], "\"text_delta\"", &message, 2, true);
}

#[test]
fn a_wait_between_attempts_is_told_as_one() {
    let later = |response: Response| response.header("retry-after", "100");
    check(vec![later(Response::new(503))], "\"retry\"", "interrupted while waiting for attempt 2", 1, false);
    // The service's hint makes the wait after a cut as long as is needed to stop it there.
    let slow = json!({"type": "response.failed", "response": {"error":
        {"code": "rate_limit_exceeded", "message": "Please try again in 100s."}}});
    let void = "interrupted while waiting for attempt 2; what had come was void";
    check(vec![sse(&[delta(), slow]).cut(Cut::Close)], "\"retry\"", void, 1, false);
}

#[test]
fn a_prompt_that_is_waited_for_can_be_given_up() {
    let server = Server::new([message("Hello.")]);
    let mut child = start(&server, &["-"]);
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(b"hi\n").expect("it reads");
    let ran = interrupt_after(child, "Hello.");
    drop(stdin);
    assert_eq!(ran.stderr, "error: interrupted\n");
}

#[test]
fn a_recording_that_goes_on_is_given_up_with_the_same_status() {
    for output in ["json", "text"] {
        let mut command = support::command();
        command.args(["decode", "--wire", "responses", "--output", output]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        write!(stdin, "data: {}\n\n", delta()).expect("it reads");
        interrupt_after(child, "Half");
        drop(stdin);
    }
}

#[test]
fn a_reader_that_reads_no_more_does_not_keep_a_turn_alive() {
    // More than any pipe takes.
    let long = "x".repeat(4 << 20);
    let long = json!({"type": "response.output_text.delta", "output_index": 0, "delta": long});
    for times in [1, 2] {
        let server = Server::new([sse(std::slice::from_ref(&long)).hold_until(Gate::new())]);
        let mut child = start(&server, &["hi", "--output", "json"]);
        let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut until = Vec::new();
        stdout.read_until(b'x', &mut until).expect("text");
        while !until.ends_with(b"xxxx") {
            let mut next = [0];
            stdout.read_exact(&mut next).expect("text");
            until.extend(next);
        }
        // It is in the middle of the line, which it cannot write to its end.
        (0..times).for_each(|_| interrupt(child.id()));
        let (ended, end) = mpsc::channel();
        let process = child.id();
        let waiting = thread::spawn(move || ended.send(child.wait()));
        let status = end.recv_timeout(Duration::from_secs(60));
        if status.is_err() {
            Command::new("kill").args(["-KILL", &process.to_string()]).status().expect("kill runs");
        }
        let _ = waiting.join();
        let status = status.expect("the binary ends although nobody reads").expect("a status");
        assert_eq!(status.code(), Some(130), "after {times}");
        drop(stdout);
    }
}
