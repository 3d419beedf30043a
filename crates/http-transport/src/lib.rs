//! A small HTTP client for long streamed answers: dial, TLS, one request, a body polled in place.
