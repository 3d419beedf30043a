//! `cargo xtask bench idle`: what streams cost that are open and silent, and when their sockets are free once dropped.
//! Everybody is measured in a process of its own, on one thread: memory that another one left behind is not counted.

use std::fmt;
use std::process::{Command, ExitCode};
use std::str::FromStr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use peer_bench::clients::{AsyncOpenAi, Channel, Client, Events as _, Floor, Ours, Result, Step};
use peer_bench::server::{self, Script, Server};
use tokio::runtime::Builder;

/// What a stream of ours may hold, over HTTP/1.1 without TLS.
const GOAL_KIB: f64 = 22.0;
/// When the socket of a dropped stream must be free, or, over HTTP/2, the server be told.
const GOAL_FREE: Duration = Duration::from_millis(10);
/// When a socket counts as not freed at all.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a stream goes over.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Plain,
    Tls,
    /// With TLS; connections are shared, and each has a task.
    Http2,
}

/// Who opens streams over what.
struct Contender {
    name: &'static str,
    is_ours: bool,
    over: Over,
    run: fn(&Server, usize) -> Result<Figures>,
}

const CONTENDERS: &[Contender] = &[
    Contender { name: "codex-api", is_ours: true, over: Over::Plain, run: plain::<Ours> },
    Contender {
        name: "hyper client + lines + borrowed struct",
        is_ours: false,
        over: Over::Plain,
        run: plain::<Floor>,
    },
    Contender { name: "async-openai 0.43, Responses", is_ours: false, over: Over::Plain, run: plain::<AsyncOpenAi> },
    Contender { name: "reqwest + eventsource-stream + task", is_ours: false, over: Over::Plain, run: plain::<Channel> },
    Contender { name: "codex-api, TLS", is_ours: true, over: Over::Tls, run: tls::<Ours> },
    Contender { name: "async-openai 0.43, Responses, TLS", is_ours: false, over: Over::Tls, run: tls::<AsyncOpenAi> },
    Contender {
        name: "reqwest + eventsource-stream + task, TLS",
        is_ours: false,
        over: Over::Tls,
        run: tls::<Channel>,
    },
    Contender { name: "codex-api, HTTP/2", is_ours: true, over: Over::Http2, run: http2::<Ours> },
    Contender {
        name: "async-openai 0.43, Responses, HTTP/2",
        is_ours: false,
        over: Over::Http2,
        run: http2::<AsyncOpenAi>,
    },
    Contender {
        name: "reqwest + eventsource-stream + task, HTTP/2",
        is_ours: false,
        over: Over::Http2,
        run: http2::<Channel>,
    },
];

/// What was seen, a stream; one line between the processes.
#[derive(Debug, Default)]
struct Figures {
    /// Resident memory, in bytes; not known everywhere.
    resident: Option<u64>,
    /// Live allocations, in bytes.
    heap: u64,
    /// Their number.
    allocations: u64,
    /// Tasks of all streams together.
    tasks: usize,
    /// Sockets that were freed in time, and when, in microseconds: the median, the 99th percentile, the last one.
    freed: usize,
    times: [u64; 3],
}

