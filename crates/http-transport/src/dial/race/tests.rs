use std::future::{pending, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::{Attempt, Race, interleaved};

/// What an address does is written in its port: `1` never answers, `2` refuses at once, `3` has no route, and
/// anything above accepts after that many milliseconds.
fn connect(address: SocketAddr) -> Attempt<SocketAddr> {
    Box::pin(async move {
        match address.port() {
            1 => pending().await,
            2 => Err(io::ErrorKind::ConnectionRefused.into()),
            3 => Err(io::ErrorKind::NetworkUnreachable.into()),
            after => {
                sleep(Duration::from_millis(u64::from(after))).await;
                Ok(address)
            }
        }
    })
}

/// Races `addresses` and compares the winner, or the failure with the number of addresses, and the virtual time.
async fn check(addresses: &[&str], expected: Result<&str, (io::ErrorKind, usize)>, millis: u128) {
    let parsed = addresses.iter().map(|address| address.parse().unwrap()).collect();
    let start = Instant::now();
    let mut race = Race::new(parsed, connect);
    let result = poll_fn(|cx| race.poll(cx)).await;
    let result = result.map(|winner| winner.to_string()).map_err(|lost| (lost.cause.kind(), lost.tried));
    assert_eq!(result, expected.map(str::to_owned), "{addresses:?}");
    // Tokio's timers count whole milliseconds and round up.
    let taken = start.elapsed().as_millis();
    assert!((millis..=millis + 3).contains(&taken), "{addresses:?}: {taken} ms");
}

#[tokio::test(start_paused = true)]
async fn the_first_address_wins_when_it_answers_within_its_head_start() {
    check(&["[::1]:200", "127.0.0.1:10"], Ok("[::1]:200"), 200).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_address_costs_one_head_start() {
    check(&["[::1]:1", "127.0.0.1:10"], Ok("127.0.0.1:10"), 260).await;
}

#[tokio::test(start_paused = true)]
async fn a_dead_family_costs_one_head_start_however_many_addresses_it_has() {
    let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:10"];
    check(&addresses, Ok("127.0.0.1:10"), 260).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_starts_the_next_address_at_once() {
    check(&["[::1]:2", "127.0.0.1:10"], Ok("127.0.0.1:10"), 10).await;
    check(&["[::1]:3", "127.0.0.1:2", "[::2]:10"], Ok("[::2]:10"), 10).await;
    // Also when an earlier attempt is still running: 250 ms for that one, then no wait after the refusal.
    let addresses = ["[::1]:1", "127.0.0.1:2", "[::2]:10"];
    check(&addresses, Ok("[::2]:10"), 260).await;
}

#[tokio::test(start_paused = true)]
async fn an_early_attempt_may_still_win_after_later_ones_joined() {
    check(&["[::1]:400", "127.0.0.1:1"], Ok("[::1]:400"), 400).await;
}

#[tokio::test(start_paused = true)]
async fn the_most_telling_failure_is_reported() {
    let refused = Err((io::ErrorKind::ConnectionRefused, 2));
    check(&["[::1]:3", "127.0.0.1:2"], refused, 0).await;
    check(&["127.0.0.1:2", "[::1]:3"], refused, 0).await;
}

#[test]
fn families_take_turns() {
    let addresses = ["[::1]:1", "[::2]:1", "[::3]:1", "10.0.0.1:1", "10.0.0.2:1"];
    let order = interleaved(addresses.iter().map(|address| address.parse().unwrap()).collect());
    let order: Vec<_> = order.iter().map(ToString::to_string).collect();
    assert_eq!(order, ["[::1]:1", "10.0.0.1:1", "[::2]:1", "10.0.0.2:1", "[::3]:1"]);
}
