//! One request and its answer.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::StatusCode;
use tokio::runtime::Handle;

use crate::body_reader::{BodyLimits, BodyReader, LimitedBody};
use crate::classify;
use crate::dial::Dial;
use crate::drain;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::idle::Idle;
use crate::outgoing;
use crate::phase::Phase;
use crate::pool::Way;
use crate::proxy::{self, Proxy, Refusal, Route};
use crate::request::Request;
use crate::target::{Endpoint, Role, Target};
use crate::transport::Settings;
use crate::upgrade::{Switch, Upgraded};
use crate::waiting::Waiting;

/// One request and its answer, on a connection that it has for itself.
///
/// It moves only while it is polled, on a tokio runtime with time and I/O enabled: no task works behind it, and no
/// body bytes are collected beyond the piece that hyper is about to hand out. Dropping it at any time closes the
/// socket, unless the body was read to its clean end: then the connection waits for another request of the transport.
///
/// A waiting connection may be closed by the server just when it is used again. A request that went out on such a one
/// and came to nothing (not a byte was written, or not a byte came back) is sent once more, on a fresh connection.
#[must_use = "an exchange does nothing unless polled"]
pub struct Exchange {
    settings: Arc<Settings>,
    /// The way of the connection, once there is to be one.
    route: Route,
    state: State,
}

enum State {
    /// Not polled yet, and perhaps never to be sent.
    New(Box<Result<Plan, Error>>),
    Dialing(Box<(Dial, Plan)>),
    Starting(Arc<Endpoint>, Pin<Box<dyn Future<Output = hyper::Result<Http1>> + Send>>),
    /// With the request, if it can be sent once more.
    Waiting(Box<(Waiting, Option<Plan>)>),
    /// A proxy said no in place of the server.
    Refused(Box<Refusal>),
    Body(Arc<Endpoint>, Box<Http1>),
    /// Behind a 101.
    Switched(Upgraded),
    /// The phase it ended in; the socket is closed, or somebody else's.
    Ended(Phase),
}

impl State {
    fn refused(proxy: Arc<Proxy>, Waiting { endpoint, http, .. }: Waiting, head: Head) -> Self {
        let reason = head.status.canonical_reason().unwrap_or_default().to_owned();
        let refusal = Refusal::new(proxy, endpoint, Phase::Head, (head, reason), Box::new(http));
        Self::Refused(Box::new(refusal))
    }

    fn answered(Waiting { endpoint, http, .. }: Waiting, status: StatusCode) -> Self {
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Self::Body(endpoint, Box::new(http));
        }
        match http.into_stream() {
            Some((stream, leftover)) => Self::Switched(Upgraded::new(endpoint, stream, leftover)),
            None => Self::Ended(Phase::Done),
        }
    }
}

/// A request that can be sent.
struct Plan {
    endpoint: Arc<Endpoint>,
    route: Route,
    request: http::Request<Bytes>,
}

impl Plan {
    fn new(request: Request, proxies: &proxy::Table) -> Result<Self, Error> {
        let mut target = Target::parse(&request.uri)?;
        let route = Route::choose(proxies, &target.endpoint, &request.headers)?;
        if let Route::Forward(proxy) = &route {
            target.endpoint.role = Role::Forwarded(proxy.endpoint.authority());
        }
        Ok(Self { request: outgoing::prepare(request, &target, &route)?, route, endpoint: Arc::new(target.endpoint) })
    }
}

impl Exchange {
    pub(crate) fn new(settings: Arc<Settings>, request: Request) -> Self {
        let plan = Plan::new(request, &settings.proxies);
        Self { settings, route: Route::Direct, state: State::New(Box::new(plan)) }
    }

