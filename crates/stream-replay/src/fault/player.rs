//! Does what a script says.

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::section::{FaultStep, Read, Section};
use crate::inbound::{self, Inbound, NoRequest};
use crate::journal::Journal;
use crate::player::{HungUp, play};
use crate::request::RecordedRequest;
use crate::script::{End, Step};

/// Does the steps of a section on connection number `connection`, until they end or the client hangs up.
pub(crate) async fn play_fault(
    stream: &mut TcpStream,
    inbound: &mut Inbound,
    section: &Section,
    connection: usize,
    journal: &Journal,
) -> Result<End, NoRequest> {
    let mut end = End::Close;
    for step in section.course() {
        match step {
            FaultStep::Read(Read::Head) => {
                let head = inbound.head(stream).await?;
                journal.record(RecordedRequest::new(connection, head, bytes::Bytes::new()));
            }
            FaultStep::Read(Read::Request) => {
                let (head, body) = inbound.request(stream).await?;
                journal.record(RecordedRequest::new(connection, head, body));
            }
            FaultStep::Read(Read::Bytes(length)) => inbound.skip(stream, *length).await?,
            FaultStep::Read(Read::TlsRecord) => inbound.skip_tls_record(stream).await?,
            FaultStep::Do(Step::End(told)) => end = *told,
            FaultStep::Do(step) => {
                let steps = [step.clone(), Step::End(End::KeepAlive)].into_iter();
                play(stream, inbound, steps).await.map_err(|HungUp| NoRequest::HungUp)?;
            }
            // A course has none.
            FaultStep::Repeat { .. } => {}
        }
    }
    if end == End::Close {
        stream.shutdown().await?;
        // Unread bytes would turn the FIN into an RST.
        inbound::drain(stream).await;
    }
    Ok(end)
}
