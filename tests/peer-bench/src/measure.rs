//! Interleaved rounds: every contender runs once a round, in an order that rotates.

use std::time::{Duration, Instant};

use cpu_time::{ProcessTime, ThreadTime};

/// How long and how often is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effort {
    /// For figures that are written down.
    Full,
    /// To see whether a change matters, in a fraction of the time.
    Quick,
}

/// What a contender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The least that anybody can do with these bytes.
    Floor,
    /// This project.
    Ours,
    /// Another crate.
    Peer,
    /// Several pieces put together as an application has them, or would have them.
    Shape,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// CPU time of the thread that runs a contender.
    Thread,
    /// CPU time of all threads.
    Process,
    /// The time that passes.
    Wall,
}

impl Clock {
    /// How long `work` takes, and what it answers.
    pub fn time<T>(self, work: impl FnOnce() -> T) -> (Duration, T) {
        match self {
            Self::Thread => {
                let begin = ThreadTime::now();
                let answer = work();
                (begin.elapsed(), answer)
            }
            Self::Process => {
                let begin = ProcessTime::now();
                let answer = work();
                (begin.elapsed(), answer)
            }
            Self::Wall => {
                let begin = Instant::now();
                let answer = work();
                (begin.elapsed(), answer)
            }
        }
    }
}

/// One way to do the work of a scenario.
pub struct Contender {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
    run: Run,
}

enum Run {
    /// Does the work once and answers how many units it found.
    Timed(Box<dyn FnMut() -> u64>),
    /// Does work of any size and answers what a unit cost.
    TimesItself(Box<dyn FnMut() -> Duration>),
}

impl Contender {
    /// `run` does the work once and answers how many units (events, messages) it found.
    pub fn new(side: Side, name: &'static str, run: impl FnMut() -> u64 + 'static) -> Self {
        Self { name, side, run: Run::Timed(Box::new(run)) }
    }

    /// `run` answers what a unit cost: for work with a beginning that is not to be counted. It runs once a round.
    pub fn timing_itself(side: Side, name: &'static str, run: impl FnMut() -> Duration + 'static) -> Self {
        Self { name, side, run: Run::TimesItself(Box::new(run)) }
    }
}

/// Some work, and who does it.
pub struct Scenario {
    pub(crate) name: String,
    /// Events or messages in the work.
    units: u64,
    clock: Clock,
    rounds: usize,
    contenders: Vec<Contender>,
    pub(crate) goals: Vec<Goal>,
}

/// A ratio of two contenders' costs that is aimed at.
#[derive(Debug, Clone)]
pub struct Goal {
    pub(crate) subject: &'static str,
    pub(crate) against: Against,
    pub(crate) at_most: f64,
}

/// Whom a contender is compared with.
#[derive(Debug, Clone, Copy)]
pub enum Against {
    /// The contender of this name.
    Named(&'static str),
    /// The cheapest of the peers.
    BestPeer,
}

/// What a contender cost.
#[derive(Debug, Clone)]
pub struct Cost {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
    /// CPU time a unit, median over the rounds, in nanoseconds.
    pub(crate) nanos: f64,
    /// The distance of the quartiles, relative to the median.
    pub(crate) spread: f64,
}

impl Cost {
    /// From what a unit cost in each round, in seconds.
    pub(crate) fn new(name: &'static str, side: Side, mut seconds: Vec<f64>) -> Self {
        seconds.sort_by(f64::total_cmp);
        let quartile = |part: usize| seconds[(seconds.len() - 1) * part / 4];
        Self { name, side, nanos: quartile(2) * 1e9, spread: (quartile(3) - quartile(1)) / quartile(2) }
    }
}

impl Scenario {
    /// A scenario without goals, on the clock of the thread, with 11 rounds.
    pub fn new(name: impl Into<String>, units: u64, contenders: Vec<Contender>) -> Self {
        Self { name: name.into(), units, clock: Clock::Thread, rounds: 11, contenders, goals: Vec::new() }
    }

    /// With another clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// With another number of rounds, for what takes long.
    pub fn rounds(mut self, rounds: usize) -> Self {
        self.rounds = rounds;
        self
    }

    /// What is done, and with what.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// With the goal that `subject` costs at most `at_most` times what `against` costs.
    pub fn goal(mut self, subject: &'static str, at_most: f64, against: Against) -> Self {
        self.goals.push(Goal { subject, against, at_most });
        self
    }

    /// Measures.
    ///
    /// # Panics
    /// If a contender does not find all units: then it has not done the work.
    pub fn measure(&mut self, effort: Effort) -> Vec<Cost> {
        let (rounds, sample) = match effort {
            Effort::Full => (self.rounds, Duration::from_millis(10)),
            Effort::Quick => (self.rounds.min(3), Duration::from_millis(2)),
        };
        // Each runs once to warm up, and to see how often it fits into a sample.
        let (units, clock) = (self.units, self.clock);
        let repeats: Vec<u32> = self.contenders.iter_mut().map(|it| it.warm_up(units, clock, sample)).collect();
        let mut samples = vec![Vec::with_capacity(rounds); self.contenders.len()];
        for round in 0..rounds {
            for turn in 0..self.contenders.len() {
                let at = (round + turn) % self.contenders.len();
                samples[at].push(self.contenders[at].sample(units, clock, repeats[at]));
            }
        }
        let costs = self.contenders.iter().zip(samples);
        costs.map(|(contender, samples)| Cost::new(contender.name, contender.side, samples)).collect()
    }
}

impl Contender {
    fn warm_up(&mut self, units: u64, clock: Clock, sample: Duration) -> u32 {
        let Run::Timed(run) = &mut self.run else { return 1 };
        let (once, found) = clock.time(run);
        assert_eq!(found, units, "{} has not done the work", self.name);
        (sample.as_nanos() / once.as_nanos().max(1)) as u32 + 1
    }

    /// What a unit costs, in seconds.
    fn sample(&mut self, units: u64, clock: Clock, repeats: u32) -> f64 {
        match &mut self.run {
            Run::TimesItself(run) => run().as_secs_f64(),
            Run::Timed(run) => {
                let (all, found) = clock.time(|| (0..repeats).map(|_| run()).sum::<u64>());
                assert_eq!(found, units * u64::from(repeats), "{} has not done the work", self.name);
                all.as_secs_f64() / units as f64 / f64::from(repeats)
            }
        }
    }
}