    /// Dials, sends the request and waits for the response head, which is handed out once.
    ///
    /// Errors with every [`ErrorKind`] but `Truncated`; the exchange is then over. Asking again afterwards is
    /// answered with [`ErrorKind::Config`].
    pub fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Error>> {
        if matches!(self.state, State::Body(..) | State::Switched(_) | State::Ended(_)) {
            let message = "the response head was already asked for";
            return Poll::Ready(Err(Error::new(ErrorKind::Config, self.phase(), message)));
        }
        let result = ready!(self.poll_open(cx));
        if let Err(error) = &result {
            self.state = State::Ended(error.phase());
        }
        Poll::Ready(result)
    }

    /// [`poll_head`](Self::poll_head) as a future. Cancel safe.
    pub async fn head(&mut self) -> Result<Head, Error> {
        poll_fn(|cx| self.poll_head(cx)).await
    }

    /// The next bytes of the body, as soon as they are there; `None` at its clean end and after an error. A 101 has
    /// no body; what comes behind it is for [`into_upgraded`](Self::into_upgraded).
    ///
    /// Errors with [`ErrorKind::Truncated`] or [`ErrorKind::Protocol`]; before the head was read, with
    /// [`ErrorKind::Config`]. There is no time limit here.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let (endpoint, http) = match &mut self.state {
            State::Body(endpoint, http) => (endpoint, http),
            State::Switched(_) | State::Ended(_) => return Poll::Ready(None),
            _ => {
                let message = "the body was asked for before the response head";
                return Poll::Ready(Some(Err(Error::new(ErrorKind::Config, self.phase(), message))));
            }
        };
        match ready!(http.poll_data(cx)) {
            Some(Ok(data)) => Poll::Ready(Some(Ok(data))),
            Some(Err(cause)) => {
                let error = classify::body(endpoint, cause);
                self.state = State::Ended(Phase::Body);
                Poll::Ready(Some(Err(error)))
            }
            None => {
                self.park(cx);
                Poll::Ready(None)
            }
        }
    }

    /// [`poll_data`](Self::poll_data) as a future. Cancel safe.
    pub async fn data(&mut self) -> Option<Result<Bytes, Error>> {
        poll_fn(|cx| self.poll_data(cx)).await
    }

    /// Reads what is left of the body within `limits`: for the bodies of errors, which nobody should wait for.
    /// Whatever arrived is returned, also when it was cut. [`BodyReader`] is the same for a caller who polls.
    pub async fn read_body_limited(&mut self, limits: BodyLimits) -> LimitedBody {
        let mut reader = BodyReader::new(limits);
        poll_fn(|cx| reader.poll(self, cx)).await
    }

    /// The connection as a stream of bytes, after a head of [`SWITCHING_PROTOCOLS`](StatusCode::SWITCHING_PROTOCOLS)
    /// (101): nothing that the server sent behind that head is lost. Whether the server chose the right protocol is for
    /// the caller to check.
    ///
    /// Errors with [`ErrorKind::Config`] when no such head was handed out.
    pub fn into_upgraded(self) -> Result<Upgraded, Error> {
        if let State::Switched(upgraded) = self.state {
            return Ok(upgraded);
        }
        let message = "the connection has not switched protocols";
        Err(Error::new(ErrorKind::Config, self.phase(), message))
    }

    /// Ends an exchange whose body is of no more interest, as soon as its last event is known: what is left of it is
    /// read (at most 16 KiB within 100 ms, by a small task of the current tokio runtime if it is not there yet), so
    /// that the connection can serve another request. Returns at once; in any other state it is the same as dropping.
    pub fn finish(self) {
        if matches!(self.state, State::Body(..)) {
            drain::drain(self);
        }
    }

    /// How far the exchange has come, or where it failed.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::New(_) => Phase::Dns,
            State::Dialing(dialing) => dialing.0.phase(),
            State::Starting(..) => Phase::Sending,
            State::Waiting(waiting) => waiting.0.phase(),
            State::Refused(refusal) => refusal.phase(),
            State::Body(..) => Phase::Body,
            State::Switched(_) => Phase::Done,
            State::Ended(phase) => *phase,
        }
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head, Error>> {
        loop {
            match &mut self.state {
                State::New(_) => self.start(cx)?,
                State::Dialing(dialing) => {
                    let stream = ready!(dialing.0.poll(cx))?;
                    if let State::Dialing(dialing) = mem::replace(&mut self.state, State::Ended(Phase::Sending)) {
                        let plan = dialing.1;
                        let start = Http1::start(stream, plan.request);
                        self.state = State::Starting(plan.endpoint, Box::pin(start));
                    }
                }
                State::Starting(endpoint, start) => {
                    let http = ready!(start.as_mut().poll(cx))
                        .map_err(|cause| classify::head(endpoint, Phase::Sending, 0, cause))?;
                    let waiting = Waiting::new(Arc::clone(endpoint), http, self.settings.head_timeout);
                    self.state = State::Waiting(Box::new((waiting, None)));
                }
                State::Waiting(waiting) => {
                    let (waiting, again) = &mut **waiting;
                    let head = match ready!(waiting.poll(cx)) {
                        Ok(head) => head,
                        Err(error) => {
                            let plan = again.take().filter(|_| waiting.is_stale(&error)).ok_or(error)?;
                            self.dial(plan);
                            continue;
                        }
                    };
                    if let State::Waiting(waiting) = mem::replace(&mut self.state, State::Ended(Phase::Body)) {
                        let waiting = waiting.0;
                        if let Some(proxy) = self.route.refuser(head.status) {
                            self.state = State::refused(Arc::clone(proxy), waiting, head);
                            continue;
                        }
                        self.state = State::answered(waiting, head.status);
                    }
                    return Poll::Ready(Ok(head));
                }
                State::Refused(refusal) => return Poll::Ready(Err(ready!(refusal.poll(cx)))),
                // `poll_head` answers for these.
                State::Body(..) | State::Switched(_) | State::Ended(_) => return Poll::Pending,
            }
        }
    }

    /// Takes a connection that waits for a request, or dials.
    fn start(&mut self, cx: &mut Context<'_>) -> Result<(), Error> {
        if let State::New(plan) = mem::replace(&mut self.state, State::Ended(Phase::Dns)) {
            let plan = (*plan)?;
            if Handle::try_current().is_err() {
                let message = "an exchange must be polled on a tokio runtime";
                return Err(Error::new(ErrorKind::Config, Phase::Dns, message));
            }
            self.route = plan.route.clone();
            match self.parked(&plan, cx) {
                Some(idle) => {
                    let http = Http1::on(idle, plan.request.clone());
                    let waiting = Waiting::new(Arc::clone(&plan.endpoint), http, self.settings.head_timeout);
                    self.state = State::Waiting(Box::new((waiting, Some(plan))));
                }
                None => self.dial(plan),
            }
        }
        Ok(())
    }

    fn parked(&self, plan: &Plan, cx: &mut Context<'_>) -> Option<Idle> {
        match Switch::of(&plan.request) {
            Switch::Excluded => {
                let way = Way { endpoint: Arc::clone(&plan.endpoint), route: plan.route.clone() };
                self.settings.pool.take(&way, cx)
            }
            // It may keep the connection for good, and is rare enough to have one of its own.
            Switch::Possible | Switch::Tunnel => None,
        }
    }

    fn dial(&mut self, plan: Plan) {
        let Settings { tls, connect_timeout, .. } = &*self.settings;
        let (endpoint, route) = (Arc::clone(&plan.endpoint), plan.route.clone());
        let dial = Dial::start(endpoint, route, Arc::clone(tls), *connect_timeout);
        self.state = State::Dialing(Box::new((dial, plan)));
    }

    /// The body has ended cleanly.
    fn park(&mut self, cx: &mut Context<'_>) {
        if let State::Body(endpoint, http) = mem::replace(&mut self.state, State::Ended(Phase::Done)) {
            if let Some(idle) = http.into_idle(cx) {
                self.settings.pool.park(Way { endpoint, route: self.route.clone() }, idle);
            }
        }
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("phase", &self.phase()).finish_non_exhaustive()
    }
}
