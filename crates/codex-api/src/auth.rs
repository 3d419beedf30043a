//! Who asks: credentials, and where they come from.

use std::{error::Error as StdError, fmt, future::Future, pin::Pin, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Uri, header::AUTHORIZATION};

use turn_session::{CredentialNeed, CredentialSource};

use crate::Error;

/// Any error, as a credential hook may fail with it.
pub type BoxError = Box<dyn StdError + Send + Sync>;

/// How requests are authorised. `Debug` shows no secret.
#[derive(Clone, Default)]
pub struct Auth(Kind);

#[derive(Clone, Default)]
enum Kind {
    #[default]
    None,
    Bearer(HeaderValue),
    Hook(Arc<dyn Credentials>),
}

impl Auth {
    /// No credentials: local servers.
    pub fn none() -> Self {
        Self(Kind::None)
    }

    /// `authorization: Bearer KEY`.
    ///
    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when the key is empty or has characters that
    /// a header cannot carry; the message does not repeat the key.
    pub fn bearer(key: impl AsRef<str>) -> Result<Self, Error> {
        let key = key.as_ref().trim();
        if key.is_empty() {
            return Err(Error::config("the API key is empty"));
        }
        let mut value = HeaderValue::try_from(format!("Bearer {key}"))
            .map_err(|_| Error::config("the API key has characters that a header cannot carry"))?;
        value.set_sensitive(true);
        Ok(Self(Kind::Bearer(value)))
    }

    /// [`bearer`](Self::bearer) with the key in an environment variable.
    ///
    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config), naming the variable, when it is not set or
    /// cannot be used.
    pub fn from_env(variable: &str) -> Result<Self, Error> {
        let key = std::env::var(variable).map_err(|cause| {
            Error::config(format!("no API key in the environment variable {variable}")).with_source(cause)
        })?;
        Self::bearer(key).map_err(|error| Error::config(format!("{variable}: {}", error.message())))
    }

    /// A hook that is asked for each attempt: rotating tokens, signatures. When the service refuses what it gave, it
    /// is asked once more, which costs no attempt.
    pub fn hook(credentials: impl Credentials + 'static) -> Self {
        Self(Kind::Hook(Arc::new(credentials)))
    }

    /// The same with an asynchronous closure for the hook.
    ///
    /// ```
    /// use codex_api::Auth;
    ///
    /// let auth = Auth::from_fn(async |mut request| {
    ///     let mut value = http::HeaderValue::try_from(format!("Bearer {}", "fetched"))?;
    ///     value.set_sensitive(true);
    ///     request.headers.insert(http::header::AUTHORIZATION, value);
    ///     Ok(request)
    /// });
    /// ```
    pub fn from_fn<F, R>(hook: F) -> Self
    where
        F: Fn(OutgoingRequest) -> R + Send + Sync + 'static,
        R: Future<Output = Result<OutgoingRequest, BoxError>> + Send + 'static,
    {
        Self::hook(FromFn(hook))
    }

    /// Whether asking again can bring other credentials.
    pub(crate) fn source(&self) -> CredentialSource {
        match self.0 {
            Kind::Hook(_) => CredentialSource::Renewable,
            Kind::None | Kind::Bearer(_) => CredentialSource::Fixed,
        }
    }

    /// The header that every request will have, where that is known ahead.
    pub(crate) fn fixed(&self) -> Option<&HeaderValue> {
        match &self.0 {
            Kind::Bearer(value) => Some(value),
            Kind::None | Kind::Hook(_) => None,
        }
    }

    /// Adds the credentials; the hook's answer comes as a future.
    pub(crate) fn authorize(&self, mut request: OutgoingRequest) -> Authorized {
        match &self.0 {
            Kind::None => Authorized::Ready(Box::new(request)),
            Kind::Bearer(value) => {
                // A header that the caller set by hand wins.
                request.headers.entry(AUTHORIZATION).or_insert_with(|| value.clone());
                Authorized::Ready(Box::new(request))
            }
            Kind::Hook(credentials) => Authorized::Pending(credentials.authorize(request)),
        }
    }
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::None => "Auth::none",
            Kind::Bearer(_) => "Auth::bearer",
            Kind::Hook(_) => "Auth::hook",
        })
    }
}

/// A request that is about to be sent, for a hook to complete.
#[derive(Clone)]
#[non_exhaustive]
pub struct OutgoingRequest {
    /// The method.
    pub method: Method,
    /// Where it goes.
    pub uri: Uri,
    /// Its headers: add the credentials here, and mark their values as sensitive. Those that are marked, or whose
    /// names say that they are secret (`authorization`, `api-key`, …), are not shown when the service repeats them.
    pub headers: HeaderMap,
    /// Its body, for signatures.
    pub body: Bytes,
    /// Whether the service refused the credentials of the attempt before: the hook should not give the same again.
    pub credentials: CredentialNeed,
}

impl OutgoingRequest {
    /// A request as hooks get it at the first attempt: for tests of one's own hooks.
    pub fn new(method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Self {
        Self { method, uri, headers, body, credentials: CredentialNeed::Usual }
    }
}

impl fmt::Debug for OutgoingRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.keys().collect();
        f.debug_struct("OutgoingRequest").field("method", &self.method).field("headers", &names).finish_non_exhaustive()
    }
}

/// What a hook answers with: the completed request.
pub type AuthorizeFuture = Pin<Box<dyn Future<Output = Result<OutgoingRequest, BoxError>> + Send>>;

/// A source of credentials that is asked for every attempt.
pub trait Credentials: Send + Sync {
    /// Completes the request. An error ends the request with it, without a retry.
    ///
    /// The answer has as long as each other stage before the connection ([`Timeouts::connect`](crate::Timeouts), 10 s
    /// unless set otherwise): later than that, its future is dropped, and the request ends with
    /// [`FailureKind::Timeout`](crate::FailureKind::Timeout), without a retry. A hook that asks a person to sign in
    /// needs a longer one, or none.
    fn authorize(&self, request: OutgoingRequest) -> AuthorizeFuture;
}

impl<C: Credentials + ?Sized> Credentials for Arc<C> {
    fn authorize(&self, request: OutgoingRequest) -> AuthorizeFuture {
        (**self).authorize(request)
    }
}

/// A hook that is a closure.
struct FromFn<F>(F);

impl<F, R> Credentials for FromFn<F>
where
    F: Fn(OutgoingRequest) -> R + Send + Sync,
    R: Future<Output = Result<OutgoingRequest, BoxError>> + Send + 'static,
{
    fn authorize(&self, request: OutgoingRequest) -> AuthorizeFuture {
        Box::pin((self.0)(request))
    }
}

pub(crate) enum Authorized {
    Ready(Box<OutgoingRequest>),
    Pending(AuthorizeFuture),
}
