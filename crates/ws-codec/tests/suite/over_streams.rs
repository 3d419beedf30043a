//! The connection over tokio's traits: time is paused, nothing sleeps for real.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::task::coop;
use ws_codec::io::Connection;
use ws_codec::{CloseCode, CloseFrame, Config, Error, ErrorKind, Message, Reuse, Role};

use crate::support::*;

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn connect<S: AsyncRead + AsyncWrite + Unpin>(stream: S, role: Role) -> Connection<S> {
    Connection::new(stream, role, Config::new(), now())
}

/// A client and the raw other end, with this much room between them.
fn pair(room: usize) -> (Connection<DuplexStream>, DuplexStream) {
    let (near, far) = tokio::io::duplex(room);
    (connect(near, client()), far)
}

/// What a caller does: polls, and polls again when the connection's time has come.
async fn run<S, T>(
    connection: &mut Connection<S>,
    mut poll: impl FnMut(&mut Connection<S>, &mut Context<'_>, Instant) -> Poll<T>,
) -> T
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(answer) = poll(connection, cx, now()) {
                return Poll::Ready(answer);
            }
            let Some(at) = connection.poll_timeout() else { return Poll::Pending };
            timer.as_mut().reset(at.into());
            if timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    })
    .await
}

async fn next<S: AsyncRead + AsyncWrite + Unpin>(connection: &mut Connection<S>) -> Option<Result<Message, Error>> {
    run(connection, Connection::poll_message).await
}

async fn send<S: AsyncRead + AsyncWrite + Unpin>(connection: &mut Connection<S>, text: String) -> Result<(), Error> {
    run(connection, Connection::poll_ready).await?;
    connection.start_send(text).unwrap();
    run(connection, Connection::poll_flush).await
}

async fn next_text<S: AsyncRead + AsyncWrite + Unpin>(connection: &mut Connection<S>) -> String {
    String::from_utf8(next(connection).await.unwrap().unwrap().as_bytes().to_vec()).unwrap()
}

/// Reads frames until the stream ends, or `enough`.
async fn frames(far: &mut DuplexStream, mut enough: impl FnMut(&[Sent]) -> bool) -> Vec<Sent> {
    let (mut bytes, mut frames) = (Vec::new(), Vec::new());
    while !enough(&frames) {
        let mut chunk = [0; 4096];
        let read = far.read(&mut chunk).await.unwrap();
        bytes.extend(&chunk[..read]);
        while let Some((frame, size)) = parse_one(&bytes) {
            bytes.drain(..size);
            frames.push(frame);
        }
        if read == 0 {
            break;
        }
    }
    frames
}

#[test]
fn a_connection_can_be_sent_to_another_thread() {
    fn is_send<T: Send + 'static>() {}
    is_send::<Connection<DuplexStream>>();
    is_send::<Error>();
}

#[tokio::test(start_paused = true)]
async fn messages_go_both_ways_through_any_narrowness() {
    for room in [1, 3, 64, 1 << 20] {
        let (near, far) = tokio::io::duplex(room);
        let (mut client, mut server) = (connect(near, client()), connect(far, Role::Server));
        let texts = || [String::new(), "äöü€𝄞".into(), "x".repeat(300 * room.clamp(64, 1024))];
        tokio::join!(
            async {
                for text in texts() {
                    send(&mut client, text.clone()).await.unwrap();
                    assert_eq!(next_text(&mut client).await, text);
                }
                run(&mut client, Connection::poll_close).await.unwrap();
                assert!(next(&mut client).await.is_none());
            },
            async {
                for _ in texts() {
                    let text = next_text(&mut server).await;
                    send(&mut server, text).await.unwrap();
                }
                let end = next(&mut server).await.unwrap().unwrap_err();
                assert_eq!(end.close_code(), CloseCode::NORMAL);
                run(&mut server, Connection::poll_close).await.unwrap();
            }
        );
    }
}

#[tokio::test(start_paused = true)]
async fn bytes_behind_the_head_of_the_handshake_come_first() {
    let (client, mut far) = pair(1024);
    let bytes = [fin(TEXT, "first"), fin(TEXT, "second")].concat();
    let (leftover, rest) = bytes.split_at(9);
    far.write_all(rest).await.unwrap();
    let mut client = client.with_leftover(leftover, now());
    assert_eq!(next_text(&mut client).await, "first");
    assert_eq!(next_text(&mut client).await, "second");
}

