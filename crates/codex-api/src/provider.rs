//! Which service is asked.

use std::fmt;

use http::Uri;
use turn_session::Target;

use crate::{Error, endpoint::Endpoint};

/// A service: where its API is. `Debug` hides the query, where some services put their keys.
#[derive(Clone, PartialEq, Eq)]
pub struct Provider {
    origin: String,
    path: String,
    query: Option<String>,
}

impl Provider {
    /// OpenAI's public endpoint.
    pub fn openai() -> Self {
        Self { origin: "https://api.openai.com".into(), path: "/v1".into(), query: None }
    }

    /// A service by its base URL, `http(s)://host[:port]/path`, to which `/responses` or `/chat/completions` is
    /// added. A query (`?api-version=…`) stays behind the path.
    ///
    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when the URL has another scheme, no host, the path
    /// of an endpoint already, or user information, which belongs into [`Auth`](crate::Auth).
    pub fn new(base_url: &str) -> Result<Self, Error> {
        let base_url = base_url.trim();
        let without_fragment = base_url.split('#').next().unwrap_or_default();
        let wrong = |why: &str| Error::config(format!("the base URL {:?} {why}", Target::new(base_url).shown()));
        let uri: Uri = without_fragment.parse().map_err(|cause| wrong("is no URL").with_source(cause))?;
        let (Some(scheme @ ("http" | "https")), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong("must be of the form http(s)://host/path"));
        };
        if authority.as_str().contains('@') {
            return Err(wrong("must not hold user information"));
        }
        if authority.host().is_empty() {
            return Err(wrong("has no host"));
        }
        let behind_host = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if behind_host.len() > 1 && authority.port_u16().is_none_or(|port| port == 0) {
            return Err(wrong("has a port that is none (1 to 65535)"));
        }
        let path = uri.path().trim_end_matches('/');
        if let Some(endpoint) = Endpoint::ALL.iter().map(|endpoint| endpoint.path()).find(|known| path.ends_with(known))
        {
            return Err(wrong(&format!("ends with {endpoint}, which is added to it")));
        }
        Ok(Self {
            origin: format!("{scheme}://{authority}"),
            path: path.to_owned(),
            query: uri.query().map(str::to_owned),
        })
    }

    /// The URL of an endpoint, with the query of the base URL.
    pub(crate) fn url(&self, endpoint: Endpoint) -> String {
        let query = self.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{}{}{query}", self.origin, self.path, endpoint.path())
    }

    /// Whether the URL of an endpoint can be one.
    pub(crate) fn check(&self, endpoint: Endpoint) -> Result<(), Error> {
        let url: Result<Uri, _> = self.url(endpoint).parse();
        url.map(drop).map_err(|cause| Error::config("the endpoint is no URL").with_source(cause))
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, path, query } = self;
        let query = if query.is_some() { "?[redacted]" } else { "" };
        write!(f, "Provider({origin}{path}{query})")
    }
}

#[cfg(test)]
mod tests {
    use crate::Wire;

    use super::*;

    #[track_caller]
    fn check(base_url: &str, expected: Result<&str, &str>) {
        let endpoint = Provider::new(base_url).and_then(|provider| {
            provider.check(Endpoint::of(Wire::Responses)).map(|()| provider.url(Endpoint::of(Wire::Responses)))
        });
        match (endpoint, expected) {
            (Ok(endpoint), Ok(expected)) => assert_eq!(endpoint, expected),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (seen, _) => panic!("{base_url}: {seen:?}"),
        }
    }

    #[test]
    fn base_urls_become_endpoints_or_say_what_is_wrong() {
        check("http://127.0.0.1:8080/v1", Ok("http://127.0.0.1:8080/v1/responses"));
        check(" https://host/v1/ ", Ok("https://host/v1/responses"));
        check("https://host", Ok("https://host/responses"));
        check("https://host/p?api-version=1#x", Ok("https://host/p/responses?api-version=1"));
        check("host/v1", Err(r#"the base URL "host/v1" is no URL"#));
        check("ftp://host/", Err(r#"the base URL "ftp://host/" must be of the form http(s)://host/path"#));
        check("https://me:pw@host/", Err(r#"the base URL "https://host/" must not hold user information"#));
        check("me:pw@host/v1", Err(r#"the base URL "host/v1" is no URL"#));
        check("https://host/@me/v1", Ok("https://host/@me/v1/responses"));
        check("http://[::1]:80/v1", Ok("http://[::1]:80/v1/responses"));
        for port in ["99999", "0"] {
            let url = format!("http://host:{port}/v1");
            check(&url, Err(&format!("the base URL \"{url}\" has a port that is none (1 to 65535)")));
        }
        check("", Err(r#"the base URL "" is no URL"#));
        for endpoint in ["/responses", "/chat/completions", "/responses/compact"] {
            let url = format!("https://host/v1{endpoint}");
            let expected = format!("the base URL \"{url}\" ends with {endpoint}, which is added to it");
            check(&url, Err(&expected));
            check(&format!("{url}/?api-version=1"), Err(&expected.replace(&url, &format!("{url}/"))));
        }
        check("https://host/my-responses", Ok("https://host/my-responses/responses"));
    }
}
