//! Settings that nobody can mean.

use std::time::Duration;

use sse_codec::Limits;
use turn_session::Timeouts;

use crate::Error;

/// Longest deadline.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// Refuses deadlines that nothing can meet, and those that are none.
pub(crate) fn timeouts(timeouts: &Timeouts) -> Result<(), Error> {
    let Timeouts { connect, head, first_event, idle, progress, turn, finish_grace } = *timeouts;
    let named = [
        ("connect", connect),
        ("head", head),
        ("first_event", first_event),
        ("idle", idle),
        ("progress", progress),
        ("turn", turn),
        ("finish_grace", Some(finish_grace)),
    ];
    for (name, limit) in named {
        match limit {
            Some(Duration::ZERO) if name != "finish_grace" => {
                return Err(Error::config(format!("the {name} timeout is zero, which nothing can meet")));
            }
            Some(limit) if limit > LONGEST => {
                return Err(Error::config(format!("the {name} timeout is longer than 30 days")));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses limits within which there is nothing.
pub(crate) fn limits(events: Limits, max_answer_bytes: Option<usize>) -> Result<(), Error> {
    let named = [("max_event_bytes", Some(events.get_max_event_bytes())), ("max_answer_bytes", max_answer_bytes)];
    match named.into_iter().find(|(_, bytes)| *bytes == Some(0)) {
        Some((name, _)) => Err(Error::config(format!("`{name}` must not be zero"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use super::*;
    use crate::{Client, ClientBuilder, FailureKind, Provider, RetryPolicy, RetryPolicyError};

    /// The name of a deadline, and how it is set.
    type Setter = (&'static str, fn(&mut Timeouts, Duration));

    /// What `build` says of these settings.
    #[track_caller]
    fn check(set: impl FnOnce(ClientBuilder) -> ClientBuilder, expected: Option<&str>) -> Option<Error> {
        let built = set(Client::builder(Provider::new("http://127.0.0.1:1/v1").unwrap())).build();
        let error = built.err();
        assert_eq!(error.as_ref().map(Error::message), expected);
        assert!(error.as_ref().is_none_or(|error| error.kind() == FailureKind::Config));
        error
    }

    #[test]
    fn deadlines_are_above_zero_and_of_30_days_at_most() {
        let setters: [Setter; 7] = [
            ("connect", |timeouts, limit| timeouts.connect = Some(limit)),
            ("head", |timeouts, limit| timeouts.head = Some(limit)),
            ("first_event", |timeouts, limit| timeouts.first_event = Some(limit)),
            ("idle", |timeouts, limit| timeouts.idle = Some(limit)),
            ("progress", |timeouts, limit| timeouts.progress = Some(limit)),
            ("turn", |timeouts, limit| timeouts.turn = Some(limit)),
            ("finish_grace", |timeouts, limit| timeouts.finish_grace = limit),
        ];
        for (name, set) in setters {
            let with = |limit| {
                let mut timeouts = Timeouts::default();
                set(&mut timeouts, limit);
                move |builder: ClientBuilder| builder.timeouts(timeouts)
            };
            let zero = format!("the {name} timeout is zero, which nothing can meet");
            check(with(Duration::ZERO), (name != "finish_grace").then_some(&zero));
            check(with(Duration::from_nanos(1)), None);
            check(with(LONGEST), None);
            let long = format!("the {name} timeout is longer than 30 days");
            check(with(LONGEST + Duration::from_nanos(1)), Some(&long));
            check(with(Duration::MAX), Some(&long));
        }
        let off = Timeouts { connect: None, head: None, first_event: None, idle: None, ..Timeouts::default() };
        check(|builder| builder.timeouts(Timeouts { progress: None, turn: None, ..off }), None);
    }

    #[test]
    fn limits_of_zero_are_refused_by_their_names() {
        let zero = |name: &str| format!("`{name}` must not be zero");
        check(|builder| builder.max_event_bytes(0), Some(&zero("max_event_bytes")));
        check(|builder| builder.max_answer_bytes(0), Some(&zero("max_answer_bytes")));
        check(|builder| builder.max_event_bytes(1).max_answer_bytes(1), None);
        check(|builder| builder.max_event_bytes(usize::MAX).max_answer_bytes(usize::MAX), None);
    }

    #[test]
    fn a_policy_that_contradicts_itself_is_the_cause() {
        let message = "retry policy: `max_attempts` must not be zero";
        let error = check(|builder| builder.retry(RetryPolicy::new().with_max_attempts(0)), Some(message)).unwrap();
        let cause = error.source().and_then(|cause| cause.downcast_ref::<RetryPolicyError>());
        assert_eq!(cause.map(RetryPolicyError::setting), Some("max_attempts"));
    }
}
