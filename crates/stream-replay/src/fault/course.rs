//! Repetitions, undone as they are played.

use super::section::{FaultStep, Times};

/// The steps of a section one by one; of its repetitions only the places are kept.
pub(crate) struct Course<'a> {
    rounds: Vec<Round<'a>>,
}

struct Round<'a> {
    steps: &'a [FaultStep],
    at: usize,
    /// This round included.
    left: Times,
}

impl<'a> Course<'a> {
    pub(super) fn new(steps: &'a [FaultStep]) -> Self {
        Self { rounds: vec![Round { steps, at: 0, left: Times::Count(1) }] }
    }
}

/// Never gives a [`FaultStep::Repeat`].
impl<'a> Iterator for Course<'a> {
    type Item = &'a FaultStep;

    fn next(&mut self) -> Option<&'a FaultStep> {
        loop {
            let round = self.rounds.last_mut()?;
            match round.steps.get(round.at) {
                Some(FaultStep::Repeat { times, steps }) => {
                    round.at += 1;
                    self.rounds.push(Round { steps, at: 0, left: *times });
                }
                Some(step) => {
                    round.at += 1;
                    return Some(step);
                }
                None => {
                    round.at = 0;
                    match &mut round.left {
                        Times::Forever => {}
                        Times::Count(left @ 2..) => *left -= 1,
                        Times::Count(_) => drop(self.rounds.pop()),
                    }
                }
            }
        }
    }
}
