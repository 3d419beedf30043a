//! Many clients against one service, as a discrete-event loop over virtual time.
//!
//! The service is one queue: it works off `CAPACITY` requests a second, refuses what would wait for more than a second
//! (which costs it a tenth of a request) and does not answer at all beyond two. Clients think, send, and ask the policy
//! when something fails.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    time::{Duration, Instant},
};

use retry_policy::{
    Budget, Decision, Entropy, Failure, FailureClass, Hint, HintSource, Ledger, Membership, Phase, Policy,
    SharedBudget, SplitMix64,
};

const CLIENTS: usize = 1_000;
/// Requests a second.
const CAPACITY: f64 = 100.0;
/// Seconds between a turn and the next, on average; together the clients offer half the capacity.
const THINK: f64 = 20.0;
/// Seconds of work in the queue beyond which requests are refused, or are not answered.
const REFUSE: f64 = 1.0;
const SILENT: f64 = 2.0;
const REFUSAL_COST: f64 = 0.1;
/// Seconds after which a client gives up on an answer.
const TIMEOUT: f64 = 5.0;
/// When the fault begins; by then the load is steady.
const FAULT: f64 = 60.0;
/// Seconds after the fault in which turns still begin.
const AFTERMATH: u32 = 60;

#[derive(Clone, Copy, Debug)]
pub(crate) enum Fault {
    /// Every request fails at once.
    Outage { seconds: f64 },
    /// This part of the capacity is left.
    BrownOut { seconds: f64, left: f64 },
    /// Every request is refused, with the one instant at which that ends.
    SharedReset { seconds: f64 },
    /// All clients have a stream, and all streams are cut. Nobody begins another turn.
    MassCut,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) fault: Fault,
    /// What a refusal says.
    pub(crate) hint: Option<Duration>,
    /// How many clients share a budget; `None`: nobody has one.
    pub(crate) sharing: Option<usize>,
    pub(crate) sessions: Sessions,
}

/// How long a client is a member of its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sessions {
    /// Always.
    Lasting,
    /// For a turn: it joins when the turn begins, and leaves when it ends.
    OfOneTurn,
}

/// What came of it.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Part of the turns begun in the fault that got their answer.
    pub(crate) served: f64,
    /// Attempts made in the fault for each of them; after a mass cut, all attempts but the cut one.
    pub(crate) attempts: f64,
    /// Part of the capacity left in the fault that went into answers.
    pub(crate) goodput: f64,
    /// The most requests in one second after the fault, in capacities.
    pub(crate) peak: f64,
    /// Seconds from the end of the fault until nearly everybody was served for a second.
    pub(crate) recovered: f64,
    /// When the last turn of the fault was over, in seconds since the fault began.
    pub(crate) last: f64,
}

impl Outcome {
    /// The mean over seeds.
    pub(crate) fn mean(runs: &[Self]) -> Self {
        let mean = |of: fn(&Self) -> f64| runs.iter().map(of).sum::<f64>() / runs.len() as f64;
        Self {
            served: mean(|run| run.served),
            attempts: mean(|run| run.attempts),
            goodput: mean(|run| run.goodput),
            peak: mean(|run| run.peak),
            recovered: mean(|run| run.recovered),
            last: mean(|run| run.last),
        }
    }
}

struct Client {
    entropy: SplitMix64,
    budget: Option<SharedBudget>,
    /// The place of the present turn, where each has its own.
    membership: Option<Membership>,
    ledger: Ledger,
    began: f64,
}

#[derive(Clone, Copy)]
enum What {
    Begin,
    Send,
    Fail(Failure),
    Answer,
}

/// Nanoseconds order exactly; the number keeps simultaneous events in their order.
type Queue = BinaryHeap<Reverse<(u64, u64, usize)>>;

