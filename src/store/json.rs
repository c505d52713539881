//! What is stored as JSON, because nobody selects by it: lines of a timeline, notices, findings, and the whole of an
//! event that will be looked at again.
//!
//! **Invariant:** a field that is added gets a default, one that is gone is ignored: old rows stay readable.

use domain::event::{Actor, App, Event, EventKind, Outcome, Person};
use domain::ids::{MemberId, UserId};
use domain::incident::{Findings, Happened, Proof, SettingChange};
use domain::notice::Told;
use domain::request::RequestNumber;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::Error;

use super::rows::{Word, id, ms, time, unexpected};

/// A domain type that has a form in JSON.
pub(super) trait Stored: Sized {
    /// The form.
    type Form: Serialize + DeserializeOwned;

    /// What is written.
    fn form(&self) -> Self::Form;

    /// What was read.
    fn of(form: Self::Form) -> Result<Self, Error>;

    /// As text for a column.
    fn json(&self) -> String {
        serde_json::to_string(&self.form()).expect("a struct of texts and numbers can be written")
    }

    /// From the text of a column.
    fn from_json(text: &str) -> Result<Self, Error> {
        let form = serde_json::from_str(text);
        Self::of(form.map_err(|error| unexpected(format_args!("JSON ({error})"), "what we write"))?)
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct EventForm {
    id: String,
    published_ms: i64,
    event_type: String,
    legacy_type: Option<String>,
    outcome: String,
    reason: Option<String>,
    message: Option<String>,
    transaction: Option<String>,
    app: Option<AppForm>,
    person: Option<PersonForm>,
    actor: ActorForm,
    custom_message: Option<String>,
    deactivate_users: Option<bool>,
}

impl Stored for Event {
    type Form = EventForm;

    fn form(&self) -> EventForm {
        EventForm {
            id: self.id.to_string(),
            published_ms: ms(self.published),
            event_type: self.event_type.clone(),
            legacy_type: self.legacy_type.clone(),
            outcome: self.outcome.as_str().to_owned(),
            reason: self.reason.clone(),
            message: self.message.clone(),
            transaction: self.transaction.clone(),
            app: self.app.as_ref().map(Stored::form),
            person: self.person.as_ref().map(Stored::form),
            actor: self.actor.form(),
            custom_message: self.custom_message.clone(),
            deactivate_users: self.deactivate_users,
        }
    }

    fn of(form: EventForm) -> Result<Self, Error> {
        Ok(Self {
            id: id(&form.id)?,
            published: time(form.published_ms)?,
            kind: EventKind::of(&form.event_type),
            event_type: form.event_type,
            legacy_type: form.legacy_type,
            outcome: Outcome::from(form.outcome.as_str()),
            reason: form.reason,
            message: form.message,
            transaction: form.transaction,
            app: form.app.map(Stored::of).transpose()?,
            person: form.person.map(Stored::of).transpose()?,
            actor: Stored::of(form.actor)?,
            custom_message: form.custom_message,
            deactivate_users: form.deactivate_users,
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct AppForm {
    id: String,
    label: String,
}

impl Stored for Vec<UserId> {
    type Form = Vec<String>;

    fn form(&self) -> Vec<String> {
        self.iter().map(ToString::to_string).collect()
    }

    fn of(form: Vec<String>) -> Result<Self, Error> {
        form.iter().map(|text| id(text)).collect()
    }
}

impl Stored for App {
    type Form = AppForm;

    fn form(&self) -> AppForm {
        AppForm { id: self.id.to_string(), label: self.label.clone() }
    }

    fn of(form: AppForm) -> Result<Self, Error> {
        Ok(Self { id: id(&form.id)?, label: form.label })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct PersonForm {
    id: String,
    login: Option<String>,
    name: Option<String>,
}

impl Stored for Person {
    type Form = PersonForm;

    fn form(&self) -> PersonForm {
        PersonForm { id: self.id.to_string(), login: self.login.clone(), name: self.name.clone() }
    }

    fn of(form: PersonForm) -> Result<Self, Error> {
        Ok(Self { id: id(&form.id)?, login: form.login, name: form.name })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ActorForm {
    id: Option<String>,
    name: Option<String>,
    kind: Option<String>,
}

impl Stored for Actor {
    type Form = ActorForm;

    fn form(&self) -> ActorForm {
        ActorForm { id: self.id.clone(), name: self.name.clone(), kind: self.kind.clone() }
    }

    fn of(form: ActorForm) -> Result<Self, Error> {
        Ok(Self { id: form.id, name: form.name, kind: form.kind })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ChangeForm {
    on: bool,
    at_ms: i64,
    by: ActorForm,
    event: String,
}

impl Stored for SettingChange {
    type Form = ChangeForm;

    fn form(&self) -> ChangeForm {
        ChangeForm { on: self.on, at_ms: ms(self.at), by: self.by.form(), event: self.event.to_string() }
    }

    fn of(form: ChangeForm) -> Result<Self, Error> {
        Ok(Self { on: form.on, at: time(form.at_ms)?, by: Actor::of(form.by)?, event: id(&form.event)? })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct ProofForm {
    event: String,
    at_ms: i64,
    strength: String,
}

impl Stored for Proof {
    type Form = ProofForm;

    fn form(&self) -> ProofForm {
        let strength = self.strength.word().to_owned();
        ProofForm { event: self.event.to_string(), at_ms: ms(self.at), strength }
    }

    fn of(form: ProofForm) -> Result<Self, Error> {
        Ok(Self { event: id(&form.event)?, at: time(form.at_ms)?, strength: Word::of(&form.strength)? })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(super) enum HappenedForm {
    SettingChanged { change: ChangeForm },
    Fixed { person: PersonForm, proof: ProofForm },
    Ended { person: PersonForm, why: String },
    CameBack { person: PersonForm },
    Claimed { by: u64, from: Option<u64> },
    Snoozed { by: u64, until_ms: i64 },
    Woke { person: Option<PersonForm> },
    Closed { by: u64, reason: String, people: usize },
}

impl Stored for Happened {
    type Form = HappenedForm;

    fn form(&self) -> HappenedForm {
        match self {
            Self::SettingChanged(change) => HappenedForm::SettingChanged { change: change.form() },
            Self::Fixed { person, proof } => {
                HappenedForm::Fixed { person: person.form(), proof: proof.form() }
            }
            Self::Ended { person, why } => {
                HappenedForm::Ended { person: person.form(), why: why.word().to_owned() }
            }
            Self::CameBack { person } => HappenedForm::CameBack { person: person.form() },
            Self::Claimed { by, from } => HappenedForm::Claimed { by: by.0, from: from.map(|from| from.0) },
            Self::Snoozed { by, until } => HappenedForm::Snoozed { by: by.0, until_ms: ms(*until) },
            Self::Woke { person } => HappenedForm::Woke { person: person.as_ref().map(Stored::form) },
            Self::Closed { by, reason, people } => {
                HappenedForm::Closed { by: by.0, reason: reason.clone(), people: *people }
            }
        }
    }

    fn of(form: HappenedForm) -> Result<Self, Error> {
        Ok(match form {
            HappenedForm::SettingChanged { change } => Self::SettingChanged(Stored::of(change)?),
            HappenedForm::Fixed { person, proof } => {
                Self::Fixed { person: Stored::of(person)?, proof: Stored::of(proof)? }
            }
            HappenedForm::Ended { person, why } => {
                Self::Ended { person: Stored::of(person)?, why: Word::of(&why)? }
            }
            HappenedForm::CameBack { person } => Self::CameBack { person: Stored::of(person)? },
            HappenedForm::Claimed { by, from } => {
                Self::Claimed { by: MemberId(by), from: from.map(MemberId) }
            }
            HappenedForm::Snoozed { by, until_ms } => {
                Self::Snoozed { by: MemberId(by), until: time(until_ms)? }
            }
            HappenedForm::Woke { person } => Self::Woke { person: person.map(Stored::of).transpose()? },
            HappenedForm::Closed { by, reason, people } => Self::Closed { by: MemberId(by), reason, people },
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct FindingsForm {
    at_ms: i64,
    deactivates_users: Option<bool>,
    mode: String,
    kind: String,
    missing: Vec<String>,
}

impl Stored for Findings {
    type Form = FindingsForm;

    fn form(&self) -> FindingsForm {
        FindingsForm {
            at_ms: ms(self.at),
            deactivates_users: self.deactivates_users,
            mode: self.mode.word().to_owned(),
            kind: self.kind.clone(),
            missing: self.missing.clone(),
        }
    }

    fn of(form: FindingsForm) -> Result<Self, Error> {
        Ok(Self {
            at: time(form.at_ms)?,
            deactivates_users: form.deactivates_users,
            mode: Word::of(&form.mode)?,
            kind: form.kind,
            missing: form.missing,
        })
    }
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "kebab-case")]
pub(super) enum ToldForm {
    Drift { app: AppForm, change: ChangeForm },
    Blind { since_ms: i64, why: String },
    SeesAgain { since_ms: i64, until_ms: i64, caught_up: u64 },
    Restarted { from_ms: i64, why: String, gap: bool },
    Unrecorded { request: i64, app: AppForm, why: String },
}

impl Stored for Told {
    type Form = ToldForm;

    fn form(&self) -> ToldForm {
        match self {
            Self::Drift { app, change } => ToldForm::Drift { app: app.form(), change: change.form() },
            Self::Blind { since, why } => ToldForm::Blind { since_ms: ms(*since), why: why.clone() },
            Self::SeesAgain { since, until, caught_up } => {
                ToldForm::SeesAgain { since_ms: ms(*since), until_ms: ms(*until), caught_up: *caught_up }
            }
            Self::Restarted { from, why, gap } => {
                ToldForm::Restarted { from_ms: ms(*from), why: why.clone(), gap: *gap }
            }
            Self::Unrecorded { request, app, why } => {
                ToldForm::Unrecorded { request: request.0, app: app.form(), why: why.clone() }
            }
        }
    }

    fn of(form: ToldForm) -> Result<Self, Error> {
        Ok(match form {
            ToldForm::Drift { app, change } => {
                Self::Drift { app: Stored::of(app)?, change: Stored::of(change)? }
            }
            ToldForm::Blind { since_ms, why } => Self::Blind { since: time(since_ms)?, why },
            ToldForm::SeesAgain { since_ms, until_ms, caught_up } => {
                Self::SeesAgain { since: time(since_ms)?, until: time(until_ms)?, caught_up }
            }
            ToldForm::Restarted { from_ms, why, gap } => Self::Restarted { from: time(from_ms)?, why, gap },
            ToldForm::Unrecorded { request, app, why } => {
                Self::Unrecorded { request: RequestNumber(request), app: Stored::of(app)?, why }
            }
        })
    }
}
