//! How the request of a stream goes out.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header::ACCEPT};
use response_events::{EncodeError, Failure, FailureKind};
use turn_session::{CredentialNeed, InputForm, SocketNeed, TURN_STATE_HEADER, TurnState};
use ws_codec::ClientHandshake;

use super::TurnStream;
use crate::{
    OutgoingRequest,
    asking::Asking,
    auth::Authorized,
    clock::now,
    connection::{Connection, Purpose},
    failures,
    request_body::RequestBody,
    seed::entropy,
    socket,
};

impl TurnStream {
    /// Sends the request over HTTP, with the state that the turn has by now.
    pub(super) fn open_stream(&mut self, turn_state: &TurnState, credentials: CredentialNeed) {
        let mut headers = self.headers();
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(self.endpoint.accept()));
        let body = match self.body() {
            Ok(body) => body.send(&mut headers),
            Err(error) => return self.fail_to_encode(error),
        };
        self.decoder.reset();
        self.open(Method::POST, headers, body, None, turn_state, credentials);
    }

    /// The headers of the client, and those of the turn in place of theirs.
    fn headers(&self) -> HeaderMap {
        let mut headers = self.turn.session.client.headers.clone();
        headers.extend(self.turn.headers.0.clone());
        headers
    }

    /// The body over HTTP. All attempts share what the first one encodes; a request over a socket has none.
    fn body(&mut self) -> Result<&mut RequestBody, EncodeError> {
        let body = match self.body.take() {
            Some(body) => body,
            None => RequestBody::new(self.endpoint.encode(&self.request)?, self.turn.session.client.compression),
        };
        Ok(self.body.insert(body))
    }

    fn fail_to_encode(&mut self, error: EncodeError) {
        self.fail(Failure::new(FailureKind::Config, error.to_string()), Some(error.into()));
    }

    /// Takes the parked socket, or opens one.
    pub(super) fn open_socket(&mut self, turn_state: TurnState, credentials: CredentialNeed, need: SocketNeed) {
        // The message is encoded when the socket is there; one that cannot be needs no socket.
        if let Err(error) = self.request.check() {
            return self.fail_to_encode(error);
        }
        let parked = if need == SocketNeed::Any { self.turn.session.parking.take(&turn_state) } else { None };
        if let Some(parked) = parked {
            self.fresh = Some((turn_state, credentials));
            self.connection = Connection::Fetching(parked);
            return;
        }
        let handshake = ClientHandshake::new(entropy());
        let headers = socket::handshake_headers(self.headers(), &handshake);
        self.open(Method::GET, headers, Bytes::new(), Some(handshake), &turn_state, credentials);
    }

    fn open(
        &mut self,
        method: Method,
        mut headers: HeaderMap,
        body: Bytes,
        handshake: Option<ClientHandshake>,
        turn_state: &TurnState,
        credentials: CredentialNeed,
    ) {
        let client = &self.turn.session.client;
        let Some(uri) = self.target.uri().cloned() else {
            let failure = Failure::new(FailureKind::Config, format!("{} is no URL", self.target.shown()));
            return self.fail(failure, self.target.as_str().parse::<Uri>().err().map(Into::into));
        };
        // A state that was taken in is a header value.
        if let Some(mut value) = turn_state.get().and_then(|value| HeaderValue::try_from(value).ok()) {
            value.set_sensitive(true);
            headers.insert(HeaderName::from_static(TURN_STATE_HEADER), value);
        }
        let request = OutgoingRequest { method, uri, headers, body, credentials };
        let transport = if handshake.is_some() { &client.socket_transport } else { &client.transport };
        let purpose = Purpose {
            transport: transport.clone(),
            handshake,
            turn_state: turn_state.get().map(|_| turn_state.clone()),
            max_event_bytes: client.limits.get_max_event_bytes(),
            repeat: self.repeat.clone(),
        };
        match client.auth.authorize(request) {
            Authorized::Ready(request) => self.begin(*request, purpose),
            Authorized::Pending(answer) => {
                let asking = Asking::new(answer, client.timeouts.connect, now());
                self.connection = Connection::Authorizing(asking, purpose);
            }
        }
    }

    /// Sends the request, now that its credentials are known.
    pub(super) fn begin(&mut self, request: OutgoingRequest, purpose: Purpose) {
        self.secrets.learn(&request.uri, &request.headers);
        self.connection = Connection::begin(request, purpose);
    }

    /// Sends the request over the open socket.
    pub(super) fn send(&mut self, turn_state: &TurnState, input: InputForm) {
        let memory = self.connection.memory().filter(|_| input == InputForm::NewOnly);
        let continuation = memory.and_then(|memory| memory.continuation(&self.request));
        let sent = if continuation.is_some() { InputForm::NewOnly } else { InputForm::Whole };
        let message = match self.request.encode_create(continuation, turn_state.get()) {
            Ok(message) => message,
            Err(error) => return self.fail_to_encode(error),
        };
        match self.connection.send(message) {
            Ok(()) => self.engine.handle_sent(sent, now()),
            Err(error) => {
                let (failure, cause) = failures::of_send(error);
                self.fail(failure, cause);
            }
        }
    }
}