fn main() -> ExitCode {
    if let Some(served) = server::serve_if_asked() {
        return if served.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["child", index, streams] => child(index, streams),
        _ => parent(words.iter().any(|word| word == "--quick")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Measures everybody and prints the tables.
fn parent(is_quick: bool) -> Result<()> {
    let streams = if is_quick { 200 } else { 2000 };
    println!("| {streams} idle streams | resident, KiB each | heap, KiB each | allocations each | tasks |");
    println!("| --- | ---: | ---: | ---: | ---: |");
    let mut drops = Vec::new();
    let mut goals = Vec::new();
    for (index, contender) in CONTENDERS.iter().enumerate() {
        let mut command = Command::new(std::env::current_exe()?);
        let output = command.args(["child", &index.to_string(), &streams.to_string()]).output()?;
        if !output.status.success() {
            return Err(format!("{}: {}", contender.name, String::from_utf8_lossy(&output.stderr)).into());
        }
        let figures: Figures = String::from_utf8(output.stdout)?.parse()?;
        let kib = |bytes: u64| bytes as f64 / 1024.0;
        let resident = figures.resident.map_or("unknown".to_owned(), |bytes| format!("{:.1}", kib(bytes)));
        let name = if contender.is_ours { format!("**{}**", contender.name) } else { contender.name.to_owned() };
        println!("| {name} | {resident} | {:.1} | {} | {} |", kib(figures.heap), figures.allocations, figures.tasks);
        let [half, most, all] = figures.times;
        drops.push(format!("| {name} | {} of {streams} | {half} | {most} | {all} |", figures.freed));
        if contender.is_ours {
            if let (Some(resident), false) = (figures.resident, contender.over != Over::Plain) {
                goals.push(goal(contender.name, "resident KiB each", GOAL_KIB, kib(resident)));
            }
            if contender.over != Over::Http2 {
                goals.push(goal(contender.name, "tasks", 0.0, figures.tasks as f64));
            }
            let last = if figures.freed == streams { all } else { u64::MAX };
            goals.push(goal(contender.name, "last socket free, µs", GOAL_FREE.as_micros() as f64, last as f64));
        }
    }
    println!("\n| dropped streams | sockets freed within 1 s | median, µs | 99 %, µs | last, µs |");
    println!("| --- | ---: | ---: | ---: | ---: |\n{}", drops.join("\n"));
    println!("\n| streams of | figure | at most | is | |\n| --- | --- | ---: | ---: | --- |\n{}", goals.join("\n"));
    Ok(())
}

fn goal(name: &str, what: &str, at_most: f64, is: f64) -> String {
    let verdict = if is <= at_most { "reached" } else { "**behind**" };
    format!("| {name} | {what} | {at_most:.0} | {is:.1} | {verdict} |")
}

fn child(index: &str, streams: &str) -> Result<()> {
    let contender = CONTENDERS.get(index.parse::<usize>()?).ok_or("no such contender")?;
    let figures = (contender.run)(&Server::start()?, streams.parse()?)?;
    println!("{figures}");
    Ok(())
}

fn plain<C: Client>(server: &Server, streams: usize) -> Result<Figures> {
    measure::<C>(server, &server.url(Script::Idle), streams)
}

fn tls<C: Client>(server: &Server, streams: usize) -> Result<Figures> {
    measure::<C>(server, &server.tls_url(Script::Idle), streams)
}

fn http2<C: Client>(server: &Server, streams: usize) -> Result<Figures> {
    measure::<C>(server, &server.h2_url(), streams)
}

fn measure<C: Client>(server: &Server, base: &str, streams: usize) -> Result<Figures> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = C::new(base, server.certificate())?;
    // What the first stream brings with it is not the price of the others.
    runtime.block_on(async {
        drop(open(&client, "first").await?);
        tokio::time::sleep(Duration::from_millis(50)).await;
        Result::Ok(())
    })?;
    let mut open_streams = Vec::new();
    let mut figures = Figures::default();
    let (resident, tasks) = (resident(), runtime.metrics().num_alive_tasks());
    let mut outcome: Result<()> = Ok(());
    let heap = allocation_counter::measure(|| {
        outcome = runtime.block_on(async {
            open_streams.reserve_exact(streams);
            for index in 0..streams {
                open_streams.push(open(&client, &index.to_string()).await?);
            }
            // Tasks settle.
            tokio::time::sleep(Duration::from_millis(50)).await;
            Ok(())
        });
    });
    outcome?;
    let count = streams as u64;
    figures.resident = self::resident().zip(resident).map(|(after, before)| after.saturating_sub(before) / count);
    figures.heap = u64::try_from(heap.bytes_current)? / count;
    figures.allocations = u64::try_from(heap.count_current)? / count;
    figures.tasks = runtime.metrics().num_alive_tasks().saturating_sub(tasks);

    server.ends()?;
    let mut dropped = Vec::with_capacity(streams);
    runtime.block_on(async {
        for stream in open_streams {
            dropped.push(now());
            drop(stream);
            // The tasks of others run now; a stream of ours has no need of that.
            tokio::task::yield_now().await;
            // One at a time: the server must not be the one that is late.
            wait(Duration::from_micros(100)).await;
        }
        tokio::time::sleep(PATIENCE).await;
    });
    let ends = server.ends()?;
    let times =
        dropped.iter().enumerate().filter_map(|(index, at)| Some(ends.get(&index.to_string())?.saturating_sub(*at)));
    let mut times: Vec<u64> = times.map(|nanos| (nanos / 1000) as u64).collect();
    times.sort_unstable();
    figures.freed = times.len();
    if let Some(last) = times.len().checked_sub(1) {
        figures.times = [times[last / 2], times[last * 99 / 100], times[last]];
    }
    Ok(figures)
}

/// A stream that has brought its first delta.
async fn open<C: Client>(client: &C, name: &str) -> Result<C::Events> {
    let mut events = client.open(name).await?;
    while let Some(step) = events.next().await? {
        if step == Step::Delta {
            return Ok(events);
        }
    }
    Err("the stream ended".into())
}

/// Lets others run for a time that is too short for a timer.
async fn wait(time: Duration) {
    let begin = Instant::now();
    while begin.elapsed() < time {
        tokio::task::yield_now().await;
    }
}

fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos()
}

/// The resident memory of this process, in bytes, where the system says it (Linux).
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()? * 1024)
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { resident, heap, allocations, tasks, freed, times: [half, most, all] } = self;
        let resident = resident.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        write!(f, "{resident} {heap} {allocations} {tasks} {freed} {half} {most} {all}")
    }
}

impl FromStr for Figures {
    type Err = Box<dyn std::error::Error + Send + Sync>;

    fn from_str(line: &str) -> Result<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [resident, heap, allocations, tasks, freed, half, most, all] = words[..] else {
            return Err("a process that measures said nothing".into());
        };
        Ok(Self {
            resident: resident.parse().ok(),
            heap: heap.parse()?,
            allocations: allocations.parse()?,
            tasks: tasks.parse()?,
            freed: freed.parse()?,
            times: [half.parse()?, most.parse()?, all.parse()?],
        })
    }
}
