//! Where a request goes, and where it may be sent on to.

use std::fmt;

use http::Uri;

/// The URL of a request. `Debug` shows neither user information nor the query, where some services put their keys.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Target(String);

impl Target {
    /// An absolute URL.
    pub fn new(url: impl Into<String>) -> Self {
        Self(url.into())
    }

    /// The URL as it has to be sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The URL as it may be shown.
    pub fn shown(&self) -> String {
        let end = self.0.find(['?', '#']).unwrap_or(self.0.len());
        let url = &self.0[..end];
        match url.split_once("://") {
            Some((scheme, rest)) => {
                let authority_end = rest.find('/').unwrap_or(rest.len());
                let host = rest[..authority_end].rsplit('@').next().unwrap_or_default();
                format!("{scheme}://{host}{}", &rest[authority_end..])
            }
            None => url.to_owned(),
        }
    }

    /// The target of a redirect within the same origin (RFC 9110, section 10.2.2): the same scheme, host and port, so
    /// that credentials and the prompt stay where the caller sent them. `None` for every other.
    pub(crate) fn redirected(&self, location: &str) -> Option<Self> {
        let base: Uri = self.0.parse().ok()?;
        let location = location.split('#').next().unwrap_or_default().trim();
        if location.is_empty() {
            return None;
        }
        let (scheme, authority) = (base.scheme_str()?, base.authority()?);
        let url = if location.contains("://") {
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
        let next: Uri = url.parse().ok()?;
        let origin = |uri: &Uri| {
            let scheme = uri.scheme_str()?.to_ascii_lowercase();
            let authority = uri.authority()?;
            let default = if scheme == "https" { 443 } else { 80 };
            let no_user = !authority.as_str().contains('@');
            no_user.then(|| (scheme, authority.host().to_ascii_lowercase(), authority.port_u16().unwrap_or(default)))
        };
        (origin(&base).is_some() && origin(&base) == origin(&next)).then_some(Self(url))
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.shown(), f)
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
        check("?region=2", Some("https://host.example/v1/responses?region=2"));
        for elsewhere in [
            "http://host.example/v1/responses",
            "https://host.example:444/x",
            "https://other.example/x",
            "//other.example/x",
            "https://me@host.example/x",
            "https://host.example@other.example/x",
            "ftp://host.example/x",
            "",
            "https://",
        ] {
            check(elsewhere, None);
        }
    }

    #[test]
    fn what_is_shown_holds_no_secret() {
        let target = Target::new("https://me:pw@host.example/v1?key=secret#x");
        assert_eq!(format!("{target:?}"), "\"https://host.example/v1\"");
    }
}
