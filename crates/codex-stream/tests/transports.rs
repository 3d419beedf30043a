//! `turn --transport`: the same turn over a WebSocket, with and without the way back.

mod support;

use support::run;

/// The lines of a run's output that say what the model said, and over what.
fn told(args: &[&str]) -> (Option<i32>, String) {
    let ran = run(&[&["turn", "hi", "--output", "json"], args].concat());
    let transports = ran.stdout.lines().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        match line["type"].as_str()? {
            "request" => Some(line["transport"].as_str()?.to_owned()),
            kind @ ("fallback" | "completed" | "failed") => Some(kind.to_owned()),
            _ => None,
        }
    });
    (ran.status, transports.collect::<Vec<_>>().join(" "))
}

#[test]
fn the_demonstration_goes_over_either_transport() {
    assert_eq!(told(&["--transport", "sse"]), (Some(0), "sse completed".into()));
    assert_eq!(told(&["--transport", "ws"]), (Some(0), "ws completed".into()));
    assert_eq!(told(&["--transport", "auto"]), (Some(0), "ws completed".into()));
    // Chat has no WebSockets, so nothing is tried.
    assert_eq!(told(&["--transport", "auto", "--wire", "chat"]), (Some(0), "sse completed".into()));
}
