//! Rows of a request in our words: its stage, its approvals, and what became of each person.

use std::collections::BTreeMap;

use domain::cause::Strength;
use domain::event::{Actor, App};
use domain::facts::Assigned;
use domain::ids::{EventId, IncidentNumber, MemberId};
use domain::incident::Proof;
use domain::request::{Approval, Frozen, Gate, Outcome, Request, RequestHash, RequestNumber, Stage};
use jiff::{SignedDuration, Timestamp};
use sqlx::Error;
use sqlx::any::AnyRow;

use super::json::Stored;
use super::rows::{Columns, unexpected};

/// A stage as it is stored.
pub(super) struct StageColumns<'a> {
    /// Its word.
    pub word: &'static str,
    /// Since when, or when.
    pub at: Option<Timestamp>,
    /// By whom.
    pub by: Option<MemberId>,
    /// Why.
    pub why: Option<&'a str>,
    /// Who did it, as Okta's log names them.
    pub done_by: Option<&'a Actor>,
}

impl<'a> StageColumns<'a> {
    /// Of a stage.
    pub(super) fn of(stage: &'a Stage) -> Self {
        let (at, by, why) = match stage {
            Stage::Draft | Stage::Pending | Stage::Approved => (None, None, None),
            Stage::Executing { since: at } | Stage::Verifying { since: at } => (Some(*at), None, None),
            Stage::Succeeded { at, .. } | Stage::Expired { at } => (Some(*at), None, None),
            Stage::Failed { at, why }
            | Stage::Partly { at, why }
            | Stage::Superseded { at, why }
            | Stage::Unclear { at, why } => (Some(*at), None, Some(why.as_str())),
            Stage::Denied { by, at, why } => (Some(*at), Some(*by), Some(why.as_str())),
            Stage::Cancelled { by, at } => (Some(*at), Some(*by), None),
        };
        let done_by = match stage {
            Stage::Succeeded { by, .. } => by.as_ref(),
            _ => None,
        };
        Self { word: stage.word(), at, by, why, done_by }
    }
}

fn stage(row: &AnyRow) -> Result<Stage, Error> {
    let at = || row.time("stage_ms");
    let by = || member(row, "stage_by");
    let why = || row.text("stage_why");
    Ok(match row.get_as("stage")? {
        "draft" => Stage::Draft,
        "pending" => Stage::Pending,
        "approved" => Stage::Approved,
        "executing" => Stage::Executing { since: at()? },
        "verifying" => Stage::Verifying { since: at()? },
        "succeeded" => {
            let by = row.get_as::<Option<&str>>("done_by")?.map(Actor::from_json).transpose()?;
            Stage::Succeeded { at: at()?, by }
        }
        "failed" => Stage::Failed { at: at()?, why: why()? },
        "partly" => Stage::Partly { at: at()?, why: why()? },
        "denied" => Stage::Denied { by: by()?, at: at()?, why: why()? },
        "expired" => Stage::Expired { at: at()? },
        "cancelled" => Stage::Cancelled { by: by()?, at: at()? },
        "superseded" => Stage::Superseded { at: at()?, why: why()? },
        "unclear" => Stage::Unclear { at: at()?, why: why()? },
        word => return Err(unexpected(format_args!("“{word}”"), "a request's stage")),
    })
}

/// An outcome as it is stored.
#[derive(Default)]
pub(super) struct OutcomeColumns<'a> {
    /// Its word.
    pub state: &'static str,
    /// Since when, or when.
    pub at: Option<Timestamp>,
    /// Why it failed.
    pub why: Option<&'a str>,
    /// The event that proves it.
    pub proof: Option<&'a EventId>,
    /// How much it proves.
    pub strength: Option<Strength>,
}

