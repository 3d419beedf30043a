//! `client`: whole clients over loopback. The server is another process, and what is counted is all that the client's
//! process does.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use cpu_time::ProcessTime;
use tokio::runtime::{Builder, Runtime};

use crate::clients::{AsyncOpenAi, Channel, Client, Events as _, Floor, LetGo, Ours, Result, Step, turn};
use crate::measure::{Against, Clock, Contender, Effort, Scenario, Side};
use crate::report::Report;
use crate::server::{Script, Server};

pub(super) const OURS: &str = "codex-api";
pub(super) const FLOOR: &str = "hyper client + lines + borrowed struct";
pub(super) const ASYNC_OPENAI: &str = "async-openai 0.43, Responses";
pub(super) const CHANNEL: &str = "reqwest + eventsource-stream + task";

/// Deltas of a short turn, and how many turns make a run.
const SHORT: usize = 20;
const TURNS: u64 = 50;

/// What a client runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Threads {
    One,
    /// What a plain `#[tokio::main]` has.
    Many,
}

impl Threads {
    fn runtime(self) -> io::Result<Runtime> {
        match self {
            Self::One => Builder::new_current_thread().enable_all().build(),
            Self::Many => Builder::new_multi_thread().enable_all().build(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::One => "one thread",
            Self::Many => "tokio::main",
        }
    }
}

pub(super) fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let server = Rc::new(Server::start()?);
    let thousands = if effort == Effort::Full { 200 } else { 20 };
    let events = thousands as u64 * 1000;
    let small = |threads: Threads| format!("{events} deltas, a chunk each, {}", threads.name());
    let large = |threads: Threads| format!("{events} deltas, chunks of 16 KiB, {}", threads.name());
    let scenarios = [
        turns(&server, small(Threads::One), Threads::One, Script::Burst(thousands), events, 1)?
            .goal(OURS, 0.65, Against::BestPeer)
            .goal(OURS, 1.0, Against::Named(FLOOR)),
        turns(&server, small(Threads::Many), Threads::Many, Script::Burst(thousands), events, 1)?.goal(
            OURS,
            0.25,
            Against::BestPeer,
        ),
        turns(&server, large(Threads::One), Threads::One, Script::Packed(thousands), events, 1)?.goal(
            OURS,
            0.5,
            Against::BestPeer,
        ),
        turns(&server, large(Threads::Many), Threads::Many, Script::Packed(thousands), events, 1)?.goal(
            OURS,
            0.5,
            Against::BestPeer,
        ),
        turns(&server, format!("turns of {SHORT} deltas"), Threads::One, Script::Turn(SHORT), SHORT as u64, TURNS)?
            // A round is short, and most of it is the kernel's to give.
            .rounds(101)
            .goal(OURS, 0.75, Against::BestPeer),
        paced(&server, 1000, Threads::One, effort).goal(OURS, 0.85, Against::BestPeer),
        paced(&server, 1000, Threads::Many, effort).goal(OURS, 0.85, Against::BestPeer),
        paced(&server, 2000, Threads::Many, effort).goal(OURS, 0.85, Against::BestPeer),
    ];
    for mut scenario in scenarios {
        report.measure(&mut scenario, effort);
    }
    Ok(())
}

