//! How a WebSocket ends, on the wire and in the count of hang-ups.

mod support;

use std::time::Duration;

use stream_replay::{Cut, Exchange, Gate, Response, WebSocketScript};
use support::websocket::{CLOSE, PING, PONG, TEXT, close_payload, frame, masked, open, play, texts};
use support::{Client, Ended, expect_disconnects, soon};

/// After the message `before`, and a gate, the connection ends like this.
async fn check(end: impl FnOnce(Exchange) -> Exchange, ended: Ended) {
    let read = Gate::new();
    let exchange = end(Exchange::new().text("before").gate(read.clone())).text("never");
    let (server, mut client) = play(WebSocketScript::new().exchange(exchange)).await;
    client.ask("x", &["before"]).await;
    client.expect_silence(&server).await;
    read.release();
    assert_eq!(client.read_to_end().await, (Vec::new(), ended));
    expect_disconnects(&server, 0).await;
}

fn held(read: &Gate) -> WebSocketScript {
    WebSocketScript::new().exchange(Exchange::new().text("before").gate(read.clone()).text("behind"))
}

#[tokio::test]
async fn cuts_have_no_close_frame() {
    check(|exchange| exchange.cut(Cut::Close), Ended::Fin).await;
    check(|exchange| exchange.cut(Cut::Reset), Ended::Reset).await;
}

#[tokio::test]
async fn cut_by_finish_goes_on() {
    let (_server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().cut(Cut::Finish).text("1"))).await;
    for _ in 0..2 {
        client.ask("x", &["1"]).await;
    }
}

#[tokio::test]
async fn cut_of_a_stream_comes_behind_its_first_answer() {
    let read = Gate::new();
    let answer = Response::sse("data: 1\n\ndata: 2\n\ndata: 3\n\n").hold_until(read.clone());
    for (response, expected, ended) in [
        (answer.clone().cut(Cut::Close), &["1", "2", "3"][..], Ended::Fin),
        (answer.clone().cut(Cut::Reset), &["1", "2", "3"], Ended::Reset),
        // The offset is inside the second event, or behind its last byte but one.
        (answer.clone().cut_at(11, Cut::Close), &["1"], Ended::Fin),
        (answer.clone().cut_at(17, Cut::Close), &["1"], Ended::Fin),
        (answer.clone().cut_at(18, Cut::Reset), &["1", "2"], Ended::Reset),
    ] {
        let (server, mut client) = open(response).await;
        client.ask("x", expected).await;
        client.expect_pong("held").await;
        client.expect_silence(&server).await;
        read.release();
        assert_eq!(client.read_to_end().await, (Vec::new(), ended));
    }
}

#[tokio::test]
async fn hold_without_a_cut_changes_nothing() {
    for response in [
        Response::sse("data: 1\n\ndata: 2\n\n").hold_until(Gate::new()).cut_at(9, Cut::Finish),
        Response::sse("data: 1\n\n").hold_open(Duration::MAX),
    ] {
        let (_server, mut client) = open(response).await;
        for _ in 0..2 {
            client.ask("x", &["1"]).await;
            client.expect_pong("open").await;
        }
    }
}

#[tokio::test]
async fn close_is_sent_as_asked_and_waits_for_the_answer() {
    let long = "r".repeat(124);
    for (code, reason) in [(1000, ""), (1009, "too big"), (4999, "own"), (1005, "forbidden"), (0, ""), (1012, &long)] {
        let (server, mut client) =
            play(WebSocketScript::new().exchange(Exchange::new().text("before").close(code, reason).text("never")))
                .await;
        client.ask("x", &["before"]).await;
        client.expect(&frame(CLOSE, close_payload(code, reason))).await;
        // Said too late: recorded and not answered.
        client.send(&[masked(TEXT, "late"), masked(PING, "late")].concat()).await;
        soon(server.wait_for_messages(2)).await;
        client.expect_silence(&server).await;
        client.send(&masked(CLOSE, close_payload(1000, ""))).await;
        assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin));
        expect_disconnects(&server, 0).await;
    }
}

