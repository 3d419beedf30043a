//! The server over HTTP/2: idle streams, which is all that is asked of it.

use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream};
use http::{Request, Response};
use tokio::io::{AsyncRead, AsyncWrite};

use super::script::Script;
use super::serve::{Shared, model};

type Result<T> = std::result::Result<T, h2::Error>;

/// More than anybody opens: some clients wait where others open another connection.
const STREAMS: u32 = 8192;

/// Serves one connection.
pub(super) async fn connection(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    shared: &Arc<Shared>,
) -> Result<()> {
    let mut connection = Builder::new().max_concurrent_streams(STREAMS).handshake(stream).await?;
    while let Some(asked) = connection.accept().await {
        let (request, respond) = asked?;
        let shared = Arc::clone(shared);
        tokio::spawn(async move { answer(request, respond, &shared).await });
    }
    Ok(())
}

async fn answer(request: Request<RecvStream>, mut respond: SendResponse<Bytes>, shared: &Shared) -> Result<()> {
    let name = request.uri().path().trim_start_matches('/').split('/').next().unwrap_or_default();
    if Script::parse(name) != Some(Script::Idle) {
        respond.send_reset(Reason::REFUSED_STREAM);
        return Ok(());
    }
    let mut request = request.into_body();
    let mut body = Vec::new();
    while let Some(data) = request.data().await {
        let data = data?;
        request.flow_control().release_capacity(data.len())?;
        body.extend_from_slice(&data);
    }
    let head = Response::builder().header("content-type", "text/event-stream; charset=utf-8").body(());
    let mut stream = respond.send_response(head.map_err(|_| Reason::INTERNAL_ERROR)?, false)?;
    stream.send_data(Bytes::from(shared.bytes.delta.clone()), false)?;
    _ = poll_fn(|cx| stream.poll_reset(cx)).await;
    shared.note_end(model(&String::from_utf8_lossy(&body)));
    Ok(())
}
