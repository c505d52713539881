//! The audit: append-only, each entry with the hash of the one before, so that an edit, a deletion or a reordering
//! is found. It holds ids, no names.

use jiff::Timestamp;
use ring::digest::{SHA256, digest as sha256};

use crate::ids::{AppId, MemberId, OrgName, UserId};
use crate::request::RequestNumber;

/// The hash that the first entry follows on.
pub const BEGINNING: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// What happened, for example `request.approved`.
    pub what: String,
    /// Who did it; `None` for Provost itself.
    pub member: Option<MemberId>,
    /// The person that member is linked to.
    pub person: Option<UserId>,
    /// The org.
    pub org: Option<OrgName>,
    /// The app.
    pub app: Option<AppId>,
    /// The request.
    pub request: Option<RequestNumber>,
    /// Its hash.
    pub request_hash: String,
    /// The state before.
    pub before: String,
    /// The state after.
    pub after: String,
    /// Why, in somebody's words. From outside.
    pub reason: String,
    /// Okta's id of the request that wrote.
    pub okta_request: String,
    /// The event that proves it.
    pub event: String,
    /// How it ended.
    pub outcome: String,
}

/// One entry of the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its place, from 1, without a gap.
    pub number: i64,
    /// When, by our clock.
    pub at: Timestamp,
    /// What was written down.
    pub draft: Draft,
    /// The hash of the entry before.
    pub previous: String,
    /// Its own hash.
    pub hash: String,
}

impl Entry {
    /// The entry that follows on `previous` (number and hash; 0 and [`BEGINNING`] for the first).
    pub fn following(previous: (i64, &str), draft: Draft, at: Timestamp) -> Self {
        let (number, previous) = (previous.0 + 1, previous.1.to_owned());
        let hash = hash(number, at, &draft, &previous);
        Self { number, at, draft, previous, hash }
    }

    /// Whether its hash is that of what it holds.
    pub fn is_whole(&self) -> bool {
        self.hash == hash(self.number, self.at, &self.draft, &self.previous)
    }
}

fn hash(number: i64, at: Timestamp, draft: &Draft, previous: &str) -> String {
    let text = |of: Option<String>| of.unwrap_or_default();
    let (number, at) = (number.to_string(), at.as_millisecond().to_string());
    let (member, request) =
        (text(draft.member.map(|id| id.to_string())), text(draft.request.map(|id| id.to_string())));
    digest(&[
        "provost audit v1",
        &number,
        &at,
        previous,
        &draft.what,
        &member,
        draft.person.as_ref().map_or("", UserId::as_str),
        draft.org.as_ref().map_or("", OrgName::as_str),
        draft.app.as_ref().map_or("", AppId::as_str),
        &request,
        &draft.request_hash,
        &draft.before,
        &draft.after,
        &draft.reason,
        &draft.okta_request,
        &draft.event,
        &draft.outcome,
    ])
}

/// The SHA-256 of texts, each with its length before it, so that no two lists run together; in hexadecimal.
pub fn digest(parts: &[&str]) -> String {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(part.len().to_string().as_bytes());
        bytes.push(b':');
        bytes.extend_from_slice(part.as_bytes());
    }
    sha256(&SHA256, &bytes).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// An entry does not hold what its hash says.
    #[error("entry {0} was edited: its hash is not that of what it holds")]
    Edited(i64),
    /// An entry does not follow on the one before it.
    #[error("entry {0} does not follow on the one before it: an entry was removed, added or moved")]
    Moved(i64),
    /// The chain does not hold the entry that was noted elsewhere.
    #[error(
        "entry {0} is not the one that was noted elsewhere: the chain was cut and grown anew, or is another one"
    )]
    NotTheAnchor(i64),
    /// The chain ends before the entry that was noted elsewhere.
    #[error("the chain ends before entry {0}, which was noted elsewhere: its tail was cut off")]
    Cut(i64),
}

/// A chain that is being checked, entry by entry from its beginning, so that no more than a page of it need be held.
#[derive(Debug, Clone)]
pub struct Checked<'a> {
    number: i64,
    last: String,
    anchor: Option<(i64, &'a str)>,
    anchored: bool,
}