#[tokio::test]
async fn clients_close_is_echoed_and_counted_between_exchanges() {
    for payload in [close_payload(1000, "bye"), close_payload(4000, ""), Vec::new()] {
        let (server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().text("1"))).await;
        client.ask("x", &["1"]).await;
        client.send(&masked(CLOSE, &payload)).await;
        // The code alone comes back.
        client.expect(&frame(CLOSE, &payload[..payload.len().min(2)])).await;
        soon(server.wait_for_disconnects(1)).await;
        assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin));
        drop(client);
        expect_disconnects(&server, 1).await;
    }
}

#[tokio::test]
async fn clients_close_inside_an_exchange_stops_it() {
    let read = Gate::new();
    let (server, mut client) = play(held(&read)).await;
    client.ask("x", &["before"]).await;
    client.send(&masked(CLOSE, close_payload(1001, ""))).await;
    client.expect(&frame(CLOSE, close_payload(1001, ""))).await;
    read.open();
    assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin));
    expect_disconnects(&server, 1).await;
}

#[tokio::test]
async fn close_is_counted_although_its_answer_cannot_be_written() {
    let text = "x".repeat(32 << 20);
    let (server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().text(text))).await;
    client.send(&masked(TEXT, "go")).await;
    soon(server.wait_for_messages(1)).await;
    client.send(&masked(CLOSE, "")).await;
    soon(server.wait_for_disconnects(1)).await;
}

#[tokio::test]
async fn end_of_tcp_is_counted_wherever_it_comes() {
    let (server, client) = play(held(&Gate::new())).await;
    drop(client);
    soon(server.wait_for_disconnects(1)).await;
    for (hung_up, zero_linger) in [(2, false), (3, true)] {
        let mut client = Client::upgrade(&server).await;
        client.ask("x", &["before"]).await;
        if zero_linger {
            client.stream.set_zero_linger().unwrap();
        }
        drop(client);
        soon(server.wait_for_disconnects(hung_up)).await;
    }
    // Inside a frame.
    let mut client = Client::upgrade(&server).await;
    client.send(&masked(TEXT, "x")[..5]).await;
    drop(client);
    expect_disconnects(&server, 4).await;
    assert_eq!(server.messages().len(), 2);
}

#[tokio::test]
async fn silent_peer_answers_nothing_and_stays() {
    let exchange = Exchange::new().text("before").silent().text("never");
    let (server, mut client) = play(WebSocketScript::new().exchange(exchange)).await;
    client.ask("x", &["before"]).await;
    let said = [masked(PING, "hello?"), masked(TEXT, "y"), masked(CLOSE, close_payload(1000, "")), masked(PING, "")];
    client.send(&said.concat()).await;
    soon(server.wait_for_messages(2)).await;
    client.expect_silence(&server).await;
    expect_disconnects(&server, 0).await;
    client.expect_silence(&server).await;
    drop(client);
    expect_disconnects(&server, 1).await;
}

#[tokio::test]
async fn silence_holds_for_what_came_with_the_message() {
    let (server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().silent())).await;
    client.send(&[masked(TEXT, "x"), masked(PING, "hello?")].concat()).await;
    soon(server.wait_for_messages(1)).await;
    client.expect_silence(&server).await;
}

#[tokio::test]
async fn cut_is_seen_although_the_client_still_speaks() {
    let (server, mut client) = play(WebSocketScript::new().exchange(Exchange::new().text("1").cut(Cut::Close))).await;
    client.send(&[masked(TEXT, "x"), masked(TEXT, "y"), masked(PING, "")].concat()).await;
    let expected = [frame(PONG, ""), texts(&["1"])].concat();
    assert_eq!(client.read_to_end().await, (expected, Ended::Fin));
    // What is still said is answered by no reset, which the second write would fail with.
    client.send(&masked(TEXT, "z")).await;
    expect_disconnects(&server, 0).await;
    client.send(&masked(CLOSE, "")).await;
    assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin));
}

#[tokio::test]
async fn dropping_the_server_closes_every_kind_of_conversation() {
    let script = WebSocketScript::new();
    for exchange in [
        Exchange::new().text("1"),
        Exchange::new().text("1").gate(Gate::new()),
        Exchange::new().text("1").silent(),
        Exchange::new().text("1").close(1000, ""),
    ] {
        let (server, mut client) = play(script.clone().exchange(exchange)).await;
        client.ask("x", &["1"]).await;
        drop(server);
        // By FIN or RST; `Close` was on its way where it was asked for.
        client.read_to_end().await;
    }
}
