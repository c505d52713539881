//! Unassigns one person and assigns them again: the last rung, and the only one that can leave somebody worse off.
//!
//! Each of the two writes is noted before it is sent and after it is answered, and what the assignment holds is kept
//! before it is taken away. What a crash or a lost answer left open is looked up at Okta, never guessed: somebody who is
//! found unassigned is assigned again; and where Okta refuses that for good, it is said loudly, with what to do.

use domain::assignment::{SavedProfile, state};
use domain::audit::Draft;
use domain::facts::Scope;
use domain::ids::UserId;
use domain::ports::{Directory, DirectoryError, Written};
use domain::request::{Outcome, Request, RequestEvent};
use domain::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{ABANDONED, Executor, Stuck, passes};

/// How often it is looked whether the writes go on after a pause.
const PAUSED: SignedDuration = SignedDuration::from_secs(10);

/// How often the log is looked at for the proof.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(2);

impl Executor {
    /// The state that was frozen, as it is now: the app's, and how the person is assigned.
    pub(super) async fn reassigned_state(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<String, DirectoryError> {
        let frozen = &request.frozen;
        let facts = directory.app(&frozen.app.id).await?;
        let Some(person) = frozen.people.first() else { return Ok(facts.fingerprint()) };
        match directory.assignment(&frozen.app.id, person).await {
            Ok(assignment) => Ok(state(&facts, person, Some(&assignment))),
            Err(DirectoryError::Gone { .. }) => Ok(state(&facts, person, None)),
            Err(failure) => Err(failure),
        }
    }

    /// Goes on from wherever it stands.
    pub(super) async fn reassign_on(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<Option<Timestamp>, Stuck> {
        let Some((person, outcome)) = request.outcomes.iter().next() else { return Ok(None) };
        let now = self.clock.now();
        match outcome {
            // It was begun, and nothing was sent: all is looked at afresh before anything is.
            Outcome::Waiting => self.is_put_off(request, "nothing was sent yet".to_owned()).await,
            Outcome::Unassigning { since } | Outcome::Assigning { since } if now - *since < ABANDONED => {
                Ok(Some(*since + ABANDONED))
            }
            Outcome::Unassigning { .. } => self.was_it_taken_away(request, directory, person).await,
            Outcome::Unassigned { .. } => self.give_back(request, directory, person).await,
            Outcome::Assigning { since } => self.was_it_given_back(request, directory, person, *since).await,
            Outcome::Pushing { .. }
            | Outcome::Pushed { .. }
            | Outcome::Unclear { .. }
            | Outcome::Proven(_)
            | Outcome::Failed { .. }
            | Outcome::Skipped => {
                self.step(request, RequestEvent::Done, "write.done", |_| {}).await?;
                Ok(Some(now))
            }
        }
    }

    /// Nothing was written: it waits as it did before, and all is looked at afresh before it is tried again.
    async fn is_put_off(&self, request: &Request, why: String) -> Result<Option<Timestamp>, Stuck> {
        self.step(request, RequestEvent::PutOff { why }, "write.put_off", |_| {}).await?;
        Ok(Some(self.clock.now()))
    }

    /// The last look at the person, what they have is kept, and it is taken away.
    pub(super) async fn take_away(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<Option<Timestamp>, Stuck> {
        let app = &request.frozen.app.id;
        let Some(person) = request.frozen.people.first() else { return Ok(None) };
        let assignment = match directory.assignment(app, person).await {
            Ok(assignment) if assignment.user.scope == Scope::Person => Some(assignment),
            Ok(_) | Err(DirectoryError::Gone { .. }) => None,
            Err(failure) => return Err(failure.into()),
        };
        if !self.step(request, RequestEvent::Begun, "write.begun", |_| {}).await? {
            return Ok(None);
        }
        let Some(assignment) = assignment else {
            let why = "they are not assigned by name any more, so nothing was changed".to_owned();
            return self.give_up(request, person, why, "write.refused").await;
        };
        let profile = assignment.profile;
        self.requests.keep_profile(request.number, person, &profile, self.clock.now()).await?;
        let (since, begun) = (self.clock.now(), "unassign.begun");
        if !self.moves(request, person, Outcome::Unassigning { since }, begun, Some(&profile), None).await? {
            return Ok(None);
        }
        match directory.unassign(app, person).await {
            Ok(written) => {
                self.wrote(request, person, &written, "unassigned from");
                let outcome = Outcome::Unassigned { at: self.clock.now() };
                self.moves(request, person, outcome, "unassign.done", None, Some(written)).await?;
            }
            Err(failure @ DirectoryError::RateLimited { .. }) => {
                self.moves(request, person, Outcome::Waiting, "unassign.put_off", None, None).await?;
                self.is_put_off(request, failure.to_string()).await?;
                return Err(failure.into());
            }
            Err(failure) if failure.may_have_been_done() => {
                warn!(request.id = %request.number, error = &failure as &dyn std::error::Error, "The answer is lost");
                return Ok(Some(since + ABANDONED));
            }
            Err(DirectoryError::Gone { .. }) => {
                let why = "somebody else unassigned them in the same moment, so Provost did not".to_owned();
                return self.give_up(request, person, why, "unassign.refused").await;
            }
            Err(failure) => {
                let why = format!("Okta did not unassign them, so nothing was changed: {failure}");
                return self.give_up(request, person, why, "unassign.refused").await;
            }
        }
        self.give_back(request, directory, person).await
    }

    /// Assigns again, with what was kept; where Okta does not take that, without, for somebody without the app at all
    /// is worse. What is missing then is said at the end.
    async fn give_back(
        &self,
        request: &Request,
        directory: &dyn Directory,
        person: &UserId,
    ) -> Result<Option<Timestamp>, Stuck> {
        if self.requests.paused().await?.is_some() {
            return Ok(Some(self.clock.now() + PAUSED));
        }
        // Asked again before its time, Okta would only be bothered, and the record grow.
        let until = self.put_off.get(&request.number).map(|until| *until);
        if let Some(until) = until.filter(|until| self.clock.now() < *until) {
            return Ok(Some(until));
        }
        let app = &request.frozen.app.id;
        let profile = self.requests.kept_profile(request.number).await?.map(|(_, profile)| profile);
        let (since, begun) = (self.clock.now(), "assign.begun");
        if !self.moves(request, person, Outcome::Assigning { since }, begun, profile.as_ref(), None).await? {
            return Ok(None);
        }
        let mut answer = directory.assign(app, person, profile.as_ref()).await;
        if let (Err(DirectoryError::Refused { .. }), true) = (&answer, profile.is_some()) {
            let why = answer.as_ref().err().map(ToString::to_string).unwrap_or_default();
            self.notes(request, person, "assign.without_profile", why).await?;
            answer = directory.assign(app, person, None).await;
        }
        match answer {
            Ok(written) => {
                self.wrote(request, person, &written, "assigned again to");
                self.given_back(request, person, since, "assign.done", Some(written)).await
            }
            Err(failure @ DirectoryError::RateLimited { until }) => {
                self.put_off.insert(request.number, until);
                let outcome = Outcome::Unassigned { at: self.clock.now() };
                self.moves(request, person, outcome, "assign.put_off", None, None).await?;
                Err(failure.into())
            }
            Err(failure) if failure.may_have_been_done() => {
                warn!(request.id = %request.number, error = &failure as &dyn std::error::Error, "The answer is lost");
                Ok(Some(since + ABANDONED))
            }
            Err(failure) => self.shout(request, person, &failure).await,
        }
    }

    /// A crash or a lost answer: does Okta still have the assignment?
    async fn was_it_taken_away(
        &self,
        request: &Request,
        directory: &dyn Directory,
        person: &UserId,
    ) -> Result<Option<Timestamp>, Stuck> {
        let why = match directory.assignment(&request.frozen.app.id, person).await {
            Err(DirectoryError::Gone { .. }) => {
                let outcome = Outcome::Unassigned { at: self.clock.now() };
                self.moves(request, person, outcome, "unassign.found_done", None, None).await?;
                return self.give_back(request, directory, person).await;
            }
            Err(failure) if passes(&failure) => return Err(failure.into()),
            Err(failure) => format!(
                "Okta did not say whether it unassigned them, and cannot be asked any more. If they are unassigned: {}. \
                 What the assignment held is kept: see Saved profile. The refusal: {failure}",
                commands::console::ASSIGN
            ),
            Ok(_) => "Okta did not say whether it unassigned them. Asked afterwards, it shows them assigned, so probably \
                      nothing was changed. What the assignment holds is kept"
                .to_owned(),
        };
        let outcome = Outcome::Failed { why: why.clone() };
        self.moves(request, person, outcome, "unassign.unclear", None, None).await?;
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
        Ok(None)
    }

    /// A crash or a lost answer: does Okta have the new assignment?
    async fn was_it_given_back(
        &self,
        request: &Request,
        directory: &dyn Directory,
        person: &UserId,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, Stuck> {
        match directory.assignment(&request.frozen.app.id, person).await {
            Ok(_) => self.given_back(request, person, since, "assign.found_done", None).await,
            Err(DirectoryError::Gone { .. }) => {
                let outcome = Outcome::Unassigned { at: self.clock.now() };
                self.moves(request, person, outcome, "assign.found_undone", None, None).await?;
                self.give_back(request, directory, person).await
            }
            Err(failure) if passes(&failure) => Err(failure.into()),
            // It cannot even be looked up any more: that is for a person, and soon.
            Err(failure) => self.shout(request, person, &failure).await,
        }
    }

    async fn given_back(
        &self,
        request: &Request,
        person: &UserId,
        since: Timestamp,
        what: &str,
        written: Option<Written>,
    ) -> Result<Option<Timestamp>, Stuck> {
        self.moves(request, person, Outcome::Pushed { at: since }, what, None, written).await?;
        self.step(request, RequestEvent::Done, "write.done", |_| {}).await?;
        Ok(Some(self.clock.now()))
    }

    /// Waits for the proof; then compares what the person has now with what was kept.
    pub(super) async fn verify_reassigned(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        let request = self.look_at_pushed(request).await?;
        let Some((person, outcome)) = request.outcomes.iter().next() else { return Ok(None) };
        if request.sums().under_way() > 0 {
            return Ok(Some(self.clock.now() + LOOK_EVERY));
        }
        let lost = self.not_as_it_was(&request, person).await?;
        let proof = match outcome {
            Outcome::Proven(proof) => proof,
            _ if lost.is_empty() => return self.finish(&request).await,
            outcome => {
                let why = match outcome {
                    Outcome::Failed { why } => why.as_str(),
                    _ => "nobody was pushed",
                };
                let why = format!("assigned again, but it is still failing: {why}. {}", missing(&lost));
                self.step(&request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
                return Ok(None);
            }
        };
        if lost.is_empty() {
            // Erased first: it stands in the assignment again, and a crash in between must not leave it behind.
            let entry = Draft { what: "profile.erased".to_owned(), ..Draft::default() };
            self.requests.erase_profile(request.number, entry, self.clock.now()).await?;
            let event = proof.event.to_string();
            self.step(&request, RequestEvent::Proven { by: None }, "request.proven", |entry| {
                entry.event = event;
            })
            .await?;
            return Ok(None);
        }
        let why = format!("assigned again and provisioned. {}", missing(&lost));
        self.step(&request, RequestEvent::Refused { why }, "request.partly", |_| {}).await?;
        Ok(None)
    }

    async fn not_as_it_was(&self, request: &Request, person: &UserId) -> Result<Vec<String>, Stuck> {
        let Some((_, saved)) = self.requests.kept_profile(request.number).await? else {
            return Ok(Vec::new());
        };
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else { return Ok(Vec::new()) };
        match directory.assignment(&request.frozen.app.id, person).await {
            Ok(now) => Ok(saved.lost_in(&now.profile)),
            Err(DirectoryError::Gone { .. }) => Ok(vec!["the assignment itself".to_owned()]),
            Err(failure) if passes(&failure) => Err(failure.into()),
            Err(failure) => Ok(vec![format!("perhaps anything, since it cannot be read: {failure}")]),
        }
    }

    /// The person is unassigned, and Okta will not have them back: somebody has to look at once.
    async fn shout(
        &self,
        request: &Request,
        person: &UserId,
        failure: &DirectoryError,
    ) -> Result<Option<Timestamp>, Stuck> {
        let why = format!(
            "UNASSIGNED, and Okta refuses to assign them again. To do now, in Okta's console: {}. What the assignment held \
             is kept: see Saved profile. The refusal: {failure}",
            commands::console::ASSIGN
        );
        let outcome = Outcome::Failed { why: format!("unassigned, and not assigned again: {failure}") };
        self.moves(request, person, outcome, "assign.refused", None, None).await?;
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
        Ok(None)
    }

    /// Nothing was taken away.
    async fn give_up(
        &self,
        request: &Request,
        person: &UserId,
        why: String,
        what: &str,
    ) -> Result<Option<Timestamp>, Stuck> {
        let outcome = Outcome::Failed { why: why.clone() };
        self.moves(request, person, outcome, what, None, None).await?;
        self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
        Ok(None)
    }

    /// Notes where the person stands, with the audit entry: the hash of what is kept, never what it holds.
    async fn moves(
        &self,
        request: &Request,
        person: &UserId,
        outcome: Outcome,
        what: &str,
        profile: Option<&SavedProfile>,
        written: Option<Written>,
    ) -> Result<bool, StoreError> {
        let event = RequestEvent::Person { person: person.clone(), outcome };
        let kept = profile.map_or(String::new(), |profile| format!("; profile sha256 {}", profile.sha256()));
        self.step(request, event, what, |entry| {
            entry.before = format!("person {person}{kept}");
            entry.okta_request = written.and_then(|written| written.okta_request).unwrap_or_default();
        })
        .await
    }

    /// An audit entry of its own, before a write that moves nobody.
    async fn notes(
        &self,
        request: &Request,
        person: &UserId,
        what: &str,
        reason: String,
    ) -> Result<(), StoreError> {
        let frozen = &request.frozen;
        let entry = Draft {
            what: what.to_owned(),
            org: Some(frozen.org.clone()),
            app: Some(frozen.app.id.clone()),
            request: Some(request.number),
            request_hash: request.hash.0.clone(),
            before: format!("person {person}"),
            reason,
            outcome: request.stage.word().to_owned(),
            ..Draft::default()
        };
        self.requests.audit(entry, self.clock.now()).await?;
        Ok(())
    }

    fn wrote(&self, request: &Request, person: &UserId, written: &Written, what: &str) {
        let okta_request = written.okta_request.as_deref().unwrap_or_default();
        self.wrote.insert((request.number, person.to_string()), okta_request.to_owned());
        info!(
            request.id = %request.number, okta.request_id = okta_request, user.id = %person,
            app.id = %request.frozen.app.id,
            "Wrote to Okta: {person} {what} {}", request.frozen.app.id
        );
    }
}

/// What the new assignment does not have, and how to mend that.
fn missing(lost: &[String]) -> String {
    format!(
        "Not all of the assignment is as it was: {}. Set it in Okta's console from the saved profile, which is kept",
        lost.join(", ")
    )
}
