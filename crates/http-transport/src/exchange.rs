//! One request and its answer.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Method, StatusCode};
use tokio::runtime::Handle;

use crate::body_reader::{BodyLimits, BodyReader, LimitedBody};
use crate::call::Call;
use crate::classify;
use crate::coding::{CodedBody, Decoding};
use crate::dialing::{Dialed, Dialing};
use crate::drain;
use crate::error::{Error, ErrorKind};
use crate::head::Head;
use crate::http1::Http1;
use crate::http2;
use crate::idle::Idle;
use crate::phase::Phase;
use crate::plan::{self, Plan};
use crate::pool::{Draining, Entry, Follow, Way, Wish};
use crate::proxy::{Proxy, Refusal, Route};
use crate::request::Request;
use crate::target::Endpoint;
use crate::transport::Settings;
use crate::upgrade::{Switch, Upgraded};
use crate::versions::Offer;
use crate::waiting::Waiting;

/// One request and its answer: on an HTTP/1.1 connection that it has for itself, or on an HTTP/2 connection that it
/// shares.
///
/// Over HTTP/1.1 it moves only while it is polled, on a tokio runtime with time and I/O enabled: no task works behind
/// it, and no body bytes are collected beyond the piece that hyper is about to hand out. Dropping it at any time closes
/// the socket, unless the body was read to its clean end: then the connection waits for another request of the
/// transport ([`set_reuse`](Self::set_reuse) can make that depend on the caller's word).
///
/// While it dials it takes an HTTP/1.1 connection of its transport that comes free. Where thirty to the same server are
/// about to (by [`finish`](Self::finish)), it waits up to 5 ms for one before it dials. The dial that was not needed is
/// brought to its end by a task, for another request.
///
/// An HTTP/2 connection has a task, which moves what arrives to where it is asked for: at most 256 KiB of a body wait
/// there for a reader. Dropping an exchange resets its stream and leaves the connection to the others.
///
/// A waiting connection may be closed by the server just when it is used again. A request that went out on such a one
/// and came to nothing (not a byte was written, or not a byte came back, or a 408 that closes it) is sent once more, on
/// a fresh connection; so is one that the server refused over HTTP/2 without looking at it.
/// [`Repeat`](crate::Repeat) sees to it that this happens once.
#[must_use = "an exchange does nothing unless polled"]
pub struct Exchange {
    settings: Arc<Settings>,
    /// The way of the connection, once there is to be one.
    route: Route,
    reuse: Reuse,
    state: State,
    decoding: Decoding,
    /// What undoes the codings of the body, if it has any.
    coded: Option<Box<CodedBody>>,
}

/// When the connection of an exchange may serve another request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reuse {
    /// As soon as the body has ended cleanly.
    #[default]
    AfterBody,
    /// When the caller has called [`Exchange::finish`], too: for bodies that can be whole for HTTP and yet be cut, so
    /// that who sent them is not to be trusted with the next request. Until then the phase stays
    /// [`Phase::Body`].
    AfterFinish,
}

enum State {
    /// Not polled yet, and perhaps never to be sent.
    New(Box<Result<Plan, Error>>),
    /// Another request opens a connection that this one may share.
    Following(Box<(Follow, Plan)>),
    Dialing(Box<Dialing>),
    Starting(Arc<Endpoint>, Starting),
    /// With the request, if it can be sent once more.
    Waiting(Box<(Waiting, Option<Plan>)>),
    /// A proxy said no in place of the server.
    Refused(Box<Refusal>),
    Body(Arc<Endpoint>, Call),
    /// Behind a 101.
    Switched(Upgraded),
    /// The phase it ended in; the socket is closed, or somebody else's.
    Ended(Phase),
}

type Starting = Pin<Box<dyn Future<Output = Result<(Call, Option<Plan>), Error>> + Send>>;

impl State {
    fn refused(proxy: Arc<Proxy>, endpoint: Arc<Endpoint>, http: Box<Http1>, head: Head) -> Self {
        let reason = head.status.canonical_reason().unwrap_or_default().to_owned();
        let refusal = Refusal::new(proxy, endpoint, Phase::Head, (head, reason), http);
        Self::Refused(Box::new(refusal))
    }

