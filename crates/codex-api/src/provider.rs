//! Which service is asked.

use std::{ffi::OsString, fmt, str::FromStr};

use http::Uri;
use turn_session::Target;

use crate::{Error, endpoint::Endpoint};

/// Where a program that does not say otherwise finds its service.
const BASE_URL: &str = "OPENAI_BASE_URL";

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

    /// The service whose base URL is in the environment variable `OPENAI_BASE_URL`; OpenAI's public endpoint where the
    /// variable is not set or empty.
    ///
    /// Errors as [`new`](Self::new), naming the variable.
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variable(std::env::var_os(BASE_URL))
    }

    fn from_variable(value: Option<OsString>) -> Result<Self, Error> {
        let Some(value) = value.filter(|value| !value.is_empty()) else { return Ok(Self::openai()) };
        let Some(base_url) = value.to_str() else {
            return Err(Error::config(format!("{BASE_URL}: the value is not Unicode text")));
        };
        Self::new(base_url).map_err(|error| Error::config(format!("{BASE_URL}: {}", error.message())))
    }

    /// A service by its base URL, `http(s)://host[:port]/path`, to which `/responses` or `/chat/completions` is
    /// added. A query (`?api-version=…`) stays behind the path.
    ///
    /// Errors with [`FailureKind::Config`](crate::FailureKind::Config) when the URL has another scheme, no host, the
    /// path of an endpoint already, or user information, which belongs into [`Auth`](crate::Auth).
    pub fn new(base_url: &str) -> Result<Self, Error> {
        let base_url = base_url.trim();
        let without_fragment = base_url.split('#').next().unwrap_or_default();
        let wrong = |why: &str| Error::config(format!("the base URL {:?} {why}", Target::new(base_url).shown()));
        let uri: Uri = without_fragment
            .parse()
            .map_err(|cause| wrong("is no URL of the form http(s)://host/path").with_source(cause))?;
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

    /// Adds a parameter to the query of every request; both parts are escaped. A value may be a key: what is shown of a
    /// URL has no query.
    #[must_use]
    pub fn query(mut self, name: &str, value: &str) -> Self {
        let query = self.query.get_or_insert_default();
        if !query.is_empty() {
            query.push('&');
        }
        escape(name, query);
        query.push('=');
        escape(value, query);
        self
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

impl FromStr for Provider {
    type Err = Error;

    /// As [`new`](Self::new).
    fn from_str(base_url: &str) -> Result<Self, Error> {
        Self::new(base_url)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, path, query } = self;
        let query = if query.is_some() { "?[redacted]" } else { "" };
        write!(f, "Provider({origin}{path}{query})")
    }
}

/// Adds text to a query, escaped but for what is reserved for nothing (RFC 3986, section 2.3).
fn escape(text: &str, query: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            query.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(b"0123456789ABCDEF"[usize::from(half)]);
            query.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Wire;

    use super::*;

    #[track_caller]
    fn check(base_url: &str, expected: Result<&str, &str>) {
        let endpoint = base_url.parse::<Provider>().and_then(|provider| {
            provider.check(Endpoint::of(Wire::Responses)).map(|()| provider.url(Endpoint::of(Wire::Responses)))
        });
        match (endpoint, expected) {
            (Ok(endpoint), Ok(expected)) => assert_eq!(endpoint, expected),
            (Err(error), Err(expected)) => assert_eq!(error.to_string(), expected),
            (seen, _) => panic!("{base_url}: {seen:?}"),
        }
    }

    #[test]
    fn the_environment_names_the_service_or_leaves_the_public_one() {
        let url = |value: Option<&str>| {
            let provider = Provider::from_variable(value.map(OsString::from));
            provider.map(|it| it.url(Endpoint::of(Wire::Chat))).map_err(|error| error.to_string())
        };
        let public = Ok("https://api.openai.com/v1/chat/completions".to_owned());
        assert_eq!((url(None), url(Some(""))), (public.clone(), public));
        assert_eq!(url(Some("http://[::1]:1/v1")), Ok("http://[::1]:1/v1/chat/completions".to_owned()));
        assert_eq!(
            url(Some("here")),
            Err(r#"OPENAI_BASE_URL: the base URL "here" must be of the form http(s)://host/path"#.to_owned())
        );
    }

    #[test]
    fn parameters_are_escaped_and_follow_those_of_the_url() {
        let url = |base_url: &str| {
            let provider = Provider::new(base_url).unwrap().query("api-version", "2025 01/ü").query("a&b", "c=d+e?#%~");
            provider.check(Endpoint::of(Wire::Responses)).unwrap();
            provider.url(Endpoint::of(Wire::Responses))
        };
        let query = "api-version=2025%2001%2F%C3%BC&a%26b=c%3Dd%2Be%3F%23%25~";
        assert_eq!(url("https://host/v1"), format!("https://host/v1/responses?{query}"));
        assert_eq!(url("https://host/v1?x=1"), format!("https://host/v1/responses?x=1&{query}"));
        assert_eq!(url("https://host/v1?"), format!("https://host/v1/responses?{query}"));
    }

    #[test]
    fn base_urls_become_endpoints_or_say_what_is_wrong() {
        check("http://127.0.0.1:8080/v1", Ok("http://127.0.0.1:8080/v1/responses"));
        check(" https://host/v1/ ", Ok("https://host/v1/responses"));
        check("https://host", Ok("https://host/responses"));
        check("https://host/p?api-version=1#x", Ok("https://host/p/responses?api-version=1"));
        check("host/v1", Err(r#"the base URL "host/v1" is no URL of the form http(s)://host/path"#));
        check("ftp://host/", Err(r#"the base URL "ftp://host/" must be of the form http(s)://host/path"#));
        check("https://me:pw@host/", Err(r#"the base URL "https://host/" must not hold user information"#));
        check("me:pw@host/v1", Err(r#"the base URL "host/v1" is no URL of the form http(s)://host/path"#));
        check("https://host/@me/v1", Ok("https://host/@me/v1/responses"));
        check("http://[::1]:80/v1", Ok("http://[::1]:80/v1/responses"));
        for port in ["99999", "0"] {
            let url = format!("http://host:{port}/v1");
            check(&url, Err(&format!("the base URL \"{url}\" has a port that is none (1 to 65535)")));
        }
        check("", Err(r#"the base URL "" is no URL of the form http(s)://host/path"#));
        for endpoint in ["/responses", "/chat/completions", "/responses/compact"] {
            let url = format!("https://host/v1{endpoint}");
            let expected = format!("the base URL \"{url}\" ends with {endpoint}, which is added to it");
            check(&url, Err(&expected));
            check(&format!("{url}/?api-version=1"), Err(&expected.replace(&url, &format!("{url}/"))));
        }
        check("https://host/my-responses", Ok("https://host/my-responses/responses"));
    }
}
