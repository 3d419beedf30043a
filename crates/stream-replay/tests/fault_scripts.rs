//! What a fault script does to a connection.

mod support;

use std::time::Duration;

use stream_replay::{FaultScript, ReplayServer, Response, ScriptError};
use support::{Client, Ended, POST, expect_disconnects, pass, server, soon};

/// One step does this to a client that has sent nothing: these bytes, and the end of the connection.
async fn check(step: &str, sent: &[u8]) {
    let (_server, mut client) = connected(&format!("{step}\nfin")).await;
    client.expect(sent).await;
    assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Fin), "{step}");
}

/// A server that plays this script from the first byte, and a client of it.
async fn connected(script: &str) -> (ReplayServer, Client) {
    let server = ReplayServer::builder().fault(FaultScript::parse(script).unwrap()).start().await.unwrap();
    let client = Client::connect(&server).await;
    (server, client)
}

#[tokio::test]
async fn bytes_are_sent_as_they_are_written() {
    check(r#"send "a\r\n\t\0\\\"\x7f\xFF é#" # no text"#, b"a\r\n\t\0\\\"\x7f\xff \xc3\xa9#").await;
    check(r#"send "ab" "c" * 3 "d""#, b"abcccd").await;
    check("send-hex 0d0A ff", b"\r\n\xff").await;
    check(r#"chunk "data: " "x" * 10"#, b"10\r\ndata: xxxxxxxxxx\r\n").await;
    check("last-chunk", b"0\r\n\r\n").await;
    check(r#"head 429 "retry-after: 5""#, b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 5\r\n\r\n").await;
    check("h2-frame goaway 0 0 00000000 0000000b", b"\0\0\x08\x07\0\0\0\0\0\0\0\0\0\0\0\0\x0b").await;
    check("h2-frame 250 1 7", b"\0\0\0\xfa\x01\0\0\0\x07").await;
    check("h2-settings max_concurrent_streams=1", b"\0\0\x06\x04\0\0\0\0\0\0\x03\0\0\0\x01").await;
    check("h2-headers stream 1 200 \"a: b\"", b"\0\0\x06\x01\x04\0\0\0\x01\x88\0\x01a\x01b").await;
    check("h2-headers stream 1 503 end-stream", b"\0\0\x05\x01\x05\0\0\0\x01\x08\x03503").await;
    check("h2-trailers stream 1 \":a: b\"", b"\0\0\x06\x01\x05\0\0\0\x01\0\x02:a\x01b").await;
    check("h2-data stream 3 \"x\" * 2", b"\0\0\x02\0\0\0\0\0\x03xx").await;
    check("h2-data stream 3 end-stream", b"\0\0\0\0\x01\0\0\0\x03").await;
    check("h2-rst-stream stream 3 cancel", b"\0\0\x04\x03\0\0\0\0\x03\0\0\0\x08").await;
    check("h2-goaway 11 last 5", b"\0\0\x08\x07\0\0\0\0\0\0\0\0\x05\0\0\0\x0b").await;
    check("h2-ping", b"\0\0\x08\x06\0\0\0\0\0\0\0\0\0\0\0\0\0").await;
    check("tcp-send \"a\"", b"a").await;
}

#[tokio::test]
async fn steps_and_blocks_are_repeated() {
    check(r#"repeat 3 send "a""#, b"aaa").await;
    check("repeat 2\n  send \"a\"\n  repeat 3 send \"b\"\n  repeat 2\n    send \"c\"\n  end\nend", b"abbbccabbbcc")
        .await;
}

#[tokio::test]
async fn an_endless_repetition_ends_with_the_client() {
    let (server, mut client) = connected("repeat forever send \"abc\"").await;
    client.expect(&b"abc".repeat(50_000)).await;
    drop(client);
    expect_disconnects_soon(&server).await;
}

#[tokio::test]
async fn a_file_is_sent_relative_to_the_script() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("body.bin"), b"\0body").unwrap();
    std::fs::write(folder.path().join("a.fault"), "send-file \"body.bin\"\n").unwrap();
    let script = FaultScript::load(folder.path().join("a.fault")).unwrap();
    let server = ReplayServer::builder().fault(script).start().await.unwrap();
    let mut client = Client::connect(&server).await;
    assert_eq!(client.read_to_end().await, (b"\0body".to_vec(), Ended::Fin));
}

#[tokio::test]
async fn requests_are_waited_for_and_recorded() {
    let (server, mut client) =
        connected("read-request\nsend \"1\"\nread-head\nsend \"2\"\nread 2\nsend \"3\"\nhold").await;
    client.send(&POST[..POST.len() - 1]).await;
    client.expect_silence_of_a_script().await;
    client.send(b"}").await;
    client.expect(b"1").await;
    client.send(&POST[..POST.len() - 2]).await;
    client.expect(b"2").await;
    client.send(b"{").await;
    client.expect_silence_of_a_script().await;
    client.send(b"}").await;
    client.expect(b"3").await;
    let requests = server.requests();
    assert_eq!([&requests[0].body[..], &requests[1].body[..]], [&b"{}"[..], b""]);
}

#[tokio::test]
async fn a_client_hello_is_answered_with_an_alert() {
    for (name, number) in [("handshake_failure", 40), ("protocol_version", 70), ("255", 255)] {
        let (_server, mut client) = connected(&format!("tls-alert {name}")).await;
        client.send(b"\x16\x03\x01\0\x03he").await;
        client.expect_silence_of_a_script().await;
        client.send(b"l").await;
        assert_eq!(client.read_to_end().await, (vec![21, 3, 3, 0, 2, 2, number], Ended::Fin));
    }
    // What is no TLS will not become a record.
    let (_server, mut client) = connected("tls-alert 0").await;
    client.send(b"G").await;
    client.expect(&[21, 3, 3, 0, 2, 2, 0]).await;
}

#[tokio::test]
async fn a_connect_is_refused_or_granted() {
    let connect = b"CONNECT api.example:443 HTTP/1.1\r\nhost: api.example:443\r\n\r\n";
    let (server, mut client) = connected("answer-connect 407 \"Who?\"").await;
    client.send(connect).await;
    client.expect(b"HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 4\r\n\r\nWho?").await;
    assert_eq!((&*server.requests()[0].method, &*server.requests()[0].path), ("CONNECT", "api.example:443"));

    let (_server, mut client) = connected("answer-connect 200\nsend \"tunnel\"").await;
    client.send(connect).await;
    client.expect(b"HTTP/1.1 200 OK\r\n\r\ntunnel").await;
}

#[tokio::test]
async fn waits_follow_the_clock_and_gates_the_test() {
    for two_hours in ["7200000ms", "7200s", "120m", "2h"] {
        let (_server, mut client) = connected(&format!("send \"1\"\nwait {two_hours}\nsend \"2\"\nhold")).await;
        client.expect(b"1").await;
        pass(Duration::from_secs(3600)).await;
        client.expect_silence_of_a_script().await;
        pass(Duration::from_secs(3600)).await;
        client.expect(b"2").await;
    }
    let script = FaultScript::parse("send \"2\"\ngate\nsend \"3\"\nhold").unwrap();
    let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
    let mut client = Client::connect(&server).await;
    client.expect(b"2").await;
    client.expect_silence_of_a_script().await;
    script.gate().release();
    client.expect(b"3").await;
    client.expect_silence_of_a_script().await;
    drop(client);
    expect_disconnects_soon(&server).await;
}

#[tokio::test]
async fn connections_end_by_fin_or_rst() {
    let script = FaultScript::parse("send \"a\"\ngate\nrst").unwrap();
    let server = ReplayServer::builder().fault(script.clone()).start().await.unwrap();
    let mut client = Client::connect(&server).await;
    client.expect(b"a").await;
    script.gate().release();
    assert_eq!(client.read_to_end().await, (Vec::new(), Ended::Reset));

    // A client may go on sending behind a FIN, and loses nothing of what it was sent.
    let (_server, mut client) = connected("read 1\nsend \"a\"").await;
    client.send(&vec![0; 1 << 20]).await;
    assert_eq!(client.read_to_end().await, (b"a".to_vec(), Ended::Fin));
    client.send(&vec![0; 1 << 20]).await;
}

#[tokio::test]
async fn sections_hold_up_to_the_next_one_and_serve_goes_on() {
    let script = "send \"1\"\nfin\nconnection 2:\nsend \"2\"\nfin\nconnection 4:\nread-request\nsend \"4\"\nserve";
    let server = ReplayServer::builder().fault(FaultScript::parse(script).unwrap()).respond(Response::new(204));
    let server = server.start().await.unwrap();
    for expected in ["1", "2", "2"] {
        let mut client = Client::connect(&server).await;
        assert_eq!(client.read_to_end().await.0, expected.as_bytes());
    }
    for _ in 0..2 {
        let mut client = Client::post(&server).await;
        client.expect(b"4").await;
        client.send(POST).await;
        client.expect(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    }
}

#[tokio::test]
async fn a_response_plays_its_script_behind_the_request() {
    let script = FaultScript::parse("send \"odd\"\nserve\nconnection 2:\nsend \"end\"").unwrap();
    let fault = Response::fault(script);
    let server = server([fault.clone(), Response::new(204), fault]).await;
    let mut client = Client::post(&server).await;
    client.expect(b"odd").await;
    client.send(POST).await;
    client.expect(b"HTTP/1.1 204 No Content\r\n\r\n").await;
    client.send(POST).await;
    assert_eq!(client.read_to_end().await, (b"end".to_vec(), Ended::Fin));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn hang_ups_stop_a_script_and_are_counted() {
    let (server, client) = connected("hold").await;
    drop(client);
    expect_disconnects_soon(&server).await;
    let server = support::server([Response::fault(FaultScript::parse("hold").unwrap())]).await;
    drop(Client::post(&server).await);
    expect_disconnects(&server, 1).await;
}

#[tokio::test]
async fn an_unreadable_request_is_refused_as_always() {
    let (server, mut client) = connected("read-head\nsend \"never\"").await;
    client.send(b"NO HTTP\r\n\r\n").await;
    let (answer, ended) = client.read_to_end().await;
    assert!(answer.starts_with(b"HTTP/1.1 400 Bad Request\r\n"));
    assert_eq!((ended, server.requests().len()), (Ended::Fin, 0));
}

/// The client has left, and the server has seen it.
async fn expect_disconnects_soon(server: &ReplayServer) {
    soon(server.wait_for_disconnects(1)).await;
}

impl Client {
    /// As `expect_silence`, of a server that answers nobody else: it has had its turns when this task has yielded often
    /// enough for every task of a runtime with one thread.
    async fn expect_silence_of_a_script(&mut self) {
        let mut byte = [0];
        for _ in 0..1_000 {
            tokio::task::yield_now().await;
        }
        match self.stream.try_read(&mut byte) {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            read => panic!("not silent: {read:?} {byte:?}"),
        }
    }
}

/// A script that is wrong: where, and what the message says.
#[track_caller]
fn wrong(script: &str, line: usize, column: usize, message: &str) {
    let error = FaultScript::parse(script).expect_err(script);
    assert_eq!(error.to_string(), format!("line {line}, column {column}: {message}"), "{script:?}");
}

#[test]
fn errors_name_line_and_column() {
    wrong("\n  sned \"x\"", 2, 3, "expected a step (`stream_replay::FaultScript` lists them), not \"sned\"");
    wrong("send", 1, 5, "expected a text in quotes");
    wrong("send x", 1, 6, "expected a text in quotes");
    wrong("send \"x\" y", 1, 10, "expected a text in quotes, or `*` with a number behind one");
    wrong("send \"\"", 1, 6, "expected a text in quotes");
    wrong("send \"é\" \"x", 1, 10, "the text is not closed");
    wrong(r#"send "a\q""#, 1, 8, r#"unknown escape: \r, \n, \t, \0, \\, \" and \xHH are known"#);
    wrong(r#"send "a\xg0""#, 1, 8, r#"unknown escape: \r, \n, \t, \0, \\, \" and \xHH are known"#);
    wrong(r#"send "a" * b"#, 1, 12, "expected how often, as a number, not \"b\"");
    wrong(r#"send "a" * 999999999999"#, 1, 6, "one step sends at most 268435456 bytes");
    wrong("send-hex 0d0", 1, 10, "expected pairs of hexadecimal digits");
    wrong("send-hex", 1, 9, "expected pairs of hexadecimal digits");
    wrong("read 0", 1, 6, "expected how many bytes");
    wrong("read-head now", 1, 11, "expected the end of the line");
    wrong("head ok", 1, 6, "expected a status, not \"ok\"");
    wrong("wait 5", 1, 6, "expected a time with its unit: 200ms, 2s, 5m or 1h");
    wrong("wait   # how long?", 1, 5, "expected a time with its unit: 200ms, 2s, 5m or 1h");
    wrong("tls-alert oops", 1, 11, "expected an alert, by its name in RFC 8446 or its number");
    wrong("answer-connect 200 \"x\"", 1, 20, "a tunnel is granted without a body");
    wrong("h2-frame data 256 0", 1, 15, "expected the flags, as a number up to 255, not \"256\"");
    wrong("h2-frame data 0 here", 1, 17, "expected the number of a stream, or `this`, not \"here\"");
    let reason = "expected an error code, by its name in RFC 9113 or its number";
    wrong("h2-goaway oops", 1, 11, reason);
    wrong("h2-goaway no_error first", 1, 20, "expected the end of the line");
    wrong("h2-goaway no_error last x", 1, 25, "expected the number of the last stream, not \"x\"");
    let setting = "expected a setting of RFC 9113 with its value, as in `max_frame_size=16384`";
    wrong("h2-settings max_frame_size", 1, 13, setting);
    wrong("h2-settings 1=2 oops=1", 1, 17, setting);
    let unread = "`h2-preface` and `read-request` come first, or `stream N` says which stream is meant";
    wrong("h2-preface\nh2-headers 200", 2, 1, unread);
    wrong("read-request\nh2-preface\nh2-data \"x\"", 3, 1, unread);
    wrong("h2-preface\nread-request\nfin\nconnection 2:\nh2-data \"x\"", 5, 1, unread);
    wrong("h2-frame data 0 this", 1, 1, unread);
    wrong("h2-headers stream 1 ok", 1, 21, "expected a status, not \"ok\"");
    wrong("h2-data stream 1 end", 1, 18, "expected a text in quotes");
    wrong("h2-data stream 1 \"x\" end", 1, 22, "expected the end of the line");
    wrong("h2-rst-stream stream 1", 1, 23, reason);
    wrong("h2-read ping", 1, 1, "`h2-preface` comes first");
    wrong("h2-preface\nh2-preface", 2, 1, "a connection has one preface");
    wrong("repeat 2\nh2-preface\nend", 2, 1, "a connection has one preface");
    wrong("h2-preface\nread 9", 2, 1, "what HTTP/2 brings is read by `read-head`, `read-request` and `h2-read`");
    let serve = "the answers of the server are HTTP/1.1, which nobody speaks behind `h2-preface`";
    wrong("h2-preface\n serve", 2, 2, serve);
    wrong("repeat 0 gate", 1, 8, "expected how often, as a number from 1 or `forever`");
    wrong("repeat 2 fin", 1, 10, "an end cannot be repeated");
    wrong("repeat 2\nfin\nend", 2, 1, "an end cannot be repeated");
    wrong("repeat 2\nend", 2, 1, "nothing is repeated");
    wrong("end", 1, 1, "nothing is repeated here");
    wrong("gate\n repeat 2\ngate\nconnection 2:\ngate\nend", 2, 2, "the repetition has no `end`");
    wrong("repeat forever\ngate", 1, 1, "the repetition has no `end`");
    wrong("fin\ngate", 2, 1, "nothing follows the end of a connection");
    wrong("connection 1", 1, 12, "expected the number of a connection and a colon, as in `connection 2:`");
    let order = "the first connection is 1, and the others are in ascending order";
    wrong("connection 2:\ngate", 1, 12, order);
    wrong("gate\nconnection 1:", 2, 12, order);
    wrong("connection 1:\nconnection 3:\nconnection 3:", 3, 12, order);
}

#[cfg(feature = "tls")]
#[test]
fn errors_about_tls_name_line_and_column() {
    wrong("tls-accept h2", 1, 12, "expected `alpn`, `certificate` or the end of the line");
    wrong("tls-accept alpn h2", 1, 17, "expected the name of a protocol in quotes, as in `alpn \"h2\"`");
    wrong("tls-accept alpn \"\"", 1, 17, "expected the name of a protocol in quotes, as in `alpn \"h2\"`");
    wrong("tls-accept certificate", 1, 23, "expected the name of a file in quotes");
    wrong("tls-begin", 1, 10, "expected how many bytes");
    wrong("tls-close-notify", 1, 1, "`tls-accept` comes first");
    wrong("tls-accept\ntls-accept", 2, 1, "a connection has one handshake");
    wrong("repeat 2 tls-accept", 1, 10, "a connection has one handshake");
    wrong("h2-preface\ntls-accept", 2, 1, "TLS comes before `h2-preface`");
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_is_a_feature() {
    wrong("gate\n tls-accept", 2, 2, "`tls-accept` needs the feature `tls` of stream-replay");
}

#[test]
fn files_that_cannot_be_read_are_named() {
    let error = FaultScript::parse("gate\nsend-file \"nobody/has.this\"").unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 11: cannot read the file nobody/has.this");
    assert!(matches!(error, ScriptError::File { line: 2, .. }));
    assert!(std::error::Error::source(&error).is_some());
    let error = FaultScript::load("nobody/has.that").unwrap_err();
    assert_eq!(error.to_string(), "cannot read the fault script nobody/has.that");
    assert!(std::error::Error::source(&error).is_some());
}

#[test]
fn a_script_says_whether_it_serves() {
    assert!(FaultScript::parse("fin\nconnection 2:\nserve").unwrap().serves());
    assert!(!FaultScript::parse("read-request\nrst").unwrap().serves());
    assert!(!FaultScript::parse("").unwrap().serves());
}
