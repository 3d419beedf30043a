//! The same service over HTTP/2, where a stream can end by itself, and a connection can say that it is done.

use std::{io, sync::Arc, time::Duration};

use bytes::Bytes;
use h2::{
    Reason, SendStream,
    server::{self, SendResponse},
};
use tokio::{io::DuplexStream, time::sleep};

use crate::{
    reply::{Framing, Reply, Says, Then},
    service::Service,
};

pub(crate) async fn serve(service: Arc<Service>, stream: DuplexStream) -> io::Result<()> {
    let mut connection = server::handshake(stream).await.map_err(io::Error::other)?;
    while let Some(request) = connection.accept().await {
        let (request, respond) = request.map_err(io::Error::other)?;
        let header = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let reply = service.take(&header("x-turn").unwrap(), header("x-codex-turn-state").as_deref());
        service.tell_states(&header("x-turn").unwrap(), &reply);
        if reply.framing == Framing::Close {
            // This request is the last one.
            connection.graceful_shutdown();
        }
        let service = Arc::clone(&service);
        tokio::spawn(async move { answer(&service, respond, &reply).await });
    }
    Ok(())
}

async fn answer(service: &Service, mut respond: SendResponse<Bytes>, reply: &Reply) -> Result<(), h2::Error> {
    if let Says::Nothing = reply.says {
        match reply.then {
            Then::Hold => std::future::pending().await,
            Then::End => respond.send_reset(Reason::REFUSED_STREAM),
            _ => respond.send_reset(Reason::INTERNAL_ERROR),
        }
        return Ok(());
    }
    let (head, parts, behind) = service.answer_to(reply);
    let mut response = http::Response::builder().status(head.status).header("content-type", head.content_type);
    if let Some(token) = head.state {
        response = response.header("x-codex-turn-state", token);
    }
    let mut body = respond.send_response(response.body(()).unwrap(), false)?;
    for part in parts {
        sleep(reply.pause).await;
        write(&mut body, reply, part)?;
    }
    write(&mut body, reply, behind)?;
    match reply.then {
        Then::End => body.send_data(Bytes::new(), true)?,
        Then::Drop => {
            // What has not left would never leave.
            sleep(Duration::from_millis(1)).await;
            body.send_reset(Reason::INTERNAL_ERROR);
        }
        Then::Hold | Then::Contradict => std::future::pending().await,
    }
    Ok(())
}

fn write(body: &mut SendStream<Bytes>, reply: &Reply, part: String) -> Result<(), h2::Error> {
    let mut part = Bytes::from(part);
    while !part.is_empty() {
        body.send_data(part.split_to(reply.piece.min(part.len())), false)?;
    }
    Ok(())
}