#[tokio::test(start_paused = true)]
async fn case_31_a_ping_during_our_own_8_mib_is_answered_within_256_kib() {
    for room in [4096, 64 << 10] {
        let (mut client, mut far) = pair(room);
        let sending = send(&mut client, "x".repeat(8 << 20));
        let (mut seen, mut pinged) = (0, None);
        let reading = async {
            let (mut bytes, mut chunk, mut answered) = (Vec::new(), vec![0; 16 << 10], None);
            loop {
                let read = far.read(&mut chunk).await.unwrap();
                seen += read;
                bytes.extend(&chunk[..read]);
                if seen >= 1 << 20 && pinged.is_none() {
                    far.write_all(&fin(PING, "there?")).await.unwrap();
                    pinged = Some(seen);
                }
                while let Some((frame, size)) = parse_one(&bytes) {
                    bytes.drain(..size);
                    if frame.opcode() == PONG {
                        assert_eq!(frame.payload, b"there?");
                        answered = Some(seen);
                    } else if frame.first & FIN != 0 {
                        return answered.unwrap() - pinged.unwrap();
                    }
                }
            }
        };
        let (sent, waited) = tokio::join!(sending, reading);
        sent.unwrap();
        assert!(waited <= 256 << 10, "{waited}");
        assert_eq!(client.counters().pongs_sent, 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_ping_is_read_between_fragments_though_every_write_is_taken_at_once() {
    // All of the message fits, so no write ever waits.
    let (mut client, mut far) = pair(16 << 20);
    far.write_all(&fin(PING, "now")).await.unwrap();
    send(&mut client, "x".repeat(8 << 20)).await.unwrap();
    let frames = frames(&mut far, |frames| frames.len() > 4).await;
    assert!(frames[..4].iter().any(|frame| frame.opcode() == PONG));
}

#[tokio::test(start_paused = true)]
async fn a_close_that_comes_while_a_send_is_blocked_is_its_error() {
    let (mut client, mut far) = pair(1024);
    let close = close(1009, "message too big");
    let (sent, ()) =
        tokio::join!(send(&mut client, "x".repeat(1 << 20)), async { far.write_all(&close).await.unwrap() });
    for error in [sent.unwrap_err(), next(&mut client).await.unwrap().unwrap_err()] {
        assert_eq!((error.close_code(), error.reason()), (CloseCode::TOO_BIG, "message too big"));
    }
    assert!(next(&mut client).await.is_none());
    assert_eq!(client.reuse(now()), Reuse::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_close_that_was_sent_before_the_stream_broke_is_not_lost() {
    let (mut client, mut far) = pair(1024);
    far.write_all(&[fin(TEXT, "event"), close(1013, "overloaded")].concat()).await.unwrap();
    drop(far);
    let error = send(&mut client, "x".repeat(1 << 20)).await.unwrap_err();
    assert_eq!((error.close_code(), error.reason()), (CloseCode::TRY_AGAIN, "overloaded"));
    assert_eq!(next_text(&mut client).await, "event");
    assert_eq!(next(&mut client).await.unwrap().unwrap_err().close_code(), CloseCode::TRY_AGAIN);
}

#[tokio::test(start_paused = true)]
async fn a_send_into_a_broken_stream_is_never_a_success() {
    let (mut client, far) = pair(1024);
    drop(far);
    let error = send(&mut client, "x".into()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Io | ErrorKind::UnexpectedEof), "{error:?}");
    assert_eq!(error.close_code(), CloseCode::ABNORMAL);
}

/// Cannot be written.
struct Broken;

impl AsyncWrite for Broken {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Err(std::io::ErrorKind::BrokenPipe.into()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_write_waits_2_s_for_the_peer_to_say_why() {
    let (near, far) = tokio::io::duplex(1024);
    let mut client = connect(tokio::io::join(near, Broken), client());
    let begin = now();
    let error = send(&mut client, "x".into()).await.unwrap_err();
    assert_eq!((error.kind(), now() - begin), (ErrorKind::Io, Duration::from_secs(2)));
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn the_answer_to_a_close_is_out_before_the_caller_hears_of_it() {
    let (mut client, mut far) = pair(1024);
    far.write_all(&[fin(PING, "last"), close(1001, "bye")].concat()).await.unwrap();
    next(&mut client).await.unwrap().unwrap_err();
    drop(client);
    let sent = frames(&mut far, |_| false).await;
    assert_eq!(sent.iter().map(Sent::opcode).collect::<Vec<_>>(), [PONG, CLOSE]);
}

#[tokio::test(start_paused = true)]
async fn a_failure_of_ours_is_told_to_the_peer_and_the_stream_ends() {
    for (bytes, code) in [
        (raw(0xc1, b""), 1002),
        (fin(TEXT, b"\xff"), 1007),
        (vec![0x81, 127, 0, 0, 1, 0, 0, 0, 0, 0], 1009),
        (fin(BINARY, "x"), 1003),
    ] {
        let (mut client, mut far) = pair(1024);
        far.write_all(&bytes).await.unwrap();
        let error = next(&mut client).await.unwrap().unwrap_err();
        let begin = now();
        let (closed, sent) = tokio::join!(run(&mut client, Connection::poll_close), frames(&mut far, |_| false));
        assert_eq!(closed.unwrap_err().kind(), error.kind());
        assert_eq!(sent.iter().map(Sent::code).collect::<Vec<_>>(), [Some(code)]);
        // The peer left its half open: the close timeout ended it.
        assert_eq!(now() - begin, Duration::from_secs(2));
    }
}

#[tokio::test(start_paused = true)]
async fn case_15_a_peer_that_closes_but_leaves_the_stream_open_is_left_after_2_s() {
    let (mut client, mut far) = pair(1024);
    far.write_all(&close(1000, "")).await.unwrap();
    assert_eq!(next(&mut client).await.unwrap().unwrap_err().close_code(), CloseCode::NORMAL);
    let begin = now();
    let (closed, sent) = tokio::join!(run(&mut client, Connection::poll_close), frames(&mut far, |_| false));
    assert!(closed.is_ok());
    assert_eq!(now() - begin, Duration::from_secs(2));
    assert_eq!(sent[0].code(), Some(1000));
}

#[tokio::test(start_paused = true)]
async fn a_close_of_ours_that_nobody_answers_is_an_error_after_2_s() {
    let (mut client, far) = pair(1024);
    let begin = now();
    client.close(CloseFrame::new(CloseCode::new(4000), "bye").unwrap(), now());
    let error = run(&mut client, Connection::poll_close).await.unwrap_err();
    assert_eq!((error.kind(), now() - begin), (ErrorKind::CloseTimeout, Duration::from_secs(2)));
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn a_half_open_peer_is_found_in_40_s() {
    // It reads nothing and says nothing.
    let (mut client, far) = pair(64);
    let begin = now();
    let error = next(&mut client).await.unwrap().unwrap_err();
    assert_eq!((error.kind(), now() - begin), (ErrorKind::Unresponsive, Duration::from_secs(40)));
    run(&mut client, Connection::poll_close).await.unwrap_err();
    drop(far);
}

#[tokio::test(start_paused = true)]
async fn a_caller_that_was_slow_finds_what_came_meanwhile() {
    let (mut client, mut far) = pair(1024);
    assert!(poll_once(&mut client).is_pending());
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(poll_once(&mut client).is_pending());
    far.write_all(&fin(TEXT, "in time")).await.unwrap();
    tokio::time::advance(Duration::from_secs(1000)).await;
    assert!(matches!(poll_once(&mut client), Poll::Ready(Some(Ok(_)))));
    assert!(poll_once(&mut client).is_pending());
}

/// A task that has used up its budget before it reads is told that nothing is there.
#[tokio::test(start_paused = true)]
async fn a_caller_that_was_busy_finds_what_came_meanwhile() {
    for came in [fin(PONG, 1_u64.to_be_bytes()), fin(TEXT, "in time")] {
        let (mut client, mut far) = pair(1024);
        assert!(poll_once(&mut client).is_pending());
        tokio::time::advance(Duration::from_secs(20)).await;
        assert!(poll_once(&mut client).is_pending());
        far.write_all(&came).await.unwrap();
        tokio::time::advance(Duration::from_secs(1000)).await;
        let mut turns = 0;
        let first = poll_fn(|cx| {
            turns += 1;
            if turns == 1 {
                use_up_budget(cx);
            }
            match client.poll_message(cx, now()) {
                Poll::Pending if turns == 1 => Poll::Pending,
                polled => Poll::Ready(polled),
            }
        });
        let first = tokio::time::timeout(Duration::from_secs(1), first).await.expect("another turn");
        assert!(!matches!(first, Poll::Ready(Some(Err(_)) | None)), "{first:?}");
        assert_eq!(client.counters().bytes_received, came.len() as u64);
    }
}

/// It is as busy in every turn: one more is all that it gets.
#[tokio::test(start_paused = true)]
async fn a_caller_that_is_always_busy_finds_a_dead_peer() {
    let (mut client, _far) = pair(1024);
    assert!(poll_once(&mut client).is_pending());
    tokio::time::advance(Duration::from_secs(20)).await;
    assert!(poll_once(&mut client).is_pending());
    tokio::time::advance(Duration::from_secs(20)).await;
    let end = poll_fn(|cx| {
        use_up_budget(cx);
        client.poll_message(cx, now())
    });
    let end = tokio::time::timeout(Duration::from_secs(1), end).await.expect("an end at once");
    assert_eq!(end.unwrap().unwrap_err().kind(), ErrorKind::Unresponsive);
}

fn use_up_budget(cx: &mut Context<'_>) {
    while coop::has_budget_remaining() {
        _ = pin!(coop::consume_budget()).poll(cx);
    }
}

fn poll_once<S: AsyncRead + AsyncWrite + Unpin>(
    connection: &mut Connection<S>,
) -> Poll<Option<Result<Message, Error>>> {
    connection.poll_message(&mut Context::from_waker(std::task::Waker::noop()), now())
}

#[tokio::test(start_paused = true)]
async fn a_probe_finds_the_living_the_closed_and_the_dead() {
    let (mut client, mut far) = pair(1024);
    tokio::time::advance(Duration::from_secs(31)).await;
    assert_eq!(client.reuse(now()), Reuse::Probe);
    let answer = async {
        let ping = frames(&mut far, |frames| !frames.is_empty()).await.remove(0);
        far.write_all(&[fin(TEXT, "late event"), fin(PONG, &ping.payload)].concat()).await.unwrap();
    };
    let (alive, ()) = tokio::join!(run(&mut client, Connection::poll_probe), answer);
    alive.unwrap();
    assert_eq!(client.reuse(now()), Reuse::Ready);
    assert_eq!(next_text(&mut client).await, "late event");

    tokio::time::advance(Duration::from_secs(31)).await;
    let begin = now();
    let dead = run(&mut client, Connection::poll_probe).await.unwrap_err();
    assert_eq!((dead.kind(), now() - begin), (ErrorKind::Unresponsive, Duration::from_secs(3)));

    let (mut closed, mut far) = pair(1024);
    far.write_all(&close(1001, "")).await.unwrap();
    assert_eq!(run(&mut closed, Connection::poll_probe).await.unwrap_err().close_code(), CloseCode::GOING_AWAY);

    let (mut ours, _far) = pair(1024);
    ours.close(CloseFrame::normal(), now());
    assert_eq!(run(&mut ours, Connection::poll_probe).await.unwrap_err().kind(), ErrorKind::Closed);
}

#[tokio::test(start_paused = true)]
async fn messages_that_come_during_a_blocked_send_are_kept_up_to_a_bound() {
    let (mut client, mut far) = pair(64 << 10);
    let flood = fin(TEXT, "e".repeat(998)).repeat(1000);
    let both = async { tokio::join!(send(&mut client, "x".repeat(1 << 20)), far.write_all(&flood)) };
    let ended = tokio::time::timeout(Duration::from_secs(1), both).await;
    assert!(ended.is_err(), "back-pressure reaches the peer, which does not read");
    let received = client.counters().bytes_received;
    assert!((128 << 10..=384 << 10).contains(&received), "{received}");
}

/// Always has this to read, takes all that is written.
struct Endless(Vec<u8>);

impl AsyncRead for Endless {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let size = self.0.len() * (buf.remaining() / self.0.len());
        buf.put_slice(&self.0.repeat(size / self.0.len()));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Endless {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test(start_paused = true)]
async fn an_endless_ping_flood_does_not_hold_the_task() {
    let mut client = connect(Endless(fin(PING, "again")), client());
    assert!(poll_once(&mut client).is_pending());
    let pings = client.counters().pings_received;
    assert!((1000..100_000).contains(&pings) && client.counters().pongs_sent <= pings, "{:?}", client.counters());
    // The task was woken, so it goes on when others have had their turn.
    let woken = tokio::time::timeout(Duration::from_secs(1), async {
        let mut polls = 0;
        poll_fn(|cx| {
            polls += 1;
            _ = client.poll_message(cx, now());
            if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
    assert!(woken.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn no_flood_outruns_a_deadline() {
    for flood in [fin(PING, "again"), fin(PONG, ""), fin(TEXT, ""), [more(TEXT, ""), fin(CONTINUATION, "")].concat()] {
        let mut closing = connect(Endless(flood.clone()), client());
        assert!(polled(&mut closing, Connection::poll_close).is_pending());
        tokio::time::advance(Duration::from_secs(2)).await;
        let turns = (1..).take(3).find(|_| polled(&mut closing, Connection::poll_close).is_ready());
        assert!(turns.is_some(), "{flood:?}");

        let mut probing = connect(Endless(flood.clone()), client());
        assert!(polled(&mut probing, Connection::poll_probe).is_pending());
        tokio::time::advance(Duration::from_secs(3)).await;
        let end = (0..3).find_map(|_| match polled(&mut probing, Connection::poll_probe) {
            Poll::Ready(end) => Some(end),
            Poll::Pending => None,
        });
        assert_eq!(end.expect("an end").unwrap_err().kind(), ErrorKind::Unresponsive, "{flood:?}");
    }
}

/// What one turn of a task gives.
fn polled<S, T>(
    connection: &mut Connection<S>,
    poll: impl Fn(&mut Connection<S>, &mut Context<'_>, Instant) -> Poll<T>,
) -> Poll<T> {
    poll(connection, &mut Context::from_waker(std::task::Waker::noop()), now())
}

/// Reads and writes a few bytes at a time, and is not ready every other time or so.
struct Moody<S> {
    inner: S,
    state: u32,
}

impl<S> Moody<S> {
    fn roll(&mut self, cx: &mut Context<'_>) -> Option<usize> {
        self.state = self.state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let roll = (self.state >> 24) as usize;
        if roll % 2 == 0 {
            cx.waker().wake_by_ref();
            return None;
        }
        Some(1 + roll / 4)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Moody<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let Some(size) = self.roll(cx) else { return Poll::Pending };
        let mut few = vec![0; size.min(buf.remaining())];
        let mut part = ReadBuf::new(&mut few);
        std::task::ready!(Pin::new(&mut self.inner).poll_read(cx, &mut part))?;
        buf.put_slice(part.filled());
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Moody<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        let Some(size) = self.roll(cx) else { return Poll::Pending };
        Pin::new(&mut self.inner).poll_write(cx, &bytes[..size.min(bytes.len())])
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        if self.roll(cx).is_none() {
            return Poll::Pending;
        }
        Pin::new(&mut self.inner).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[tokio::test(start_paused = true)]
async fn futures_dropped_at_every_wait_lose_and_double_nothing() {
    let (near, far) = tokio::io::duplex(256);
    let mut client = connect(Moody { inner: near, state: 1 }, client());
    let mut server = connect(Moody { inner: far, state: 2 }, Role::Server);
    let count = 10_000;
    let (mut drops, mut received) = (0, Vec::new());
    tokio::join!(
        async {
            for n in 0..count {
                send(&mut server, format!("{n}")).await.unwrap();
            }
            run(&mut server, Connection::poll_close).await.unwrap();
        },
        async {
            loop {
                // Each future lives for one poll.
                let item = poll_fn(|cx| Poll::Ready(client.poll_message(cx, now()))).await;
                match item {
                    Poll::Ready(Some(Ok(message))) => received.push(message),
                    Poll::Ready(Some(Err(error))) => break assert_eq!(error.close_code(), CloseCode::NORMAL),
                    Poll::Ready(None) => unreachable!(),
                    Poll::Pending => {
                        drops += 1;
                        tokio::task::yield_now().await;
                    }
                }
            }
            run(&mut client, Connection::poll_close).await.unwrap();
        }
    );
    assert!(drops > 5000, "{drops}");
    assert_eq!(received.len(), count);
    for (n, message) in received.iter().enumerate() {
        assert_eq!(message.as_bytes(), format!("{n}").as_bytes());
    }
}
