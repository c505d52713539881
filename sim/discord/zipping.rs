//! Transport compression: one zlib stream for all that a connection is sent.
//!
//! Source: Discord developer documentation, "Gateway", "Transport Compression".

use axum::extract::ws::Message;
use flate2::{Compress, CompressError, Compression, FlushCompress};

/// What a connection's frames become on the wire.
pub(super) enum Wrapping {
    /// Text, as it is.
    Plain,
    /// `compress=zlib-stream`: binary, each frame flushed, all of one stream.
    Zlib(Box<Compress>),
}

impl Wrapping {
    /// What the query asks for; `None` if that is not spoken here.
    pub(super) fn asked_for(compress: Option<&str>) -> Option<Self> {
        match compress {
            None => Some(Self::Plain),
            Some("zlib-stream") => Some(Self::Zlib(Box::new(Compress::new(Compression::fast(), true)))),
            Some(_) => None,
        }
    }

    /// The frame for this text.
    pub(super) fn wrap(&mut self, text: String) -> Result<Message, CompressError> {
        match self {
            Self::Plain => Ok(Message::text(text)),
            Self::Zlib(stream) => Ok(Message::binary(flushed(stream, text.as_bytes())?)),
        }
    }
}

/// What the stream has to say up to the end of these bytes.
fn flushed(stream: &mut Compress, bytes: &[u8]) -> Result<Vec<u8>, CompressError> {
    let mut out = Vec::with_capacity(bytes.len() / 2 + 64);
    let mut rest = bytes;
    loop {
        let before = stream.total_in();
        stream.compress_vec(rest, &mut out, FlushCompress::Sync)?;
        let taken = usize::try_from(stream.total_in() - before).unwrap_or(rest.len());
        rest = &rest[taken..];
        // As long as the room was used up there may be more.
        if rest.is_empty() && out.len() < out.capacity() {
            return Ok(out);
        }
        out.reserve(bytes.len() + 64);
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Decompress, FlushDecompress};

    use super::*;

    #[test]
    fn frames_of_a_connection_are_one_stream_and_each_ends_flushed() {
        let mut stream = Compress::new(Compression::fast(), true);
        let mut reader = Decompress::new(true);
        let noise: String =
            (0..5000u64).map(|i| format!("{:x}", i.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
        for text in ["{\"op\":10}", &noise, "{\"op\":11}"] {
            let frame = flushed(&mut stream, text.as_bytes()).unwrap();
            assert!(frame.ends_with(&[0, 0, 0xFF, 0xFF]), "{text:.20} is not flushed");
            let mut read = Vec::with_capacity(text.len() + 1);
            reader.decompress_vec(&frame, &mut read, FlushDecompress::Sync).unwrap();
            assert_eq!(read, text.as_bytes());
        }
    }
}