    fn answered(endpoint: Arc<Endpoint>, call: Call, status: StatusCode) -> Self {
        match call {
            Call::Http1(http) if status == StatusCode::SWITCHING_PROTOCOLS => match http.into_stream() {
                Some((stream, leftover)) => Self::Switched(Upgraded::new(endpoint, stream, leftover)),
                None => Self::Ended(Phase::Done),
            },
            call => Self::Body(endpoint, call),
        }
    }
}

impl Exchange {
    pub(crate) fn new(settings: Arc<Settings>, request: Request) -> Self {
        // The head of an answer to HEAD is all there is, and stays as it is.
        let decoding = if request.method == Method::HEAD { Decoding::Raw } else { settings.decoding };
        let plan = Plan::new(request, &settings.proxies, settings.versions, decoding);
        let (route, reuse, state) = (Route::Direct, Reuse::default(), State::New(Box::new(plan)));
        Self { settings, route, reuse, state, decoding, coded: None }
    }

    /// When the connection may serve another request. Default: [`Reuse::AfterBody`]. To be called before the body has
    /// ended.
    pub fn set_reuse(&mut self, reuse: Reuse) {
        self.reuse = reuse;
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
    /// no body; what comes behind it is for [`into_upgraded`](Self::into_upgraded). A coded body comes decoded, as
    /// [`Decoding`] has it.
    ///
    /// Errors with [`ErrorKind::Truncated`] or [`ErrorKind::Protocol`], over HTTP/2 also with
    /// [`ErrorKind::Overloaded`], and with [`ErrorKind::Timeout`] when the server leaves a PING without an answer, for
    /// a coded body also with [`ErrorKind::TooLarge`]; before the head was read, with [`ErrorKind::Config`]. There is
    /// no other time limit here.
    pub fn poll_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let Some(mut coded) = self.coded.take() else {
            return self.poll_wire_data(cx);
        };
        let polled = coded.poll_data(cx, |cx| self.poll_wire_data(cx));
        match polled {
            Poll::Pending | Poll::Ready(Some(Ok(_))) => self.coded = Some(coded),
            Poll::Ready(Some(Err(_))) => self.state = State::Ended(Phase::Body),
            Poll::Ready(None) => {}
        }
        polled
    }

    /// Bytes of a coded body that have come so far: signs of life, though it may take more of them to decode anything.
    /// Those of a body without codings are not counted, since all of them are handed out.
    pub fn coded_bytes_received(&self) -> u64 {
        self.coded.as_ref().map_or(0, |coded| coded.received())
    }

