//! Many turns over one client of a service with random faults: the promises hold in each of them, and nothing is left
//! behind.

mod support;

use std::collections::BTreeMap;

use codex_api::{Client, Request, Session, Transport, TurnEvent};
use retry_policy::{Entropy, SplitMix64};
use serde_json::json;
use stream_replay::{Cut, Exchange, Gate, ReplayServer, Response, WebSocketScript};
use support::sockets::{HEADER, completed, created, done_item, hello, messages};
use support::{impatient, playing, soon};
use tokio::runtime::Handle;

const SESSIONS: usize = 4;
const TURNS: usize = 60;
/// Behind them the last one is played again and again.
const RESPONSES: u64 = 1000;

struct Dice(SplitMix64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0.next_u64() % limit
    }
}

fn response(number: u64, transport: Transport, dice: &mut Dice) -> Response {
    let failed = |code: &str| {
        let error = json!({"code": code, "message": "No."});
        format!("data: {}\n\n", json!({"type": "response.failed", "response": {"error": error}}))
    };
    let refusal = json!({"error": {"code": "invalid_prompt", "message": "No."}}).to_string();
    let whole = format!("data: {}\n\ndata: {}\n\ndata: {}\n\n", created("r"), done_item(), completed("r"));
    let kinds = if transport == Transport::WebSocket { 16 } else { 12 };
    // A handshake that meets a stream is granted, and each message gets its events.
    let response = match dice.below(kinds) {
        0 => Response::sse(failed("invalid_prompt")).hold_until(Gate::new()),
        1 => Response::sse(format!("data: {}\n\n{}", created("r"), failed("server_is_overloaded"))),
        2 => Response::sse(whole.clone()).cut_at(dice.below(whole.len() as u64) as usize, Cut::Close),
        3 => Response::sse(whole.clone()).cut_at(dice.below(whole.len() as u64) as usize, Cut::Reset),
        4 => Response::json(500, "{}"),
        5 => Response::json(429, "{}").header("retry-after-ms", "0"),
        6 => Response::new(307).header("location", "/v1/elsewhere"),
        7 => Response::json(400, refusal),
        8 => Response::sse(whole).chunk_bytes(1),
        9 => Response::sse(whole).hold_until(Gate::new()),
        10 | 11 => Response::sse(whole),
        kind => {
            let code = [1000, 1001, 1009, 1011][kind as usize - 12];
            Response::websocket(WebSocketScript::new().exchange(hello("r")).exchange(Exchange::new().close(code, "")))
        }
    };
    if dice.below(2) == 0 { response.header(HEADER, format!("ts-{number}")) } else { response }
}

/// A turn of up to three requests, some of them dropped on the way.
async fn turn(session: &Session, name: String, dice: &mut Dice) {
    let turn = session.begin_turn().header("x-turn", &name).unwrap();
    for _ in 0..=dice.below(3) {
        let dropped_behind = if dice.below(8) == 0 { dice.below(6) } else { u64::MAX };
        let mut stream = turn.stream(Request::new("m").user("Hi").set("metadata.turn", name.as_str()));
        let (mut seen, mut ended) = (0, false);
        while seen < dropped_behind {
            seen += 1;
            match soon(stream.try_next()).await {
                Ok(None) => {
                    assert!(ended, "{name}: no terminal item");
                    break;
                }
                Ok(Some(event)) => {
                    assert!(!ended, "{name}: {event:?} behind the end");
                    ended = event.is_terminal();
                    if let TurnEvent::Retry(retry) = event {
                        assert_ne!(retry.code.as_deref(), Some("invalid_prompt"), "{name}");
                    }
                }
                Err(error) => {
                    assert!(!ended, "{name}: {error:?} behind the end");
                    if error.code() == Some("invalid_prompt") {
                        assert_eq!((error.message(), error.is_retryable()), ("No.", false), "{name}");
                    }
                    ended = true;
                }
            }
        }
    }
}

/// Each state came with an answer to a request of its own turn, and every request behind the first that sends it does.
fn check_states(server: &ReplayServer) {
    let requests = server.requests();
    let issued: Vec<&str> = requests.iter().map(|request| request.header("x-turn").unwrap()).collect();
    let messages = messages(server);
    let heads = requests.iter().zip(&issued).map(|(request, name)| (*name, request.header(HEADER)));
    let frames = messages
        .iter()
        .map(|message| (message["metadata"]["turn"].as_str().unwrap(), message["client_metadata"][HEADER].as_str()));
    let mut turns = 0;
    for sent in [heads.collect::<Vec<_>>(), frames.collect()] {
        let mut states: BTreeMap<&str, &str> = BTreeMap::new();
        for (name, state) in sent {
            match (states.get(name), state) {
                (None, None) => {}
                (None, Some(state)) => {
                    let number: usize = state.strip_prefix("ts-").unwrap().parse().unwrap();
                    assert_eq!(issued[number], name, "{state} is another turn's");
                    states.insert(name, state);
                }
                (known, state) => assert_eq!(state, known.copied(), "{name}"),
            }
        }
        turns += states.len();
    }
    assert!(turns > 20, "hardly any turn had a state to send");
}

async fn check(transport: Transport, seed: u64) {
    let mut dice = Dice(SplitMix64::new(seed));
    let server = playing((0..RESPONSES).map(|number| response(number, transport, &mut dice))).await;
    let client: Client = impatient(&server.base_url()).transport(transport).build().unwrap();
    let before = Handle::current().metrics().num_alive_tasks();
    let sessions = (0..SESSIONS).map(|number| {
        let session = client.session();
        let mut dice = Dice(SplitMix64::new(seed ^ dice.below(u64::MAX)));
        tokio::spawn(async move {
            for count in 0..TURNS {
                turn(&session, format!("{number}-{count}"), &mut dice).await;
            }
        })
    });
    for session in sessions.collect::<Vec<_>>() {
        session.await.unwrap();
    }
    check_states(&server);
    drop(client);
    // Each connection is a task of the server until the client has let go of it.
    let left = async {
        while Handle::current().metrics().num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    soon(left).await;
}

#[tokio::test]
async fn the_promises_hold_in_every_turn_and_nothing_is_left_behind() {
    for (transport, seed) in [(Transport::Sse, 1), (Transport::WebSocket, 2), (Transport::Auto, 3)] {
        check(transport, seed).await;
    }
}