impl<'a> Checked<'a> {
    /// Begins. `anchor` is a number and a hash, or the beginning of one, noted elsewhere, for example in the audit
    /// channel; without one, a cut tail or a chain computed anew cannot be seen.
    pub fn against(anchor: Option<(i64, &'a str)>) -> Self {
        Self { number: 0, last: BEGINNING.to_owned(), anchor, anchored: anchor.is_none() }
    }

    /// Checks the next entry.
    ///
    /// # Errors
    ///
    /// [`Broken`]: what is wrong with it.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), Broken> {
        if entry.number != self.number + 1 || entry.previous != self.last {
            return Err(Broken::Moved(entry.number));
        }
        if !entry.is_whole() {
            return Err(Broken::Edited(entry.number));
        }
        if let Some((_, hash)) = self.anchor.filter(|(at, _)| *at == entry.number) {
            if !entry.hash.starts_with(hash) {
                return Err(Broken::NotTheAnchor(entry.number));
            }
            self.anchored = true;
        }
        self.number = entry.number;
        self.last.clone_from(&entry.hash);
        Ok(())
    }

    /// The number and hash of the last entry that was checked; 0 and [`BEGINNING`] before the first.
    pub fn last(&self) -> (i64, &str) {
        (self.number, &self.last)
    }

    /// Ends: there are no more entries.
    ///
    /// # Errors
    ///
    /// [`Broken::Cut`], if the anchor did not come.
    pub fn end(&self) -> Result<(), Broken> {
        match self.anchor {
            Some((at, _)) if !self.anchored => Err(Broken::Cut(at)),
            _ => Ok(()),
        }
    }
}

/// Checks a whole chain, as [`Checked`] does, and says how many entries it has.
///
/// # Errors
///
/// [`Broken`]: the first thing that is wrong.
pub fn verify(entries: impl IntoIterator<Item = Entry>, anchor: Option<(i64, &str)>) -> Result<i64, Broken> {
    let mut checked = Checked::against(anchor);
    for entry in entries {
        checked.entry(&entry)?;
    }
    checked.end()?;
    Ok(checked.number)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(length: i64) -> Vec<Entry> {
        let mut entries: Vec<Entry> = Vec::new();
        for n in 1..=length {
            let draft = Draft { what: format!("thing {n}"), ..Draft::default() };
            let previous =
                entries.last().map_or((0, BEGINNING.to_owned()), |last| (last.number, last.hash.clone()));
            let at = Timestamp::from_second(n).expect("a good time");
            entries.push(Entry::following((previous.0, &previous.1), draft, at));
        }
        entries
    }

    #[test]
    fn every_edit_deletion_and_swap_is_found() {
        assert_eq!(verify(chain(50), None), Ok(50));
        for place in 0..50 {
            let mut edited = chain(50);
            edited[place].draft.reason = "nothing to see here".to_owned();
            assert_eq!(verify(edited, None), Err(Broken::Edited(place as i64 + 1)));
        }
        for place in 0..49 {
            let mut shorter = chain(50);
            shorter.remove(place);
            assert!(verify(shorter, None).is_err());
            let mut swapped = chain(50);
            swapped.swap(place, place + 1);
            assert!(verify(swapped, None).is_err());
        }
    }

    #[test]
    fn an_anchor_finds_a_cut_tail_and_a_chain_computed_anew() {
        let whole = chain(10);
        let anchor = (10, whole[9].hash.clone());
        assert_eq!(verify(chain(10), Some((10, &anchor.1))), Ok(10));
        assert_eq!(verify(chain(8), None), Ok(8), "without an anchor it cannot be seen");
        assert_eq!(verify(chain(8), Some((10, &anchor.1))), Err(Broken::Cut(10)));
        let mut anew: Vec<Entry> = chain(9);
        let draft = Draft { what: "another".to_owned(), ..Draft::default() };
        let last = anew[8].hash.clone();
        anew.push(Entry::following((9, &last), draft, Timestamp::from_second(10).expect("a good time")));
        assert_eq!(verify(anew, Some((10, &anchor.1))), Err(Broken::NotTheAnchor(10)));
    }

    #[test]
    fn texts_do_not_run_together() {
        assert_ne!(digest(&["ab", "c"]), digest(&["a", "bc"]));
        assert_ne!(digest(&["a", ""]), digest(&["a"]));
    }
}
