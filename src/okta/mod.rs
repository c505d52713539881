//! Okta over HTTP.
