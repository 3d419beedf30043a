//! Runs steps on a socket.

use std::io;

use tokio::io::{AsyncWrite, AsyncWriteExt};

use crate::inbound::Inbound;
use crate::script::{End, Step};
use crate::socket::Socket;

/// The client closed or reset the connection before the script was over.
#[derive(Debug)]
pub(crate) struct HungUp;

/// Runs `steps` to their end, or until the client hangs up: its side of the connection is read all
/// the while.
pub(crate) async fn play(
    stream: &mut Socket,
    inbound: &mut Inbound,
    steps: impl Iterator<Item = Step>,
) -> Result<End, HungUp> {
    let (reader, writer) = tokio::io::split(stream);
    tokio::select! {
        // A script that is over is over, even when the client has hung up meanwhile.
        biased;
        end = run(writer, steps) => end.map_err(|_| HungUp),
        () = inbound.hung_up(reader) => Err(HungUp),
    }
}

async fn run(mut writer: impl AsyncWrite + Unpin, steps: impl Iterator<Item = Step>) -> io::Result<End> {
    for step in steps {
        match step {
            Step::Send(bytes) => {
                writer.write_all(&bytes).await?;
                writer.flush().await?;
            }
            Step::Pause(pause) => tokio::time::sleep(pause).await,
            Step::Pass(gate) => gate.pass().await,
            Step::End(end) => return Ok(end),
        }
    }
    // A script that does not say how it ends leaves nothing to go on with.
    Ok(End::Close)
}
