//! Cassettes as text: what is written, what is read, and what is said of broken ones.

use std::error::Error;
use std::fs;
use std::time::Duration;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use stream_replay::{
    Cassette, CassetteError, Content, Course, FrameKind, Peer, RecordedChunk, RecordedEnd, RecordedExchange,
    RecordedFrame, RecordedResponse,
};

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn http() -> RecordedExchange {
    let mut response = RecordedResponse::new(
        ms(214),
        200,
        Course::Body(vec![
            RecordedChunk::new(ms(215), "event: a\ndata: {\"n\":\"#1\"}\n\n"),
            RecordedChunk::new(ms(215), b"data: \xe2\x82".to_vec()),
            RecordedChunk::new(ms(301), b"\xac \r\n\tx\x1b\\ \n".to_vec()),
            RecordedChunk::new(ms(302), (0..40).collect::<Vec<u8>>()),
        ]),
    );
    response.headers.push(("content-type".to_owned(), b"text/event-stream".to_vec()));
    let mut exchange = RecordedExchange::new("POST", "/v1/responses?key=\"");
    exchange.request_headers.push(("x y".to_owned(), b"caf\xe9".to_vec()));
    exchange.request_body = Content::Withheld { length: 512, sha256: [0xab; 32] };
    exchange.response = Some(response);
    (exchange.end_at, exchange.end) = (ms(400), RecordedEnd::Cut);
    exchange
}

fn websocket() -> RecordedExchange {
    let frame =
        |at, from, kind, bytes: &'static [u8]| RecordedFrame::new(ms(at), from, kind, Content::Kept(bytes.into()));
    let frames = vec![
        RecordedFrame::new(ms(4), Peer::Client, FrameKind::Text, Content::Withheld { length: 2, sha256: [1; 32] }),
        frame(5, Peer::Server, FrameKind::Text, b"{\"type\":\"response.completed\"}"),
        frame(6, Peer::Server, FrameKind::Ping, b""),
        frame(7, Peer::Client, FrameKind::Pong, b"\x00\x01"),
        frame(8, Peer::Server, FrameKind::Close, b"\x03\xe8bye"),
        frame(9, Peer::Client, FrameKind::Close, b""),
    ];
    let mut exchange = RecordedExchange::new("GET", "/v1/responses");
    exchange.at = Duration::new(61, 500);
    exchange.response = Some(RecordedResponse::new(ms(3), 101, Course::WebSocket(frames)));
    (exchange.end_at, exchange.end) = (ms(9), RecordedEnd::Finish);
    exchange
}

fn unreachable() -> RecordedExchange {
    let mut exchange = RecordedExchange::new("POST", "/v1/responses");
    exchange.request_body = Content::Kept("{}".into());
    exchange.end = RecordedEnd::Failed("cannot connect: \"refused\"".to_owned());
    exchange
}

const TEXT: &str = r##"codex-cassette 1

request +0s POST "/v1/responses?key=\""
header "x y" "caf\xe9"
body withheld 512 bytes sha256 abababababababababababababababababababababababababababababababab
response +0.214s 200
header content-type "text/event-stream"
chunk +0.215s
  | event: a
  | data: {"n":"#1"}
  |
chunk +0.215s
  "data: \xe2\x82"
chunk +0.301s
  "\xac \r\n"
  "\tx\x1b\\ \n"
chunk +0.302s
  hex 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
  hex 2021222324252627
end +0.4s fin

request +61.0000005s GET "/v1/responses"
response +0.003s 101 websocket
client +0.004s text withheld 2 bytes sha256 0101010101010101010101010101010101010101010101010101010101010101
server +0.005s text
  : {"type":"response.completed"}
server +0.006s ping
client +0.007s pong
  hex 0001
server +0.008s close 1000
  : bye
client +0.009s close
end +0.009s finish

request +0s POST "/v1/responses"
body
  : {}
end +0s failed "cannot connect: \"refused\""
"##;

#[test]
fn cassettes_are_written_for_readers_and_read_back() {
    let cassette: Cassette = [http(), websocket(), unreachable()].into_iter().collect();
    assert_eq!(cassette.to_string(), TEXT);
    assert_eq!(Cassette::parse(TEXT).unwrap(), cassette);
    let mut written = Vec::new();
    cassette.write_to(&mut written).unwrap();
    assert_eq!(written, TEXT.as_bytes());
}

