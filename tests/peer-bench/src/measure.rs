//! Interleaved rounds: every contender runs once a round, in an order that rotates, on the clock of its thread.

use std::time::Duration;

use cpu_time::ThreadTime;

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

/// One way to do the work of a scenario.
pub struct Contender {
    pub(crate) name: &'static str,
    pub(crate) side: Side,
    /// Does the work once and answers how many units it found.
    run: Box<dyn FnMut() -> u64>,
}

impl Contender {
    /// `run` does the work once and answers how many units (events, messages) it found.
    pub fn new(side: Side, name: &'static str, run: impl FnMut() -> u64 + 'static) -> Self {
        Self { name, side, run: Box::new(run) }
    }
}

/// Some work, and who does it.
pub struct Scenario {
    pub(crate) name: String,
    /// Events or messages in the work.
    units: u64,
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

impl Scenario {
    /// A scenario without goals.
    pub fn new(name: impl Into<String>, units: u64, contenders: Vec<Contender>) -> Self {
        Self { name: name.into(), units, contenders, goals: Vec::new() }
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
            Effort::Full => (11, Duration::from_millis(10)),
            Effort::Quick => (3, Duration::from_millis(2)),
        };
        // Each runs once to warm up, and to see how often it fits into a sample.
        let repeats: Vec<u32> = self.contenders.iter_mut().map(|it| repeats(it, self.units, sample)).collect();
        let mut samples = vec![Vec::with_capacity(rounds); self.contenders.len()];
        for round in 0..rounds {
            for turn in 0..self.contenders.len() {
                let at = (round + turn) % self.contenders.len();
                samples[at].push(sample_of(&mut self.contenders[at], repeats[at]).as_secs_f64());
            }
        }
        let units = self.units as f64;
        let costs = self.contenders.iter().zip(samples).zip(repeats).map(|((contender, mut samples), repeats)| {
            samples.sort_by(f64::total_cmp);
            let quartile = |part: usize| samples[(samples.len() - 1) * part / 4];
            Cost {
                name: contender.name,
                side: contender.side,
                nanos: quartile(2) * 1e9 / units / f64::from(repeats),
                spread: (quartile(3) - quartile(1)) / quartile(2),
            }
        });
        costs.collect()
    }
}

fn repeats(contender: &mut Contender, units: u64, sample: Duration) -> u32 {
    let begin = ThreadTime::now();
    let found = (contender.run)();
    assert_eq!(found, units, "{} has not done the work", contender.name);
    let once = begin.elapsed().max(Duration::from_nanos(1));
    (sample.as_nanos() / once.as_nanos()) as u32 + 1
}

fn sample_of(contender: &mut Contender, repeats: u32) -> Duration {
    let begin = ThreadTime::now();
    for _ in 0..repeats {
        std::hint::black_box((contender.run)());
    }
    begin.elapsed()
}
