//! Whether and when to try a failed request again: a failure, a ledger and a budget go in, one decision comes out.
//! It never sleeps, reads no clock, draws no randomness of its own and knows neither HTTP nor any API.
#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod backoff;
mod budget;
mod class;
mod decide;
mod decision;
mod entropy;
mod failure;
mod hint;
mod ledger;
mod policy;
mod policy_error;
mod shared_budget;
mod table;

pub use backoff::Jitter;
pub use budget::{Budget, Pacing};
pub use class::FailureClass;
pub use decision::{Cost, Decision, GiveUpReason, NextTransport, RetryAfter};
pub use entropy::{Entropy, SplitMix64};
pub use failure::{Failure, Fallback, Phase};
pub use hint::{Hint, HintReader, HintSource};
pub use ledger::Ledger;
pub use policy::Policy;
pub use policy_error::PolicyError;
pub use shared_budget::{Membership, SharedBudget};
