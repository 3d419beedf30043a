use super::{Credentials, ProxyUrl, parse};
use crate::proxy::ProxySettings;

/// The URL as it is shown, and user and password.
fn check(url: &str, shown: &str, credentials: Option<(&str, &str)>) {
    let proxy = parse(url).unwrap();
    assert_eq!(proxy.to_string(), shown, "{url}");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let found = proxy.credentials.as_ref().map(|Credentials { user, password }| (text(user), text(password)));
    assert_eq!(found, credentials.map(|(user, password)| (user.to_owned(), password.to_owned())), "{url}");
}

#[test]
fn a_url_is_taken_apart() {
    check("http://p.example:3128", "http://p.example:3128", None);
    check("p.example:3128", "http://p.example:3128", None);
    check("p.example", "http://p.example:80", None);
    check(" http://p.example/ ", "http://p.example:80", None);
    check("HTTPS://p.example/ignored?x#y", "https://p.example:443", None);
    check("socks5://[::1]", "socks5h://[::1]:1080", None);
    check("socks5h://10.0.0.1:9050", "socks5h://10.0.0.1:9050", None);
    check("http://p.example:", "http://p.example:80", None);
    check("http://@p.example", "http://p.example:80", None);
    check("http://u@p.example", "http://p.example:80", Some(("u", "")));
    check("u:p@p.example", "http://p.example:80", Some(("u", "p")));
    check("http://u%40corp:p%3a%2F%zz%4@p.example", "http://p.example:80", Some(("u@corp", "p:/%zz%4")));
    check("http://u:p@ss/w#rd:1@p.example:1", "http://p.example:1", Some(("u", "p@ss/w#rd:1")));
    check("socks5://u:p@p.example", "socks5h://p.example:1080", Some(("u", "p")));
}

#[test]
fn a_url_that_cannot_be_used_is_explained_and_not_repeated() {
    let scheme = "its scheme is none of http, https, socks5 and socks5h";
    let long = format!("socks5://secret:{}@p", "x".repeat(256));
    for (url, why) in [
        ("socks4://secret@p.example", scheme),
        ("ftp://p.example", scheme),
        ("://p.example", scheme),
        ("", "it has no valid host and port"),
        ("http://", "it has no valid host and port"),
        ("http://secret:secret@", "it has no valid host and port"),
        ("http://secret@p example", "it has no valid host and port"),
        ("http://p.example:70000", "its port is not a number from 1 to 65535"),
        ("http://p.example:0", "its port is not a number from 1 to 65535"),
        ("http://:8080", "it has no host"),
        ("socks5://secret@p", "user and password must have 1 to 255 bytes each"),
        (&long, "user and password must have 1 to 255 bytes each"),
    ] {
        let error = url.parse::<ProxyUrl>().unwrap_err();
        assert_eq!(error.to_string(), format!("cannot use the proxy URL: {why}"), "{url}");
        assert!(!format!("{error:?}").contains("secret"));
    }
}

#[test]
fn user_and_password_are_not_shown() {
    let url: ProxyUrl = "http://name:hidden@p.example".parse().unwrap();
    assert_eq!(
        format!("{url} {url:?} {:?}", url.0),
        "http://p.example:80 ProxyUrl(http://p.example:80) Proxy(http://p.example:80)"
    );
    let value = url.0.authorization().unwrap();
    assert_eq!(value, "Basic bmFtZTpoaWRkZW4=");
    assert!(value.is_sensitive());
    let masked = |url: &str, text: &str| url.parse::<ProxyUrl>().unwrap().0.credentials.as_ref().unwrap().masked(text);
    let text = "got bmFtZTpoaWRkZW4= (name:hidden), or hidden of name";
    assert_eq!(masked("name:hidden@p.example", text), "got [redacted] ([redacted]), or [redacted] of name");
    assert_eq!(masked("token7@p.example", "no token7"), "no [redacted]");
    assert_eq!(masked("name:pw@p.example", "no pw (name:pw)"), "no pw ([redacted])");
}

#[test]
fn urls_are_equal_that_mean_the_same() {
    let url = |text: &str| text.parse::<ProxyUrl>().unwrap();
    let check = |one: &str, other: &str, expected: bool| {
        assert_eq!(url(one) == url(other), expected, "{one} {other}");
        let settings = [url(one), url(other)].map(ProxySettings::from);
        assert_eq!(settings[0] == settings[1], expected, "{one} {other}");
    };
    check("p.example", "HTTP://p.example:80/path", true);
    check("socks5://p.example", "socks5h://p.example:1080", true);
    check("http://u%40:p@p.example", "u@:p@p.example", true);
    check("p.example", "p.example:81", false);
    check("p.example", "https://p.example:80", false);
    check("u:p@p.example", "u:q@p.example", false);
    check("u@p.example", "p.example", false);
    assert_ne!(ProxySettings::from(url("p.example")), ProxySettings::default());
    assert_eq!(url(&url("https://p.example").to_string()), url("https://p.example"));
}
