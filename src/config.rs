//! The configuration: files and environment, read once.
