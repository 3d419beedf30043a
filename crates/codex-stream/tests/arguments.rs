//! What cannot be used is answered with status 2 and one line that says so.

mod support;

use support::{file, run};

#[track_caller]
fn check(args: &[&str], expected: &str) {
    let ran = run(args);
    assert_eq!(ran.status, Some(2), "{args:?}: {ran:?}");
    assert_eq!(ran.stdout, "", "{args:?}");
    let lines: Vec<&str> = ran.stderr.lines().collect();
    assert_eq!(lines.len(), 1, "{args:?}: {lines:?}");
    assert!(lines[0].starts_with("error: ") && lines[0].contains(expected), "{args:?}: {lines:?}");
}

#[test]
fn wrong_usage_is_named_in_one_line() {
    check(&["turn"], "<PROMPT>");
    check(&["decode"], "--wire <WIRE>");
    check(&["replay"], "<CASSETTE>");
    check(&["turn", "hi", "--nope"], "--nope");
    check(&["turn", "hi", "--base-ur", "x"], "'--base-ur' found; a similar argument exists: '--base-url' (`--help`");
    check(&["Turn", "hi"], "a similar subcommand exists: 'turn'");
    check(&["turn", "hi", "--wire", "x"], "possible values: responses, chat");
    check(&["turn", "hi", "--output", "xml"], "text, json, transcript, summary");
    check(&["turn", "hi", "--idle-timeout", "5"], "expected a duration");
    check(&["turn", "hi", "--max-attempts", "0"], "--max-attempts");
    check(&["turn", "hi", "--max-attempts", "-1"], "'-1' for '--max-attempts <N>': it must be a whole number");
    check(&["decode", "--wire", "chat", "--chunk-bytes", "-1"], "'-1' for '--chunk-bytes <N>': it must be");
    check(&["turn", "hi", "--max-attempts", "4294967296"], "--max-attempts");
    check(&["turn", "hi", "--max-wait", "soon"], "--max-wait");
    check(&["turn", "hi", "--on-cut", "keep"], "possible values: discard, fail");
    check(&["turn", "hi", "--set", "a.b=x"], "--set: the value of a.b is no JSON, in which a string has quotes: ");
    check(&["turn", "hi", "--set", "a..b=1"], "--set: the path a..b has an empty part");
    check(&["turn", "hi", "--set", "x"], "--set: expected PATH=JSON");
    check(&["turn", "hi", "--tool-output", "x"], "--tool-output: expected NAME=TEXT");
    check(&["turn", "hi", "--tool-output", "=x"], "--tool-output: the name is empty");
    check(&["turn", "hi", "--header", "x"], "--header: expected 'K: V'");
    check(&["turn", "hi", "--header", ": x"], "--header: the name is empty");
    check(&["turn", "hi", "--header", "X-Codex-Turn-State: x"], "--header: a turn learns its x-codex-turn-state");
    check(&["turn", "hi", "--api-key-env", "sk-x"], "--api-key-env: expected the name of an environment variable");
    check(&["turn", "hi", "--proxy", "ftp://host"], "--proxy: cannot use the proxy URL: its scheme is none of http");
    check(&["turn", "hi", "--wire", "chat", "--transport", "ws"], "--transport ws needs --wire responses");
    check(&["decode", "--wire", "chat", "--chunk-bytes", "0"], "--chunk-bytes");
    for address in ["nowhere", "8080", "localhost:8080"] {
        let expected = format!("'{address}' for '--listen <ADDRESS>': expected an IP address and a port, such as");
        check(&["replay", "x.sse", "--listen", address], &expected);
        check(&["record", "--upstream", "http://host/v1", "--out", "x", "--listen", address], &expected);
    }
}

#[cfg(unix)]
#[test]
fn text_that_is_no_utf_8_is_named_by_its_place() {
    use std::{ffi::OsStr, os::unix::ffi::OsStrExt};

    let wrong = OsStr::from_bytes(b"sk-\xff");
    let check = |command: &mut std::process::Command, expected: &str| {
        let ran = support::Ran::from(command.output().expect("the binary runs"));
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(2), &*format!("error: {expected}\n")));
    };
    check(support::command().args(["turn", "hi", "--header"]).arg(wrong), "argument 4 is not UTF-8");
    check(
        support::command().args(["turn", "hi"]).env("OPENAI_BASE_URL", wrong),
        "the value of OPENAI_BASE_URL is not UTF-8",
    );
    let model = "the value of CODEX_STREAM_MODEL is not UTF-8";
    check(support::command().args(["turn", "hi"]).env("CODEX_STREAM_MODEL", wrong), model);
    // A file may have any name.
    let ran = support::command().args(["decode", "--wire", "chat"]).arg(wrong).output().expect("the binary runs");
    assert!(String::from_utf8_lossy(&ran.stderr).starts_with("error: cannot read sk-"), "{ran:?}");
}

