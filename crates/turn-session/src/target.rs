//! Where a request goes, and where it may be sent on to.

use std::{fmt, sync::Arc};

use http::Uri;

/// The URL of a request, taken apart once: clones share it. `Debug` shows neither user information nor the query, where
/// some services put their keys.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Target(Arc<Parts>);

#[derive(PartialEq, Eq, Default)]
struct Parts {
    url: String,
    /// `None` if the URL is none.
    uri: Option<Uri>,
    shown: String,
}

impl Target {
    /// An absolute URL.
    pub fn new(url: impl Into<String>) -> Self {
        let url = url.into();
        Self(Arc::new(Parts { uri: url.parse().ok(), shown: shown(&url), url }))
    }

    /// The URL as it has to be sent.
    pub fn as_str(&self) -> &str {
        &self.0.url
    }

    /// The same, taken apart; `None` if it is no URL.
    pub fn uri(&self) -> Option<&Uri> {
        self.0.uri.as_ref()
    }

    /// The URL as it may be shown: without user information, query and fragment. In what is no URL, nothing is shown
    /// that stands before an `@`.
    pub fn shown(&self) -> String {
        self.0.shown.clone()
    }

    /// The target of a redirect within the same origin (RFC 9110, section 10.2.2): the same scheme, host and port, so
    /// that credentials and the prompt stay where the caller sent them. `None` for every other. A relative reference is
    /// resolved as RFC 3986, section 5.2, has it.
    pub(crate) fn redirected(&self, location: &str) -> Option<Self> {
        let base = self.uri()?;
        let location = location.split('#').next().unwrap_or_default().trim();
        if location.is_empty() {
            return None;
        }
        let (scheme, authority) = (base.scheme_str()?, base.authority()?);
        // What stands before a colon is a scheme, unless a path or a query has begun (section 4.2).
        let has_scheme = location.split_once(':').is_some_and(|(scheme, _)| !scheme.contains(['/', '?']));
        let url = if has_scheme {
            location.to_owned()
        } else if location.starts_with("//") {
            format!("{scheme}:{location}")
        } else if location.starts_with('/') {
            format!("{scheme}://{authority}{location}")
        } else if location.starts_with('?') {
            format!("{scheme}://{authority}{}{location}", base.path())
        } else {
            let folder = &base.path()[..=base.path().rfind('/')?];
            format!("{scheme}://{authority}{folder}{location}")
        };
        let url = without_dot_segments(&url);
        let next: Uri = url.parse().ok()?;
        let origin = |uri: &Uri| {
            let scheme = uri.scheme_str()?.to_ascii_lowercase();
            let authority = uri.authority()?;
            let default = if scheme == "https" { 443 } else { 80 };
            let no_user = !authority.as_str().contains('@');
            no_user.then(|| (scheme, authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(default)))
        };
        (origin(base).is_some() && origin(base) == origin(&next)).then(|| Self::new(url))
    }
}

/// An absolute URL whose path has no segments `.` and `..` any more (RFC 3986, section 5.2.4).
fn without_dot_segments(url: &str) -> String {
    let path_end = url.find('?').unwrap_or(url.len());
    let authority = url.find("://").map_or(0, |at| at + 3);
    let Some(path_start) = url[..path_end].get(authority..).and_then(|rest| rest.find('/')) else {
        return url.to_owned();
    };
    let (before, rest) = url.split_at(authority + path_start);
    let (path, query) = rest.split_at(path_end - before.len());
    let mut kept: Vec<&str> = Vec::new();
    let mut segments = path[1..].split('/').peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            _ => {
                kept.push(segment);
                continue;
            }
        }
        // What stood for a folder leaves its slash.
        if is_last {
            kept.push("");
        }
    }
    format!("{before}/{}{query}", kept.join("/"))
}

fn shown(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    let url = &url[..end];
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(_, rest)| url.split_at(url.len() - rest.len()));
    // A password may hold a slash, which ends the authority where nobody meant it to end.
    let authority_end = if is_url(url) { rest.find('/').unwrap_or(rest.len()) } else { rest.len() };
    let secret = rest[..authority_end].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[secret..])
}