#[test]
fn what_an_editor_or_a_checkout_changes_is_read_the_same() {
    let expected = Cassette::parse(TEXT).unwrap();
    for changed in [
        TEXT.replace('\n', "\r\n"),
        format!("\u{feff}{TEXT}"),
        TEXT.replace("  |", "|").replace("  :", "\t:"),
        TEXT.replace('\n', "\n\n# a remark\n  # another\n"),
        TEXT.replace("chunk +0.215s", "chunk +0.21500s   # late"),
        TEXT.trim_end().to_owned(),
    ] {
        assert_eq!(Cassette::parse(&changed).unwrap(), expected, "{changed}");
    }
}

#[test]
fn exchanges_can_be_looked_into() {
    let cassette = Cassette::parse(TEXT).unwrap();
    let [http, websocket, failed] = cassette.exchanges() else { panic!() };
    assert_eq!((http.method.as_str(), http.chunks().len(), http.frames().len()), ("POST", 4, 0));
    assert_eq!(http.chunks()[2].at, ms(301));
    assert_eq!(http.response.as_ref().unwrap().header("Content-Type"), Some(&b"text/event-stream"[..]));
    assert_eq!((websocket.chunks().len(), websocket.frames().len()), (0, 6));
    assert_eq!(websocket.frames().iter().map(RecordedFrame::close_code).collect::<Vec<_>>()[4..], [Some(1000), None]);
    assert_eq!((http.request_body.length(), http.request_body.bytes()), (512, None));
    assert_eq!((failed.request_body.length(), failed.response.is_none()), (2, true));
}

#[test]
fn cassettes_are_told_from_event_streams() {
    for head in ["codex-cassette 1\n", "codex-cassette 99", "codex-cassette", "\u{feff}codex-cassette 1"] {
        assert!(Cassette::is_cassette(head.as_bytes()), "{head}");
    }
    for head in ["", "codex-cassettes 1", "data: codex-cassette 1", "codex"] {
        assert!(!Cassette::is_cassette(head.as_bytes()), "{head}");
    }
}

#[test]
fn debug_output_holds_no_secrets() {
    let mut exchange = http();
    exchange.request_headers.push(("authorization".to_owned(), b"SECRET".to_vec()));
    exchange.request_body = Content::Kept("SECRET".into());
    exchange.target = "/v1?key=SECRET".to_owned();
    let Some(Course::Body(chunks)) = exchange.response.as_mut().map(|response| &mut response.course) else { panic!() };
    chunks.push(RecordedChunk::new(ms(0), "SECRET"));
    let shown = format!("{:?}", Cassette::from_iter([exchange]));
    assert!(!shown.contains("SECRET"), "{shown}");
    assert!(shown.contains("POST"), "{shown}");
}

