//! What is to be sent, and over what.

use std::sync::Arc;

use bytes::Bytes;

use crate::call::Call;
use crate::classify;
use crate::coding::Decoding;
use crate::dial::BoxStream;
use crate::error::Error;
use crate::http1::Http1;
use crate::http2;
use crate::outgoing;
use crate::phase::Phase;
use crate::pool::{Lead, Way};
use crate::progress::Progress;
use crate::proxy::{self, Route};
use crate::request::{Repeat, Request};
use crate::target::{Endpoint, Role, Target};
use crate::upgrade::Switch;
use crate::versions::{HttpVersions, Offer, Spoken};

/// A request that can be sent.
pub(crate) struct Plan {
    pub(crate) endpoint: Arc<Endpoint>,
    pub(crate) route: Route,
    pub(crate) offer: Offer,
    pub(crate) request: http::Request<Bytes>,
    pub(crate) repeat: Repeat,
}

impl Plan {
    pub(crate) fn new(
        mut request: Request,
        proxies: &proxy::Table,
        versions: HttpVersions,
        decoding: Decoding,
    ) -> Result<Self, Error> {
        decoding.ask(&mut request.headers);
        let repeat = request.repeat.clone();
        let mut target = Target::parse(&request.uri)?;
        let route = Route::choose(proxies, &target.endpoint, &request.headers)?;
        if let Route::Forward(proxy) = &route {
            target.endpoint.role = Role::Forwarded(proxy.endpoint.authority());
        }
        let request = outgoing::prepare(request, &target, &route)?;
        let endpoint = Arc::new(target.endpoint);
        let offer = Offer::choose(versions, endpoint.security, &route, Switch::of(&request));
        Ok(Self { endpoint, route, offer, request, repeat })
    }

    pub(crate) fn way(&self) -> Way {
        Way { endpoint: Arc::clone(&self.endpoint), route: self.route.clone() }
    }
}

/// Puts a request on a fresh connection; with the request, if it can be sent once more. Without a `lead` nothing but
/// HTTP/1.1 was offered.
pub(crate) async fn start(
    plan: Plan,
    stream: BoxStream,
    spoken: Spoken,
    lead: Option<Lead>,
) -> Result<(Call, Option<Plan>), Error> {
    match (spoken, lead) {
        (Spoken::Http2, Some(lead)) => {
            let place = match lead.overtaken() {
                Some(place) => place,
                None => http2::connect(stream, &plan.endpoint, lead).await?,
            };
            let call = place.send(&plan.endpoint, plan.request.clone())?;
            Ok((Call::Http2(Box::new(call)), Some(plan)))
        }
        (_, lead) => {
            if let Some(lead) = lead {
                lead.not_shared();
            }
            let http = Http1::start(stream, plan.request).await;
            let http =
                http.map_err(|cause| classify::head(&plan.endpoint, Phase::Sending, &Progress::default(), cause))?;
            Ok((Call::Http1(Box::new(http)), None))
        }
    }
}