#[test]
fn settings_that_cannot_be_used_are_named_in_one_line() {
    check(&["turn", "hi", "--base-url", "ftp://host/v1"], "http(s)://host/path");
    check(&["turn", "hi", "--max-wait", "0"], "--max-wait must not be zero; --max-attempts 1 switches retries off");
    check(&["turn", "hi", "--max-wait", "off"], "--max-wait must not be zero");
    check(&["turn", "hi", "--max-wait", "25h"], "--max-wait must not be longer than 24 hours");
    check(&["turn", "hi", "--tool", "no-such-file.json"], "cannot read no-such-file.json");
    check(&["turn", "hi", "--tool", &file("Cargo.toml")], "is no JSON");
    check(&["turn", "hi", "--header", "a b: c"], "cannot be a header");
    check(&["turn", "hi", "--idle-timeout", "800h"], "the idle timeout is longer than 30 days");
    check(&["decode", "no-such-file.sse", "--wire", "chat"], "cannot read no-such-file.sse");
    check(&["replay", "no-such-file.sse"], "no-such-file.sse");
    check(&["replay", "--fault", "no-such-file.fault"], "cannot read the fault script no-such-file.fault: ");
    check(&["replay", "--fault", &file("Cargo.toml")], "line 1, column 1: expected a step");
}

#[test]
fn values_that_may_hold_a_secret_are_not_repeated_in_messages() {
    for (option, value) in [
        ("--header", "authorization=sk-secret"),
        ("--proxy", "ftp://me:sk-secret@host"),
        ("--proxy", "http://me:sk-secret@"),
        ("--base-url", "ftp://me:sk-secret@host/v1"),
        ("--set", "client_metadata.token=sk-secret"),
        ("--set", "sk-secret"),
        ("--tool-output", "sk-secret"),
        ("--api-key-env", "sk-secret"),
    ] {
        check(&["turn", "hi", option, value], "");
        let said = run(&["turn", "hi", option, value]).stderr;
        assert!(!said.contains("sk-secret"), "{option}: {said}");
    }
}

#[test]
fn servers_name_what_they_need() {
    for (args, what) in [
        (&["record", "--out", "dir"][..], "the following required arguments were not provided: --upstream <URL>"),
        (&["replay", "x.cassette"], "cannot read the recorded stream x.cassette"),
        (
            &["record", "--upstream", "http://host/v1/chat/completions/", "--out", "dir"],
            "--upstream ends with /chat/completions, which clients add to it",
        ),
    ] {
        check(args, what);
    }
}

#[test]
fn ways_that_cannot_be_gone_are_refused_before_anything_is_sent() {
    check(&["turn", "hi", "--base-url", "http://127.0.0.1:1/v1", "--ca", "no-such-file.pem"], "no-such-file.pem");
    check(&["turn", "hi", "--proxy", "gopher://host"], "--proxy");
    check(&["turn", "hi", "--max-attempts", "0"], "it must be a whole number, and at least 1");
    check(&["turn", "hi", "--max-attempts", "5000000000"], "it must be at most 4294967295");
    check(&["turn", "hi", "--max-event-bytes", "0"], "it must be a whole number, and at least 1");
    check(&["decode", "--wire", "chat", "--max-event-bytes", "0"], "it must be a whole number, and at least 1");
    check(&["decode", "--wire", "chat", "--chunk-bytes", "0"], "it must be a whole number, and at least 1");
}

#[test]
fn colours_are_for_terminals_whatever_is_forced() {
    for args in [&["--help"][..], &["turn"], &["turn", "hi", "--ca", "no-such-file.pem"], &["decode"], &[]] {
        let output = support::command().args(args).env("CLICOLOR_FORCE", "1").output().expect("the binary runs");
        let ran = support::Ran::from(output);
        assert!(!ran.stdout.contains('\x1b') && !ran.stderr.contains('\x1b'), "{args:?}: {ran:?}");
    }
}

#[test]
fn help_goes_to_standard_output() {
    for args in [&["--help"][..], &["turn", "--help"], &["--version"]] {
        let ran = run(args);
        assert_eq!((ran.status, ran.stderr.as_str()), (Some(0), ""), "{args:?}");
        assert!(!ran.stdout.is_empty());
    }
}