pub(crate) struct Simulation<'p> {
    policy: &'p Policy,
    scenario: Scenario,
    epoch: Instant,
    world: SplitMix64,
    clients: Vec<Client>,
    queue: Queue,
    events: Vec<What>,
    /// Requests waiting, as of `settled`.
    backlog: f64,
    settled: f64,
    /// For each second since the fault ended: requests, and those that were taken.
    arrivals: Vec<(u32, u32)>,
    turns: u32,
    served: u32,
    attempts: u32,
    answers_in_fault: f64,
    last: f64,
}

pub(crate) fn run(policy: &Policy, scenario: Scenario, seed: u64) -> Outcome {
    let mut world = SplitMix64::new(seed);
    let sharing = scenario.sharing.unwrap_or(1);
    let budget = |sessions: usize| match scenario.sessions {
        Sessions::Lasting => Budget::for_sessions(sessions as u32).into(),
        Sessions::OfOneTurn => SharedBudget::default(),
    };
    let budgets: Vec<_> = (0..CLIENTS.div_ceil(sharing)).map(|_| scenario.sharing.map(budget)).collect();
    let clients = (0..CLIENTS)
        .map(|number| Client {
            entropy: SplitMix64::new(world.next_u64()),
            budget: budgets[number / sharing].clone(),
            membership: None,
            ledger: Ledger::new(),
            began: 0.0,
        })
        .collect();
    let mut simulation = Simulation {
        policy,
        scenario,
        epoch: Instant::now(),
        world,
        clients,
        queue: Queue::new(),
        events: Vec::new(),
        backlog: 0.0,
        settled: 0.0,
        arrivals: vec![(0, 0); AFTERMATH as usize],
        turns: 0,
        served: 0,
        attempts: 0,
        answers_in_fault: 0.0,
        last: 0.0,
    };
    simulation.start();
    simulation.play();
    simulation.outcome()
}

