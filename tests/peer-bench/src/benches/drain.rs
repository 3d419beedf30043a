//! `drain`: a server that ends its bodies 5 ms after their last event, as proxies make them do. Whoever waits for the
//! end loses that time, whoever does not loses the connection.

use std::time::Instant;

use tokio::runtime::Builder;

use super::client::{ASYNC_OPENAI, CHANNEL, FLOOR, OURS};
use crate::clients::{AsyncOpenAi, Channel, Client, Floor, LetGo, Ours, Result, turn};
use crate::measure::{Against, Cost, Effort, Goal, Side};
use crate::report::Report;
use crate::server::{Script, Server};

const TURNS: u64 = 100;
const DELTAS: usize = 20;
const WAITS: &str = "hyper client, waits for the end";

/// How somebody goes through the turns at this address: seconds a turn, and connections that were opened.
type Run = fn(&Server, &str) -> Result<(f64, u64)>;
type Contenders<'a> = &'a [(Side, &'static str, Run)];

const PLAIN: Contenders<'_> = &[
    (Side::Floor, FLOOR, |server, url| turns::<Floor>(server, url, LetGo::AtCompletion)),
    (Side::Ours, OURS, |server, url| turns::<Ours>(server, url, LetGo::AtCompletion)),
    (Side::Peer, ASYNC_OPENAI, |server, url| turns::<AsyncOpenAi>(server, url, LetGo::AtCompletion)),
    (Side::Peer, CHANNEL, |server, url| turns::<Channel>(server, url, LetGo::AtCompletion)),
    (Side::Shape, WAITS, |server, url| turns::<Floor>(server, url, LetGo::AtEnd)),
];

const TLS: Contenders<'_> = &[
    (Side::Ours, OURS, |server, url| turns::<Ours>(server, url, LetGo::AtCompletion)),
    (Side::Peer, ASYNC_OPENAI, |server, url| turns::<AsyncOpenAi>(server, url, LetGo::AtCompletion)),
    (Side::Peer, CHANNEL, |server, url| turns::<Channel>(server, url, LetGo::AtCompletion)),
];

pub(super) fn run(effort: Effort, report: &mut Report) -> Result<()> {
    let server = Server::start()?;
    let script = Script::LateEnd(DELTAS);
    let name = "wall time of 100 turns, ends 5 ms late";
    measure(name, PLAIN, &server, &server.url(script), Against::Named(FLOOR), effort, report)?;
    let name = "wall time of 100 turns, ends 5 ms late, TLS";
    measure(name, TLS, &server, &server.tls_url(script), Against::BestPeer, effort, report)
}

fn measure(
    scenario: &str,
    contenders: Contenders<'_>,
    server: &Server,
    url: &str,
    dropping: Against,
    effort: Effort,
    report: &mut Report,
) -> Result<()> {
    eprintln!("measuring {scenario}");
    let rounds = if effort == Effort::Full { 11 } else { 3 };
    let mut samples = vec![(Vec::new(), Vec::new()); contenders.len()];
    for round in 0..rounds {
        for turn in 0..contenders.len() {
            let at = (round + turn) % contenders.len();
            let (seconds, connections) = contenders[at].2(server, url)?;
            samples[at].0.push(seconds);
            samples[at].1.push(connections);
        }
    }
    let mut costs = Vec::new();
    for ((side, name, _), (seconds, mut connections)) in contenders.iter().zip(samples) {
        costs.push(Cost::new(name, *side, seconds));
        connections.sort_unstable();
        let goal = (*side == Side::Ours).then_some(30.0);
        let median = connections[connections.len() / 2] as f64;
        report.add_figure(scenario, format!("connections that {name} opened"), goal, median);
    }
    report.add(scenario, &costs, &[Goal { subject: OURS, against: dropping, at_most: 2.0 }]);
    Ok(())
}

/// With a client that starts without connections.
fn turns<C: Client>(server: &Server, url: &str, let_go: LetGo) -> Result<(f64, u64)> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let client = C::new(url, server.certificate())?;
    let before = server.connections()?;
    let seconds = runtime.block_on(async {
        let begin = Instant::now();
        for _ in 0..TURNS {
            if turn(&client, let_go).await? != DELTAS as u64 {
                return Err("not all deltas came".into());
            }
        }
        Result::Ok(begin.elapsed().as_secs_f64() / TURNS as f64)
    })?;
    Ok((seconds, server.connections()? - before))
}