/// Whether a text has the parts of an absolute URL, a port that can be one among them.
fn is_url(text: &str) -> bool {
    let uri = text.parse::<Uri>().ok();
    uri.as_ref().and_then(Uri::authority).is_some_and(|authority| {
        let (_, host_and_port) = authority.as_str().rsplit_once('@').unwrap_or(("", authority.as_str()));
        host_and_port
            .strip_prefix(authority.host())
            .is_some_and(|port| port.len() <= 1 || authority.port_u16().is_some())
    })
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0.shown, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(location: &str, expected: Option<&str>) {
        let target = Target::new("https://host.example/v1/responses?key=secret");
        assert_eq!(target.redirected(location).as_ref().map(Target::as_str), expected, "{location}");
    }

    #[test]
    fn redirects_stay_within_the_origin() {
        check("https://host.example/v2/responses", Some("https://host.example/v2/responses"));
        check("https://HOST.example:443/x#part", Some("https://HOST.example:443/x"));
        check("//host.example/x", Some("https://host.example/x"));
        check("/x?y=1", Some("https://host.example/x?y=1"));
        check("other", Some("https://host.example/v1/other"));
        check("./a:b", Some("https://host.example/v1/a:b"));
        check("?at=a:b", Some("https://host.example/v1/responses?at=a:b"));
        check("?region=2", Some("https://host.example/v1/responses?region=2"));
        check("/x?from=http://other.example/../y", Some("https://host.example/x?from=http://other.example/../y"));
        for elsewhere in [
            "http://host.example/v1/responses",
            "https://host.example:444/x",
            "https://other.example/x",
            "//other.example/x",
            "https://me@host.example/x",
            "https://host.example@other.example/x",
            "ftp://host.example/x",
            "javascript:alert(1)",
            "mailto:me@host.example",
            "https:/x",
            "",
            "https://",
        ] {
            check(elsewhere, None);
        }
    }

    /// The examples of RFC 3986, section 5.4, whose base is `/b/c/d;p?q`, as far as they stay within the origin.
    #[test]
    fn dot_segments_lead_where_the_standard_says() {
        let target = Target::new("http://a/b/c/d;p?q");
        for (location, path) in [
            ("g", "/b/c/g"),
            ("./g", "/b/c/g"),
            ("g/", "/b/c/g/"),
            ("/g", "/g"),
            ("?y", "/b/c/d;p?y"),
            ("g?y", "/b/c/g?y"),
            (";x", "/b/c/;x"),
            (".", "/b/c/"),
            ("./", "/b/c/"),
            ("..", "/b/"),
            ("../", "/b/"),
            ("../g", "/b/g"),
            ("../..", "/"),
            ("../../g", "/g"),
            ("../../../g", "/g"),
            ("../../../../g", "/g"),
            ("/./g", "/g"),
            ("/../g", "/g"),
            ("g.", "/b/c/g."),
            (".g", "/b/c/.g"),
            ("g..", "/b/c/g.."),
            ("..g", "/b/c/..g"),
            ("./../g", "/b/g"),
            ("./g/.", "/b/c/g/"),
            ("g/./h", "/b/c/g/h"),
            ("g/../h", "/b/c/h"),
            ("g;x=1/../y", "/b/c/y"),
            ("g?y/../x", "/b/c/g?y/../x"),
            ("g//../h", "/b/c/g/h"),
            ("http://a/b/../c", "/c"),
            ("http://a", ""),
        ] {
            let next = target.redirected(location);
            assert_eq!(next.as_ref().map(Target::as_str), Some(format!("http://a{path}").as_str()), "{location}");
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        for (url, shown) in [
            ("https://me:pw@host.example/v1?key=secret#x", "https://host.example/v1"),
            ("https://host.example:8080/@team/v1", "https://host.example:8080/@team/v1"),
            ("http://[::1]:80", "http://[::1]:80"),
            ("https://me@host.example:/v1", "https://host.example:/v1"),
            ("host.example/v1", "host.example/v1"),
            ("me:pw@host.example/v1", "host.example/v1"),
            ("https://me:p/w@host.example/v1", "https://host.example/v1"),
            ("https://me:p w@host.example/v1", "https://host.example/v1"),
            ("", ""),
        ] {
            assert_eq!(format!("{:?}", Target::new(url)), format!("{shown:?}"));
        }
    }
}
