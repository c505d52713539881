//! Identifiers as Okta makes them, the same for the same seed.

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Draws identifiers and small choices from a seed (SplitMix64: no quality needed, only repetition).
#[derive(Debug, Clone)]
pub(super) struct Ids(u64);

impl Ids {
    pub(super) fn from_seed(seed: u64) -> Self {
        Self(seed)
    }

    pub(super) fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.draw() % n.max(1) as u64).unwrap_or(0)
    }

    /// `prefix` and letters and digits up to 20 characters, as in `0oarblaf7hWdLawNg1d7`.
    pub(super) fn okta(&mut self, prefix: &str) -> String {
        let mut id = self.letters(prefix, 16);
        id.extend(["1", "d", "7"]);
        id.truncate(20);
        id
    }

    /// Ids of requests, sessions and tokens: `prefix` and letters and digits up to `len - 1` characters.
    pub(super) fn letters(&mut self, prefix: &str, len: usize) -> String {
        let mut id = prefix.to_owned();
        while id.len() <= len {
            id.push(char::from(BASE62[self.below(62)]));
        }
        id
    }

    /// 32 hexadecimal digits, as a web request's id.
    pub(super) fn hex(&mut self) -> String {
        format!("{:016x}{:016x}", self.draw(), self.draw())
    }

    /// A UUID of version 4.
    pub(super) fn uuid(&mut self) -> String {
        let (a, b) = (self.draw(), self.draw());
        let (c, d) = (b >> 48, b & 0xffff_ffff_ffff);
        format!(
            "{:08x}-{:04x}-4{:03x}-{:04x}-{d:012x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xfff,
            0x8000 | (c & 0x3fff)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_look_like_oktas_and_repeat_with_the_seed() {
        let (mut one, mut same) = (Ids::from_seed(7), Ids::from_seed(7));
        let app = one.okta("0oa");
        assert_eq!(app, same.okta("0oa"));
        assert_eq!(app.len(), 20);
        assert_ne!(app, one.okta("0oa"));
        let uuid = one.uuid();
        assert_eq!((uuid.len(), uuid.as_bytes()[14]), (36, b'4'));
    }
}
