use super::NoProxy;
use crate::target::Target;

/// `list`, a target, and whether that is reached directly.
const TABLE: &[(&str, &str, bool)] = &[
    ("", "http://a.example", false),
    (",, ,", "http://a.example", false),
    ("*", "http://a.example", true),
    ("*", "http://10.0.0.1", true),
    ("x, *", "https://[::1]:8443", true),
    // Names and what is below them.
    ("a.example", "http://a.example", true),
    ("a.example", "https://a.example:8443", true),
    ("a.example", "wss://a.example", true),
    ("A.Example", "http://a.eXample", true),
    ("a.example", "http://b.a.example", true),
    ("a.example", "http://ba.example", false),
    ("a.example", "http://example", false),
    ("a.example", "http://a.example.org", false),
    (".example", "http://a.example", true),
    (".a.example", "http://a.example", true),
    (".a.example", "http://xa.example", false),
    ("*.a.example", "http://b.a.example", true),
    ("*.a.example", "http://a.example", true),
    ("a.example.", "http://a.example", true),
    ("a.example", "http://a.example.", true),
    ("localhost", "http://localhost:3000", true),
    ("localhost", "http://127.0.0.1", false),
    (".", "http://a.example", false),
    ("*.", "http://a.example", false),
    // Lists.
    ("x.example,a.example", "http://a.example", true),
    ("x.example, a.example ,y", "http://a.example", true),
    ("x.example a.example", "http://a.example", true),
    ("x.example;a.example", "http://a.example", true),
    ("x.example,y.example", "http://a.example", false),
    // Ports.
    ("a.example:8080", "http://a.example:8080", true),
    ("a.example:8080", "http://b.a.example:8080", true),
    ("a.example:8080", "http://a.example", false),
    ("a.example:443", "https://a.example", true),
    ("a.example:443", "wss://a.example", true),
    ("a.example:80", "https://a.example", false),
    ("a.example:x", "http://a.example", false),
    ("*:8080", "http://a.example:8080", true),
    ("*:8080", "http://a.example:8081", false),
    ("10.0.0.1:8080", "http://10.0.0.1:8080", true),
    ("10.0.0.1:8080", "http://10.0.0.1:8081", false),
    ("[::1]:8080", "http://[::1]:8080", true),
    ("[::1]:8080", "http://[::1]", false),
    // Addresses.
    ("127.0.0.1", "http://127.0.0.1:8080", true),
    ("127.0.0.1", "http://127.0.0.2", false),
    ("127.0.0.1", "http://x.127.0.0.1.example", false),
    ("0.0.1", "http://127.0.0.1", false),
    ("::1", "http://[::1]", true),
    ("[::1]", "http://[::1]:1", true),
    ("::1", "http://[::2]", false),
    ("0:0:0:0:0:0:0:1", "http://[::1]", true),
    ("::ffff:10.0.0.1", "http://10.0.0.1", true),
    ("10.0.0.1", "http://[::ffff:10.0.0.1]", true),
    // Networks.
    ("10.0.0.0/8", "http://10.255.0.1", true),
    ("10.0.0.0/8", "http://11.0.0.1", false),
    ("10.1.2.3/8", "http://10.9.9.9", true),
    ("192.168.4.0/22", "http://192.168.7.255", true),
    ("192.168.4.0/22", "http://192.168.8.0", false),
    ("10.0.0.1/32", "http://10.0.0.1", true),
    ("10.0.0.1/32", "http://10.0.0.0", false),
    ("0.0.0.0/0", "http://1.2.3.4", true),
    ("0.0.0.0/0", "http://[::1]", false),
    ("::/0", "http://[::1]", true),
    ("10.0.0.0/33", "http://10.0.0.0", false),
    ("10.0.0.0/x", "http://10.0.0.0", false),
    ("10.0.0.0/8", "http://ten.example", false),
    ("fd00::/8", "http://[fd12::1]", true),
    ("[fd00::]/8", "http://[fd12::1]", true),
    ("fd00::/8", "http://[fe80::1]", false),
    ("fd00::/129", "http://[fd00::]", false),
    ("10.0.0.0/8:8080", "http://10.0.0.1:8080", true),
    ("10.0.0.0/8:8080", "http://10.0.0.1", false),
    ("http://a.example", "http://a.example", false),
];

#[test]
fn the_exceptions_are_what_people_mean_by_them() {
    for (list, uri, direct) in TABLE {
        let target = Target::parse(&uri.parse().unwrap()).unwrap();
        assert_eq!(NoProxy::parse(list).matches(&target.endpoint), *direct, "{list:?} {uri}");
    }
}