impl<'a> OutcomeColumns<'a> {
    /// Of an outcome.
    pub(super) fn of(outcome: &'a Outcome) -> Self {
        let empty = Self::default();
        match outcome {
            Outcome::Waiting => Self { state: "waiting", ..empty },
            Outcome::Pushing { since } => Self { state: "pushing", at: Some(*since), ..empty },
            Outcome::Pushed { at } => Self { state: "pushed", at: Some(*at), ..empty },
            Outcome::Unclear { at } => Self { state: "unclear", at: Some(*at), ..empty },
            Outcome::Unassigning { since } => Self { state: "unassigning", at: Some(*since), ..empty },
            Outcome::Unassigned { at } => Self { state: "unassigned", at: Some(*at), ..empty },
            Outcome::Assigning { since } => Self { state: "assigning", at: Some(*since), ..empty },
            Outcome::Proven(Proof { event, at, strength }) => Self {
                state: "proven",
                at: Some(*at),
                proof: Some(event),
                strength: Some(*strength),
                ..empty
            },
            Outcome::Failed { why } => Self { state: "failed", why: Some(why), ..empty },
            Outcome::Skipped => Self { state: "skipped", ..empty },
        }
    }
}

/// What became of one person.
pub(super) fn outcome(row: &AnyRow) -> Result<Outcome, Error> {
    let at = || row.time("at_ms");
    Ok(match row.get_as("state")? {
        "waiting" => Outcome::Waiting,
        "pushing" => Outcome::Pushing { since: at()? },
        "pushed" => Outcome::Pushed { at: at()? },
        "unclear" => Outcome::Unclear { at: at()? },
        "unassigning" => Outcome::Unassigning { since: at()? },
        "unassigned" => Outcome::Unassigned { at: at()? },
        "assigning" => Outcome::Assigning { since: at()? },
        "proven" => {
            let (event, strength) = (row.id("proof")?, row.word("strength")?);
            Outcome::Proven(Proof { event, at: at()?, strength })
        }
        "failed" => Outcome::Failed { why: row.text("why")? },
        "skipped" => Outcome::Skipped,
        word => return Err(unexpected(format_args!("“{word}”"), "an outcome")),
    })
}

/// An approval.
pub(super) fn approval(row: &AnyRow) -> Result<Approval, Error> {
    Ok(Approval { by: member(row, "member")?, person: row.maybe_id("person")?, at: row.time("at_ms")? })
}

/// A request, as yet without its approvals and outcomes.
pub(super) fn request(row: &AnyRow) -> Result<Request, Error> {
    let gate = Gate {
        approvals: row.count("approvals_wanted")?,
        expires: SignedDuration::from_millis(row.number("expires_ms")?),
    };
    let frozen = Frozen {
        org: row.id("org")?,
        app: App { id: row.id("app")?, label: row.text("app_label")? },
        action: row.word("action")?,
        method: row.word("method")?,
        people: Vec::from_json(row.get_as("people")?)?,
        before: row.text("state_before")?,
        gate,
        requester: member(row, "requester")?,
        requester_person: row.maybe_id("requester_person")?,
        breakglass: row.flag("breakglass")?,
        assigned: assigned(row)?,
    };
    Ok(Request {
        number: RequestNumber(row.number("number")?),
        frozen,
        hash: RequestHash(row.text("hash")?),
        reason: row.text("reason")?,
        incident: row.get_as::<Option<i64>>("incident")?.map(IncidentNumber),
        stage: stage(row)?,
        created: row.time("created_ms")?,
        deadline: row.time("deadline_ms")?,
        approvals: Vec::new(),
        outcomes: BTreeMap::new(),
        revision: row.number("revision")?,
    })
}

/// How many were assigned when it was asked for, where that was counted.
fn assigned(row: &AnyRow) -> Result<Option<Assigned>, Error> {
    let Some(by_person) = row.get_as::<Option<i64>>("assigned_person")? else { return Ok(None) };
    let count = |n: i64| usize::try_from(n).unwrap_or_default();
    Ok(Some(Assigned {
        by_person: count(by_person),
        by_group: count(row.number("assigned_group")?),
        more: row.flag("assigned_more")?,
    }))
}

fn member(row: &AnyRow, column: &str) -> Result<MemberId, Error> {
    Ok(MemberId(row.number(column)?.cast_unsigned()))
}