/// The last line of each text is what the complaint is about, unless it says otherwise.
#[test]
fn broken_cassettes_are_refused_with_place_and_expectation() {
    const REQUEST: &str = "codex-cassette 1\nrequest +0s POST \"/\"\n";
    const SSE: &str = "codex-cassette 1\nrequest +0s POST \"/\"\nresponse +0s 200\n";
    const WS: &str = "codex-cassette 1\nrequest +0s GET \"/\"\nresponse +0s 101 websocket\n";
    const TIME: &str = "expected a time in seconds, as in +0.25s";
    const DIGEST: &str = "expected 64 hexadecimal digits";
    for (before, line, place, expected) in [
        ("", "", (1, 1), "expected `codex-cassette 1`, not the end of the file"),
        ("", "data: {}", (1, 1), "expected `codex-cassette 1`: this is no cassette"),
        ("", "\"open", (1, 1), "expected `codex-cassette 1`: this is no cassette"),
        ("", " codex-cassette 1", (1, 1), "expected `codex-cassette 1`: this is no cassette"),
        ("# a remark\n", "codex-cassette 1", (1, 1), "expected `codex-cassette 1`: this is no cassette"),
        ("", "codex-cassette", (1, 15), "expected the version of the format"),
        ("", "codex-cassette one", (1, 16), "expected the version of the format, not \"one\""),
        ("", "codex-cassette 2", (1, 16), "expected version 1 of the format, not 2"),
        ("", "codex-cassette 1 1", (1, 18), "expected the end of the line"),
        ("codex-cassette 1\n\n", "chunk +0s", (3, 1), "expected `request`, not `chunk`"),
        ("codex-cassette 1\n", "  : data", (2, 3), "expected `request`, not `:`"),
        ("codex-cassette 1\n", "request", (2, 8), TIME),
        ("codex-cassette 1\n", "request 1s POST \"/\"", (2, 9), TIME),
        ("codex-cassette 1\n", "request +1ms POST \"/\"", (2, 9), TIME),
        ("codex-cassette 1\n", "request +0s", (2, 12), "expected a method"),
        ("codex-cassette 1\n", "request +0s POST /", (2, 18), "expected the request target in quotes"),
        (
            "codex-cassette 1\n",
            "request +0s POST \"\\xff\"",
            (2, 18),
            "expected the request target in quotes, as UTF-8",
        ),
        ("codex-cassette 1\n", "request +0s POST \"/", (2, 18), "the text is not closed"),
        (REQUEST, "", (3, 1), "expected `header`, `body`, `response` or `end`, not the end of the file"),
        (REQUEST, "chunk +0s", (3, 1), "expected `header`, `body`, `response` or `end`, not `chunk`"),
        (REQUEST, "header", (3, 7), "expected a header's name"),
        (REQUEST, "header a: b", (3, 11), "expected the header's value in quotes"),
        (REQUEST, "body withheld many", (3, 15), "expected how many bytes, not \"many\""),
        (REQUEST, "body withheld 5", (3, 16), "expected `bytes`"),
        (REQUEST, "body withheld 5 bytes sha256 abc", (3, 30), DIGEST),
        (REQUEST, "body 5", (3, 6), "expected the end of the line"),
        (REQUEST, "body\nheader a \"b\"", (4, 1), "expected `response` or `end`, not `header`"),
        (REQUEST, "response +0s ok", (3, 14), "expected a status, not \"ok\""),
        (REQUEST, "response +0s 200 http", (3, 18), "expected the end of the line"),
        (SSE, "chunk", (4, 6), TIME),
        (SSE, "chunk +0s\n  |data", (5, 4), "expected a space behind the marker of the line"),
        (SSE, "chunk +0s\n  \"\\q\"", (5, 4), "unknown escape: \\r, \\n, \\t, \\0, \\\\, \\\" and \\xHH are known"),
        (SSE, "chunk +0s\n  \"a\" \"b\"", (5, 7), "expected the end of the line"),
        (SSE, "chunk +0s\n  hex 0", (5, 7), "expected pairs of hexadecimal digits"),
        (SSE, "chunk +0s\n  data: {}", (5, 3), "expected `chunk` or `end`, not `data:`"),
        (SSE, "chunk +0s\nheader a \"b\"", (5, 1), "expected `chunk` or `end`, not `header`"),
        (SSE, "server +0s text", (4, 1), "expected `header`, `chunk` or `end`, not `server`"),
        (SSE, "end +0s finish\nend +0s finish", (5, 1), "expected `request`, not `end`"),
        (SSE, "end +0s", (4, 8), "expected `finish`, `fin`, `rst`, `open`, `hang-up` or `failed`"),
        (SSE, "end +0s failed", (4, 15), "expected the reason in quotes"),
        (WS, "chunk +0s", (4, 1), "expected `header`, `server`, `client` or `end`, not `chunk`"),
        (WS, "server +0s word", (4, 12), "expected `text`, `binary`, `ping`, `pong` or `close`"),
        (WS, "server +0s close soon", (4, 18), "expected a close code, not \"soon\""),
        (
            WS,
            "server +0s text\n: x\nrequest +0s GET \"/\"",
            (6, 1),
            "expected `server`, `client` or `end`, not `request`",
        ),
    ] {
        let text = format!("{before}{line}");
        match Cassette::parse(&text) {
            Err(CassetteError::Syntax { path: None, line, column, message }) => {
                assert_eq!(((line, column), message.as_str()), (place, expected), "{text}");
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_named_by_their_place() {
    let error = Cassette::parse(b"codex-cassette 1\nrequest \xff").unwrap_err();
    assert_eq!(error.to_string(), "line 2, column 9: expected UTF-8; other bytes are written \\xHH or hex");
}

#[test]
fn errors_name_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("broken.cassette");
    fs::write(&path, "codex-cassette 1\nreq").unwrap();
    let error = Cassette::load(&path).unwrap_err();
    assert_eq!(error.to_string(), format!("{}: line 2, column 1: expected `request`, not `req`", path.display()));
    let missing = folder.path().join("missing.cassette");
    let error = Cassette::load(&missing).unwrap_err();
    assert_eq!(error.to_string(), format!("cannot read the recorded stream {}", missing.display()));
    assert!(error.source().is_some());
}

#[test]
fn a_saved_cassette_is_there_as_a_whole_and_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("turn.cassette");
    let cassette: Cassette = [http(), websocket()].into_iter().collect();
    cassette.save(&path).unwrap();
    assert_eq!(Cassette::load(&path).unwrap(), cassette);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

fn times() -> impl Strategy<Value = Duration> {
    (any::<u64>(), 0..1_000_000_000u32).prop_map(|(seconds, nanos)| Duration::new(seconds, nanos))
}

/// Bytes of all kinds, often lines of text with something in them that cannot stand for itself.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[ -~]{0,12}".prop_map(String::into_bytes),
        2 => ".{0,6}".prop_map(String::into_bytes),
        2 => Just(b"\n".to_vec()),
        1 => prop::sample::select(vec!["\r\n", " \n", "\u{feff}", "\"", "\\", "# ", "| ", "hex 00", "\u{85}", "\u{2028}"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn contents() -> impl Strategy<Value = Content> {
    prop_oneof![
        bytes().prop_map(|bytes| Content::Kept(bytes.into())),
        (any::<u64>(), any::<[u8; 32]>()).prop_map(|(length, sha256)| Content::Withheld { length, sha256 }),
    ]
}

fn headers() -> impl Strategy<Value = Vec<(String, Vec<u8>)>> {
    vec((prop_oneof!["[a-z-]{1,8}", ".{0,4}"], bytes()), 0..3)
}

fn courses() -> impl Strategy<Value = Course> {
    use FrameKind::{Binary, Close, Ping, Pong, Text};
    let kinds = prop::sample::select(vec![Text, Binary, Ping, Pong, Close, Close]);
    let peers = prop::sample::select(vec![Peer::Client, Peer::Server]);
    let frame = (times(), peers, kinds, contents())
        .prop_map(|(at, from, kind, content)| RecordedFrame::new(at, from, kind, content));
    prop_oneof![
        vec((times(), bytes()).prop_map(|(at, bytes)| RecordedChunk::new(at, bytes)), 0..5).prop_map(Course::Body),
        vec(frame, 0..5).prop_map(Course::WebSocket),
    ]
}

fn exchanges() -> impl Strategy<Value = RecordedExchange> {
    let response = (times(), any::<u16>(), headers(), courses()).prop_map(|(at, status, headers, course)| {
        let mut response = RecordedResponse::new(at, status, course);
        response.headers = headers;
        response
    });
    let end = prop_oneof![
        prop::sample::select(vec![RecordedEnd::Finish, RecordedEnd::Cut, RecordedEnd::Reset]),
        prop::sample::select(vec![RecordedEnd::Open, RecordedEnd::HangUp]),
        any::<String>().prop_map(RecordedEnd::Failed),
    ];
    let request = (prop_oneof!["[A-Z]{1,6}", ".{0,4}"], any::<String>(), times(), headers(), contents());
    (request, option::of(response), times(), end).prop_map(
        |((method, target, at, headers, body), response, end_at, end)| {
            let mut exchange = RecordedExchange::new(method, target);
            (exchange.at, exchange.request_headers, exchange.request_body) = (at, headers, body);
            (exchange.response, exchange.end_at, exchange.end) = (response, end_at, end);
            exchange
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(cassette in vec(exchanges(), 0..3).prop_map(Cassette::from_iter)) {
        let text = cassette.to_string();
        let read = Cassette::parse(&text).map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        prop_assert!(read == cassette, "{text}");
    }

    #[test]
    fn no_text_is_too_strange_to_be_refused(text in vec(any::<u8>(), 0..200), line in ".{0,40}") {
        let _ = Cassette::parse(&text);
        let _ = Cassette::parse(format!("codex-cassette 1\n{line}"));
        let _ = Cassette::parse(format!("{}{line}", &TEXT[..TEXT.len() / 2]));
    }
}