/// The same answer `times` times, one after the other, each read to its end, over connections that are kept.
fn turns(
    server: &Rc<Server>,
    name: String,
    threads: Threads,
    script: Script,
    deltas: u64,
    times: u64,
) -> Result<Scenario> {
    fn contender<C: Client>(
        side: Side,
        name: &'static str,
        (server, script): (&Rc<Server>, Script),
        threads: Threads,
        times: u64,
    ) -> Result<Contender> {
        let runtime = threads.runtime()?;
        let client = C::new(&server.url(script), server.certificate())?;
        let server = Rc::clone(server);
        Ok(Contender::new(side, name, move || {
            // The server lives as long as its clients.
            let _server = &server;
            let found = runtime.block_on(async {
                let mut deltas = 0;
                for _ in 0..times {
                    deltas += turn(&client, LetGo::AtEnd).await?;
                }
                Result::Ok(deltas)
            });
            found.unwrap_or_else(|error| complain(name, &*error))
        }))
    }
    let at = (server, script);
    let contenders = vec![
        contender::<Floor>(Side::Floor, FLOOR, at, threads, times)?,
        contender::<Ours>(Side::Ours, OURS, at, threads, times)?,
        contender::<AsyncOpenAi>(Side::Peer, ASYNC_OPENAI, at, threads, times)?,
        contender::<Channel>(Side::Peer, CHANNEL, at, threads, times)?,
    ];
    Ok(Scenario::new(name, deltas * times, contenders).clock(Clock::Process).rounds(5))
}

/// What went wrong goes to the terminal; that the work was not done ends the bench.
fn complain(name: &str, error: &dyn std::error::Error) -> u64 {
    eprintln!("error: {name}: {error}");
    0
}

/// Many streams at the pace of a model, each in a task. Opening them is not counted.
fn paced(server: &Rc<Server>, streams: usize, threads: Threads, effort: Effort) -> Scenario {
    fn contender<C: Client>(
        side: Side,
        name: &'static str,
        server: &Rc<Server>,
        (streams, threads): (usize, Threads),
        time: Duration,
    ) -> Contender {
        let server = Rc::clone(server);
        Contender::timing_itself(side, name, move || match cost_of_pace::<C>(&server, streams, threads, time) {
            Ok(cost) => cost,
            Err(error) => panic!("{name} has not done the work: {error}"),
        })
    }
    let time = Duration::from_secs(if effort == Effort::Full { 3 } else { 1 });
    let how = (streams, threads);
    let contenders = vec![
        contender::<Floor>(Side::Floor, FLOOR, server, how, time),
        contender::<Ours>(Side::Ours, OURS, server, how, time),
        contender::<AsyncOpenAi>(Side::Peer, ASYNC_OPENAI, server, how, time),
        contender::<Channel>(Side::Peer, CHANNEL, server, how, time),
    ];
    let name = format!("{streams} streams at 50 deltas a second, {}", threads.name());
    Scenario::new(name, 1, contenders).clock(Clock::Process).rounds(if effort == Effort::Full { 5 } else { 1 })
}

fn cost_of_pace<C: Client>(server: &Server, streams: usize, threads: Threads, time: Duration) -> Result<Duration> {
    let runtime = threads.runtime()?;
    let client = C::new(&server.url(Script::Paced), server.certificate())?;
    let opened = Arc::new(AtomicU64::new(0));
    let deltas = Arc::new(AtomicU64::new(0));
    let (cost, found) = runtime.block_on(async {
        for _ in 0..streams {
            let (client, opened, deltas) = (client.clone(), Arc::clone(&opened), Arc::clone(&deltas));
            tokio::spawn(async move {
                let mut events = client.open("gpt-5").await?;
                let mut is_open = false;
                while let Some(step) = events.next().await? {
                    if step == Step::Delta {
                        deltas.fetch_add(1, Relaxed);
                        opened.fetch_add(u64::from(!is_open), Relaxed);
                        is_open = true;
                    }
                }
                Result::Ok(())
            });
        }
        while opened.load(Relaxed) < streams as u64 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let (begin, before) = (ProcessTime::now(), deltas.load(Relaxed));
        tokio::time::sleep(time).await;
        (begin.elapsed(), deltas.load(Relaxed) - before)
    });
    let expected = streams as f64 * 50.0 * time.as_secs_f64();
    let share = found as f64 / expected;
    if share < 0.9 {
        eprintln!("note: {:.0} % of the deltas came in time: the machine is busy", share * 100.0);
    }
    // Who is behind gets more at a time, and costs less than it should.
    if found == 0 {
        return Err("no delta came".into());
    }
    Ok(cost.div_f64(found as f64))
}