impl Simulation<'_> {
    fn start(&mut self) {
        for client in 0..CLIENTS {
            if let Fault::MassCut = self.scenario.fault {
                self.clients[client].began = FAULT;
                self.join(client);
                let cut = Failure::new(FailureClass::ServerEvent, Phase::Streaming);
                self.at(FAULT, client, What::Fail(cut));
                self.turns += 1;
            } else {
                let begin = self.think();
                self.at(begin, client, What::Begin);
            }
        }
    }

    fn play(&mut self) {
        while let Some(Reverse((nanos, event, client))) = self.queue.pop() {
            let now = nanos as f64 / 1e9;
            match self.events[event as usize] {
                What::Begin => {
                    if now > self.fault_end() + f64::from(AFTERMATH) {
                        continue;
                    }
                    let state = &mut self.clients[client];
                    (state.ledger, state.began) = (Ledger::new(), now);
                    self.join(client);
                    self.turns += u32::from(self.counts(client));
                    self.send(now, client);
                }
                What::Send => self.send(now, client),
                What::Fail(failure) => self.fail(now, client, &failure),
                What::Answer => {
                    if self.counts(client) {
                        self.served += 1;
                        self.last = self.last.max(now - FAULT);
                    }
                    self.rest(now, client);
                }
            }
        }
    }

    fn send(&mut self, now: f64, client: usize) {
        let in_fault = (FAULT..self.fault_end()).contains(&now);
        self.attempts += u32::from(in_fault || matches!(self.scenario.fault, Fault::MassCut));
        let since = now - self.fault_end();
        let mut counted =
            if since >= 0.0 { self.arrivals.get_mut(Duration::from_secs_f64(since).as_secs() as usize) } else { None };
        if let Some((all, _)) = &mut counted {
            *all += 1;
        }
        let wait = |wait| Hint::wait(wait, HintSource::RetryAfter);
        match self.scenario.fault {
            Fault::Outage { .. } if in_fault => {
                return self.at(now, client, What::Fail(Failure::new(FailureClass::Server, Phase::Head)));
            }
            Fault::SharedReset { .. } if in_fault => {
                let hint = wait(Duration::from_secs_f64(self.fault_end() - now));
                let failure = Failure::new(FailureClass::RateLimited, Phase::Head).with_hint(hint);
                return self.at(now, client, What::Fail(failure));
            }
            _ => {}
        }
        let rate = match self.scenario.fault {
            Fault::BrownOut { left, .. } if in_fault => CAPACITY * left,
            _ => CAPACITY,
        };
        self.backlog = (self.backlog - (now - self.settled) * rate).max(0.0);
        self.settled = now;
        let delay = self.backlog / rate;
        if delay > SILENT {
            self.at(now + TIMEOUT, client, What::Fail(Failure::new(FailureClass::HeadTimeout, Phase::Head)));
        } else if delay > REFUSE {
            self.backlog += REFUSAL_COST;
            let hint = self.scenario.hint.map_or(Hint::NONE, wait);
            self.at(now, client, What::Fail(Failure::new(FailureClass::Server, Phase::Head).with_hint(hint)));
        } else {
            self.backlog += 1.0;
            if let Some((_, taken)) = counted {
                *taken += 1;
            }
            self.answers_in_fault += f64::from(u8::from(in_fault));
            self.at(now + delay, client, What::Answer);
        }
    }

    fn fail(&mut self, now: f64, client: usize, failure: &Failure) {
        let state = &mut self.clients[client];
        let instant = self.epoch + Duration::from_secs_f64(now);
        match self.policy.decide(failure, &mut state.ledger, state.budget.as_ref(), &mut state.entropy, instant) {
            Decision::RetryAfter(retry) => self.at(now + retry.delay.as_secs_f64(), client, What::Send),
            Decision::GiveUp(_) => self.rest(now, client),
        }
    }

    fn join(&mut self, client: usize) {
        let state = &mut self.clients[client];
        if self.scenario.sessions == Sessions::OfOneTurn {
            state.membership = state.budget.as_ref().map(SharedBudget::join);
        }
    }

    /// After a turn, answered or lost.
    fn rest(&mut self, now: f64, client: usize) {
        self.clients[client].membership = None;
        if !matches!(self.scenario.fault, Fault::MassCut) {
            let think = self.think();
            self.at(now + think, client, What::Begin);
        }
    }

    /// Whether the client's turn began in the fault.
    fn counts(&self, client: usize) -> bool {
        let began = self.clients[client].began;
        matches!(self.scenario.fault, Fault::MassCut) || (FAULT..self.fault_end()).contains(&began)
    }

    fn fault_end(&self) -> f64 {
        match self.scenario.fault {
            Fault::Outage { seconds } | Fault::BrownOut { seconds, .. } | Fault::SharedReset { seconds } => {
                FAULT + seconds
            }
            Fault::MassCut => FAULT,
        }
    }

    fn think(&mut self) -> f64 {
        let unit = (self.world.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
        -THINK * (1.0 - unit).ln()
    }

    fn at(&mut self, second: f64, client: usize, what: What) {
        let number = self.events.len() as u64;
        self.events.push(what);
        let nanos = Duration::from_secs_f64(second).as_nanos() as u64;
        self.queue.push(Reverse((nanos, number, client)));
    }

    fn outcome(&self) -> Outcome {
        let seconds = self.fault_end() - FAULT;
        let left = match self.scenario.fault {
            Fault::BrownOut { left, .. } => left,
            _ => 1.0,
        };
        let healthy = |(all, taken): &(u32, u32)| *taken > 0 && f64::from(*taken) >= 0.95 * f64::from(*all);
        Outcome {
            served: f64::from(self.served) / f64::from(self.turns),
            attempts: f64::from(self.attempts) / f64::from(self.turns),
            goodput: self.answers_in_fault / (CAPACITY * left * seconds.max(1.0)),
            peak: f64::from(self.arrivals.iter().map(|(all, _)| *all).max().unwrap_or(0)) / CAPACITY,
            recovered: self.arrivals.iter().position(healthy).map_or(f64::INFINITY, |at| at as f64 + 1.0),
            last: self.last,
        }
    }
}
