//! The opening handshake, as heads.

use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Version};
use ws_codec::{ClientHandshake, HandshakeError, ServerHandshake};

const ENTROPY: [u8; 16] = *b"the sample nonce";

/// A head with these changes: a value replaces, an empty one removes, `+` in front adds.
fn changed(mut headers: HeaderMap, changes: &[(&'static str, &'static str)]) -> HeaderMap {
    for (name, value) in changes {
        let name = HeaderName::from_static(name);
        match (value.strip_prefix('+'), *value) {
            (Some(value), _) => _ = headers.append(name, HeaderValue::from_static(value)),
            (None, "") => _ = headers.remove(name),
            (None, value) => _ = headers.insert(name, HeaderValue::from_static(value)),
        }
    }
    headers
}

#[track_caller]
fn check_response(changes: &[(&'static str, &'static str)], expected: Result<(), HandshakeError>) {
    let client = ClientHandshake::new(ENTROPY);
    let server = ServerHandshake::verify(&Method::GET, Version::HTTP_11, &client.headers()).unwrap();
    let response = changed(server.headers(), changes);
    assert_eq!(client.verify(Version::HTTP_11, StatusCode::SWITCHING_PROTOCOLS, &response), expected);
}

#[track_caller]
fn check_request(
    method: &Method,
    changes: &[(&'static str, &'static str)],
    expected: Result<(), (HandshakeError, u16)>,
) {
    let request = changed(ClientHandshake::new(ENTROPY).headers(), changes);
    let found = ServerHandshake::verify(method, Version::HTTP_11, &request);
    assert_eq!(found.map(|_| ()).map_err(|error| (error, error.refusal().as_u16())), expected);
}

#[test]
fn a_response_is_accepted_in_any_order_and_case() {
    check_response(&[], Ok(()));
    check_response(&[("connection", "keep-alive, Upgrade")], Ok(()));
    check_response(&[("connection", "UPGRADE , keep-alive")], Ok(()));
    check_response(&[("connection", "keep-alive"), ("connection", "+upgrade")], Ok(()));
    check_response(&[("upgrade", "WebSocket")], Ok(()));
    // A list of nothing (RFC 9110, section 5.6.1).
    for nothing in ["+", "+ , ,"] {
        check_response(&[("sec-websocket-extensions", nothing), ("sec-websocket-protocol", nothing)], Ok(()));
    }
}

#[test]
fn a_response_that_is_no_answer_is_refused() {
    for changes in [&[("connection", "")][..], &[("connection", "keep-alive")], &[("connection", "upgraded")]] {
        check_response(changes, Err(HandshakeError::Connection));
    }
    for changes in [&[("upgrade", "")][..], &[("upgrade", "h2c")]] {
        check_response(changes, Err(HandshakeError::Upgrade));
    }
    for value in ["", "s3pPLMBiTxaQ9kYGzzhZRbK+xOO=", "S3PPLMBITXAQ9KYGZZHZRBK+XOO=", "+s3pPLMBiTxaQ9kYGzzhZRbK+xOo="] {
        check_response(&[("sec-websocket-accept", value)], Err(HandshakeError::AcceptKey));
    }
    check_response(&[("sec-websocket-extensions", "permessage-deflate")], Err(HandshakeError::Extension));
    check_response(
        &[("sec-websocket-extensions", "+"), ("sec-websocket-extensions", "+x")],
        Err(HandshakeError::Extension),
    );
    check_response(&[("sec-websocket-protocol", "chat")], Err(HandshakeError::Subprotocol));
}

#[test]
fn a_subprotocol_is_accepted_if_it_was_offered() {
    let request = |values: &[&'static str]| {
        values.iter().map(|value| (http::header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(value))).collect()
    };
    for (offered, chosen, is_one) in [
        (&["realtime, x.y"][..], &["realtime"][..], true),
        (&["realtime, x.y"], &["x.y"], true),
        (&["realtime", "x.y"], &[" x.y "], true),
        (&["realtime"], &[], true),
        (&["realtime"], &["Realtime"], false),
        (&["realtime, x.y"], &["realtime, x.y"], false),
        (&["realtime"], &["realtime", "realtime"], false),
        (&["realtime"], &["x.y"], false),
        (&[], &["realtime"], false),
    ] {
        let client = ClientHandshake::new(ENTROPY).offering(&request(offered));
        let mut answer = ServerHandshake::verify(&Method::GET, Version::HTTP_11, &client.headers()).unwrap().headers();
        answer.extend(request(chosen));
        let expected = if is_one { Ok(()) } else { Err(HandshakeError::Subprotocol) };
        let found = client.verify(Version::HTTP_11, StatusCode::SWITCHING_PROTOCOLS, &answer);
        assert_eq!(found, expected, "{chosen:?} of {offered:?}");
    }
}

#[test]
fn only_a_101_of_http_1_1_is_an_upgrade() {
    let client = ClientHandshake::new(ENTROPY);
    let headers = ServerHandshake::verify(&Method::GET, Version::HTTP_11, &client.headers()).unwrap().headers();
    for status in [StatusCode::OK, StatusCode::UNAUTHORIZED, StatusCode::UPGRADE_REQUIRED] {
        let refused = client.verify(Version::HTTP_11, status, &headers).unwrap_err();
        assert_eq!(refused, HandshakeError::Status(status));
    }
    for version in [Version::HTTP_10, Version::HTTP_2] {
        let refused = client.verify(version, StatusCode::SWITCHING_PROTOCOLS, &headers).unwrap_err();
        assert_eq!(refused, HandshakeError::HttpVersion(version));
        assert!(ServerHandshake::verify(&Method::GET, version, &client.headers()).is_err());
    }
}

#[test]
fn a_request_is_checked_and_refused_with_the_right_status() {
    let get = &Method::GET;
    check_request(get, &[], Ok(()));
    check_request(get, &[("connection", "keep-alive, Upgrade"), ("upgrade", "h2c, WebSocket")], Ok(()));
    check_request(
        get,
        &[("sec-websocket-extensions", "permessage-deflate"), ("sec-websocket-protocol", "chat")],
        Ok(()),
    );
    check_request(&Method::POST, &[], Err((HandshakeError::Method, 405)));
    check_request(get, &[("upgrade", "")], Err((HandshakeError::Upgrade, 426)));
    check_request(get, &[("connection", "close")], Err((HandshakeError::Connection, 400)));
    check_request(get, &[("sec-websocket-version", "8")], Err((HandshakeError::Version, 426)));
    for key in ["", "c2hvcnQ=", "not base64", "+dGhlIHNhbXBsZSBub25jZQ=="] {
        check_request(get, &[("sec-websocket-key", key)], Err((HandshakeError::Key, 400)));
    }
}
