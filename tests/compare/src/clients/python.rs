//! `openai-python`, in a process of its own that prints a line for each thing it sees.

use std::{path::Path, process::Stdio};

use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::Command,
};

use super::Until;
use crate::{scenarios::Wire, seen::Seen};

const PROGRAM: &str = include_str!("openai_client.py");

pub(super) async fn ask(python: &Path, base_url: &str, wire: Wire, until: Until, seen: &mut Seen) {
    if let Err(error) = run(python, base_url, wire, until, seen).await {
        seen.errors.push(format!("the interpreter: {error}"));
    }
}

async fn run(python: &Path, base_url: &str, wire: Wire, until: Until, seen: &mut Seen) -> std::io::Result<()> {
    let wire = if wire == Wire::Chat { "chat" } else { "responses" };
    let until = if until == Until::Text { "text" } else { "end" };
    let mut child = Command::new(python)
        .args(["-c", PROGRAM, base_url, wire, until])
        .env("PYTHONIOENCODING", "utf-8")
        .stdout(Stdio::piped())
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let Some(output) = child.stdout.take() else { return Ok(()) };
    let mut lines = BufReader::new(output).lines();
    while let Some(line) = lines.next_line().await? {
        let Ok(serde_json::Value::Array(line)) = serde_json::from_str(&line) else { continue };
        let part = |index: usize| line.get(index).and_then(serde_json::Value::as_str).unwrap_or_default();
        match part(0) {
            "text" => seen.text.push_str(part(1)),
            "terminal" => seen.terminal = Some(part(1).to_owned()),
            "unknown" => seen.unknown += 1,
            "error" => seen.errors.push(part(1).to_owned()),
            "closed" => {
                // The process must live on: its death would close the connection, too.
                tokio::spawn(async move {
                    tokio::time::sleep(std::time::Duration::from_secs(5)).await;
                    drop(child);
                });
                seen.ended = true;
                return Ok(());
            }
            "ended" => seen.ended = true,
            _ => {}
        }
    }
    Ok(())
}