    /// The body as it is on the wire.
    fn poll_wire_data(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Error>>> {
        let (endpoint, call) = match &mut self.state {
            State::Body(endpoint, call) => (endpoint, call),
            State::Switched(_) | State::Ended(_) => return Poll::Ready(None),
            _ => {
                let message = "the body was asked for before the response head";
                return Poll::Ready(Some(Err(Error::new(ErrorKind::Config, self.phase(), message))));
            }
        };
        match ready!(call.poll_data(cx, endpoint)) {
            Some(Ok(data)) => Poll::Ready(Some(Ok(data))),
            Some(Err(error)) => {
                self.state = State::Ended(Phase::Body);
                Poll::Ready(Some(Err(error)))
            }
            None => {
                // Otherwise it stays here, at its end, until the caller has judged.
                if self.reuse == Reuse::AfterBody {
                    self.park();
                }
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
        poll_fn(|cx| reader.poll(cx, |cx| self.poll_data(cx))).await
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
    pub fn finish(mut self) {
        // Nobody reads it, so nobody needs it decoded.
        self.coded = None;
        self.reuse = Reuse::AfterFinish;
        if matches!(self.state, State::Body(..)) {
            drain::drain(self);
        }
    }

    /// Ends an exchange whose server has fallen silent: further requests get another connection. Those that share an
    /// HTTP/2 connection with this one go on. Over HTTP/1.1 it is the same as dropping.
    pub fn distrust(self) {
        match &self.state {
            State::Waiting(waiting) => waiting.0.call.retire(),
            State::Body(_, call) => call.retire(),
            _ => {}
        }
    }

    /// How far the exchange has come, or where it failed.
    pub fn phase(&self) -> Phase {
        match &self.state {
            State::New(_) => Phase::Dns,
            State::Following(_) => Phase::Connect,
            State::Dialing(dialing) => dialing.phase(),
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
                State::New(_) => self.start()?,
                State::Following(following) => {
                    let wish = ready!(following.0.poll(cx));
                    if let State::Following(following) = self.leave() {
                        self.enter(following.1, wish)?;
                    }
                }
                State::Dialing(dialing) => {
                    let dialed = ready!(dialing.poll(cx))?;
                    self.begin(dialed);
                }
                State::Starting(endpoint, start) => {
                    let (call, again) = ready!(start.as_mut().poll(cx))?;
                    let endpoint = Arc::clone(endpoint);
                    self.wait(endpoint, call, again);
                }
                State::Waiting(waiting) => {
                    let answer = ready!(waiting.0.poll(cx));
                    if let Some(head) = self.judge(answer)? {
                        return Poll::Ready(Ok(head));
                    }
                }
                State::Refused(refusal) => return Poll::Ready(Err(ready!(refusal.poll(cx)))),
                // `poll_head` answers for these.
                State::Body(..) | State::Switched(_) | State::Ended(_) => return Poll::Pending,
            }
        }
    }

    /// Puts the request on the connection that was dialed for it, or on one that came free meanwhile.
    fn begin(&mut self, dialed: Dialed) {
        let State::Dialing(dialing) = self.leave() else { return };
        let Dialing { plan, lead, .. } = *dialing;
        match dialed {
            Dialed::Fresh(stream, spoken) => {
                let endpoint = Arc::clone(&plan.endpoint);
                let start = plan::start(plan, stream, spoken, lead);
                self.state = State::Starting(endpoint, Box::pin(start));
            }
            Dialed::Freed(idle) => self.wait_on(idle, plan),
        }
    }

    /// The head that is the caller's; `None` where the request goes on without it.
    fn judge(&mut self, answer: Result<Head, Error>) -> Result<Option<Head>, Error> {
        let State::Waiting(waiting) = self.leave() else { return Ok(None) };
        let may_have_crossed = waiting.0.may_have_crossed();
        let (Waiting { endpoint, call, .. }, mut again) = *waiting;
        let plan = match answer {
            Ok(head) => {
                let is_late = may_have_crossed && call.is_late_timeout(&head);
                match again.take_if(|plan| is_late && plan.repeat.take()) {
                    Some(plan) => plan,
                    None => return Ok(self.accept(endpoint, call, head)),
                }
            }
            Err(error) => {
                let is_unseen = (may_have_crossed || error.kind() != ErrorKind::Unanswered) && call.is_unseen(&error);
                self.once_more(&call, is_unseen, again, error)?
            }
        };
        self.enter(plan, Wish::Fresh)?;
        Ok(None)
    }

    /// The plan of a request that the server has not seen and that may be sent once more; else the error.
    fn once_more(&self, call: &Call, is_unseen: bool, mut again: Option<Plan>, error: Error) -> Result<Plan, Error> {
        call.distrust(&error);
        if let Some(plan) = again.as_mut().filter(|_| http2::wants_http1(&error)) {
            if plan.offer == Offer::Http2 {
                return Err(classify::no_http1(&plan.endpoint, error));
            }
            self.settings.pool.require_http1(&plan.way());
            plan.offer = plan.offer.without_http2();
        }
        again.filter(|plan| is_unseen && plan.repeat.take()).ok_or(error)
    }

    /// From here on there is a body; the head of a proxy that refuses a request has one that is read first.
    fn accept(&mut self, endpoint: Arc<Endpoint>, call: Call, mut head: Head) -> Option<Head> {
        match (self.route.refuser(head.status), call) {
            (Some(proxy), Call::Http1(http)) => {
                self.state = State::refused(Arc::clone(proxy), endpoint, http, head);
                None
            }
            (_, call) => {
                let limits = self.settings.decode_limits;
                self.coded = CodedBody::behind(&mut head, &endpoint, self.decoding, limits).map(Box::new);
                self.state = State::answered(endpoint, call, head.status);
                Some(head)
            }
        }
    }

    /// Takes the state, for what follows it.
    fn leave(&mut self) -> State {
        let phase = self.phase();
        mem::replace(&mut self.state, State::Ended(phase))
    }

    fn start(&mut self) -> Result<(), Error> {
        if let State::New(plan) = self.leave() {
            let mut plan = (*plan)?;
            plan.offer = self.settings.pool.narrowed(&plan.way(), plan.offer);
            if Handle::try_current().is_err() {
                let message = "an exchange must be polled on a tokio runtime";
                return Err(Error::new(ErrorKind::Config, Phase::Dns, message));
            }
            self.route = plan.route.clone();
            let wish = match Switch::of(&plan.request) {
                Switch::Excluded => Wish::Any,
                // It may keep the connection for good, and is rare enough to have one of its own.
                Switch::Possible | Switch::Tunnel => Wish::Own,
            };
            self.enter(plan, wish)?;
        }
        Ok(())
    }

    /// Takes a connection that is there, waits for one that is to come, or dials.
    fn enter(&mut self, plan: Plan, wish: Wish) -> Result<(), Error> {
        let Settings { connect_timeout, pool, .. } = &*self.settings;
        match pool.enter(&plan.way(), plan.offer, wish, *connect_timeout) {
            Entry::Parked(idle) => self.wait_on(idle, plan),
            Entry::Shared(place) => {
                let endpoint = Arc::clone(&plan.endpoint);
                let http = place.send(&endpoint, plan.request.clone())?;
                self.wait(endpoint, Call::Http2(Box::new(http)), Some(plan));
            }
            Entry::Follow(follow) => self.state = State::Following(Box::new((follow, plan))),
            Entry::Dial(lead, checkout) => {
                let dialing = Dialing::new(Arc::clone(&self.settings), plan, lead, checkout);
                self.state = State::Dialing(Box::new(dialing));
            }
        }
        Ok(())
    }

    /// Sends the request on a connection that had another one before.
    fn wait_on(&mut self, idle: Idle, plan: Plan) {
        let http = Http1::on(idle, plan.request.clone());
        self.wait(Arc::clone(&plan.endpoint), Call::Http1(Box::new(http)), Some(plan));
    }

    fn wait(&mut self, endpoint: Arc<Endpoint>, call: Call, again: Option<Plan>) {
        let waiting = Waiting::new(endpoint, call, self.settings.head_timeout);
        self.state = State::Waiting(Box::new((waiting, again)));
    }

    /// Tells the pool that the connection is about to come free, if it can.
    pub(crate) fn draining(&self) -> Option<Draining> {
        match &self.state {
            State::Body(endpoint, Call::Http1(http)) => {
                let way = Way { endpoint: Arc::clone(endpoint), route: self.route.clone() };
                Some(Draining::new(&self.settings.pool, way, http.runtime()?))
            }
            _ => None,
        }
    }

    /// The body has ended cleanly. Whether its connection came free for another request.
    pub(crate) fn park(&mut self) -> bool {
        let idle = match mem::replace(&mut self.state, State::Ended(Phase::Done)) {
            State::Body(endpoint, Call::Http1(http)) => http.into_idle().map(|idle| (endpoint, idle)),
            // The pool has connections of HTTP/2 already.
            _ => None,
        };
        let Some((endpoint, idle)) = idle else { return false };
        self.settings.pool.park(&Way { endpoint, route: self.route.clone() }, idle);
        true
    }
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("phase", &self.phase()).finish_non_exhaustive()
    }
}
