//! One JSON object a line for each event.

use std::{
    io::{self, Write},
    time::Duration,
};

use response_events::{Failure, Ledger, TurnEvent};
use serde::Serialize;

use super::{Place, Render};

#[derive(Debug, Default)]
pub(super) struct JsonRenderer {
    place: Option<Place>,
}

#[derive(Serialize)]
struct Line<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<u32>,
    #[serde(flatten)]
    event: &'a T,
}

/// The last line of a request that failed.
#[derive(Serialize)]
struct Failed<'a> {
    r#type: &'static str,
    error: &'a Failure,
}

impl JsonRenderer {
    fn line(&self, event: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
        let (turn, request) = (self.place.map(|place| place.turn), self.place.map(|place| place.request));
        let mut line = serde_json::to_vec(&Line { turn, request, event })?;
        line.push(b'\n');
        out.write_all(&line)?;
        out.flush()
    }
}

impl Render for JsonRenderer {
    fn begin(&mut self, place: Option<Place>, _: &mut dyn Write) -> io::Result<()> {
        self.place = place;
        Ok(())
    }

    fn event(&mut self, _: Option<Duration>, event: &TurnEvent, out: &mut dyn Write) -> io::Result<()> {
        self.line(event, out)
    }

    fn end(&mut self, failure: Option<&Failure>, _: &Ledger, out: &mut dyn Write) -> io::Result<()> {
        match failure {
            Some(error) => self.line(&Failed { r#type: "failed", error }, out),
            None => Ok(()),
        }
    }
}
