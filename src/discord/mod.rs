//! Discord over HTTP and its gateway.
