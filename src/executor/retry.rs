//! Pushes people again, in waves, and watches each for the proof that it worked.
//!
//! A wave begins only when everybody of the one before has come to an end: 1, then 10, then the rest. It stops after
//! five failures in a row or when a fifth of a wave has failed; who was not begun then is left out, and counted so.

use domain::cause::Strength;
use domain::facts::AppUser;
use domain::ids::UserId;
use domain::incident::{EndedBecause, Failure, FailureState, Proof};
use domain::ports::{Directory, DirectoryError};
use domain::request::{
    Action, Method, Outcome, Request, RequestEvent, SETTLED_WITHIN, STATE_AS_PROOF, Stage,
};
use domain::store::{Query, Which};
use jiff::{SignedDuration, Timestamp};
use tracing::info;

use super::{BY_HAND_WITHIN, Executor, RESOLUTION, Stuck, passes};

/// How many are begun by the end of the first and of the second wave.
const WAVES: [usize; 2] = [1, 11];

/// So many failures one after another stop the rest.
const IN_A_ROW: usize = 5;

/// So many of a wave stop the rest: a fifth.
const OF_A_WAVE: usize = 5;

/// So many reasons are told; the file of outcomes holds them all.
const REASONS: usize = 2;

/// How many are pushed in one pass: between two, other requests have their turn, and what has failed is seen.
const AT_A_TIME: usize = 20;

/// How often what was pushed is looked at.
const LOOK_EVERY: SignedDuration = SignedDuration::from_secs(2);

impl Executor {
    /// Leaves it to a person in the console: from now on their doing is watched for.
    pub(super) async fn guide(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        let at = self.clock.now();
        for person in waiting(request) {
            let event = RequestEvent::Person { person, outcome: Outcome::Pushed { at } };
            self.step(request, event, "guide.person", |_| {}).await?;
        }
        self.step(request, RequestEvent::Done, "guide.shown", |_| {}).await?;
        Ok(Some(at))
    }

    /// Moves a retry on: looks at who was pushed, then pushes the next ones.
    pub(super) async fn push_on(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<Option<Timestamp>, Stuck> {
        let request = self.look_at_pushed(request).await?;
        if self.requests.paused().await?.is_some() {
            return Ok(Some(self.clock.now() + SignedDuration::from_secs(10)));
        }
        if too_many_failed(&request) {
            for person in waiting(&request) {
                let outcome = Outcome::Skipped;
                self.step(&request, RequestEvent::Person { person, outcome }, "push.skipped", |_| {}).await?;
            }
        }
        let request = self.again(&request).await?;
        let request = match wave(&request).is_empty() {
            true => request,
            false => self.still_may(&request, directory).await?,
        };
        let next = wave(&request);
        let more = next.len() > AT_A_TIME;
        for person in next.iter().take(AT_A_TIME) {
            // A wave may be hundreds: the kill switch stops it in the middle, too.
            if self.requests.paused().await?.is_some() {
                break;
            }
            self.push(&request, directory, person).await?;
        }
        let request = self.again(&request).await?;
        if waiting(&request).is_empty() && request.sums().under_way() == 0 {
            return self.finish(&request).await;
        }
        if waiting(&request).is_empty() && matches!(request.stage, Stage::Executing { .. }) {
            self.step(&request, RequestEvent::Done, "write.done", |_| {}).await?;
        }
        let now = self.clock.now();
        Ok(Some(if more { now } else { now + LOOK_EVERY }))
    }

    /// Everybody has been pushed: waits for the last proofs.
    pub(super) async fn verify_pushed(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        let request = self.look_at_pushed(request).await?;
        match request.sums().under_way() {
            0 => self.finish(&request).await,
            // A person may take a day; what the log brings meanwhile wakes us.
            _ if request.frozen.method == Method::Guided => Ok(Some(self.clock.now() + super::LOOK_EVERY)),
            _ => Ok(Some(self.clock.now() + LOOK_EVERY)),
        }
    }

    /// The intent is noted before the push is sent, and what Okta said after.
    async fn push(&self, request: &Request, directory: &dyn Directory, person: &UserId) -> Result<(), Stuck> {
        let since = self.clock.now();
        let outcome = Outcome::Pushing { since };
        let event = RequestEvent::Person { person: person.clone(), outcome };
        if !self.step(request, event, "push.begun", |entry| entry.before = format!("person {person}")).await?
        {
            return Ok(());
        }
        let (mut lost, mut what) = (None, "push.sent");
        let (outcome, okta_request) = match directory.push(&request.frozen.app.id, person).await {
            Ok(written) => {
                let okta_request = written.okta_request.unwrap_or_default();
                self.wrote.insert((request.number, person.to_string()), okta_request.clone());
                info!(
                    request.id = %request.number, okta.request_id = okta_request, user.id = %person,
                    app.id = %request.frozen.app.id,
                    "Wrote to Okta: pushed {person} to {} again", request.frozen.app.id
                );
                (Outcome::Pushed { at: since }, okta_request)
            }
            Err(failure @ DirectoryError::RateLimited { .. }) => {
                let event = RequestEvent::Person { person: person.clone(), outcome: Outcome::Waiting };
                self.step(request, event, "push.put_off", |entry| entry.before = format!("person {person}"))
                    .await?;
                return Err(failure.into());
            }
            // It may have arrived: the proof decides, and it is not sent again.
            Err(failure) if failure.may_have_been_done() => {
                (lost, what) = (Some(failure), "push.lost");
                (Outcome::Unclear { at: since }, String::new())
            }
            Err(failure) => {
                what = "push.refused";
                (Outcome::Failed { why: failure.to_string() }, String::new())
            }
        };
        let event = RequestEvent::Person { person: person.clone(), outcome };
        self.step(request, event, what, |entry| {
            entry.okta_request = okta_request;
            if let Some(lost) = &lost {
                entry.reason = lost.to_string();
            }
        })
        .await?;
        let Some(failure) = lost else { return Ok(()) };
        self.put_off.insert(request.number, self.clock.now());
        Err(failure.into())
    }

    /// The last look before the next ones are pushed: those who asked and approved may still; if not, the rest is left
    /// out.
    async fn still_may(&self, request: &Request, directory: &dyn Directory) -> Result<Request, Stuck> {
        // After a lost answer only: whoever is ill is not asked for everybody.
        if self.put_off.contains_key(&request.number) {
            match directory.app(&request.frozen.app.id).await {
                Err(failure) if passes(&failure) => return Err(failure.into()),
                Err(failure) => {
                    for person in waiting(request) {
                        let why = format!("not pushed: {failure}");
                        let event = RequestEvent::Person { person, outcome: Outcome::Failed { why } };
                        self.step(request, event, "push.refused", |_| {}).await?;
                    }
                    return self.again(request).await;
                }
                Ok(_) => self.put_off.remove(&request.number),
            };
        }
        let Some(why) = self.rights_lost(request).await? else { return Ok(request.clone()) };
        for person in waiting(request) {
            let event = RequestEvent::Person { person, outcome: Outcome::Skipped };
            self.step(request, event, "push.skipped", |entry| entry.reason.clone_from(&why)).await?;
        }
        self.again(request).await
    }

    /// Looks at everybody who was pushed: proven, failed again, out of time, or unclear.
    pub(super) async fn look_at_pushed(&self, request: &Request) -> Result<Request, Stuck> {
        let query = Query {
            org: Some(request.frozen.org.clone()),
            app: Some(request.frozen.app.id.clone()),
            which: Which::All,
            limit: 0,
        };
        let incidents = self.store.incidents(&query).await?;
        let (action, guided) = (request.frozen.action, request.frozen.method == Method::Guided);
        let within = if guided { BY_HAND_WITHIN } else { self.verify_within };
        let (mut silent, mut looks) = (None, 0);
        for (person, outcome) in &request.outcomes {
            let (Outcome::Pushed { at } | Outcome::Unclear { at } | Outcome::Pushing { since: at }) = outcome
            else {
                continue;
            };
            let failure =
                incidents.iter().filter_map(|incident| incident.failures.get(person)).max_by_key(|f| f.last);
            let known = self.at_okta(&request.frozen.org, *at);
            let pushed = known.unwrap_or(*at);
            let told = failure.and_then(|failure| seen(failure, known, *at, action));
            let late = self.clock.now() - *at >= within;
            let found = match told {
                None if !late && (guided || !self.is_cut_off(outcome)) => continue,
                // Many may be late at once: a pass looks at a few, so that others have their turn.
                None if looks >= AT_A_TIME => continue,
                None => {
                    looks += 1;
                    self.last_look(request, person, *at, within, &mut silent).await?
                }
                told => told,
            };
            let next = match found {
                Some(ended) => ended,
                None if late && silent.is_none() => self.no_proof(request, person, pushed).await?,
                None if guided || matches!(outcome, Outcome::Unclear { .. }) => continue,
                // It is only not looked at yet.
                None if !self.is_cut_off(outcome)
                    && matches!(silent, Some(DirectoryError::RateLimited { .. })) =>
                {
                    continue;
                }
                None => Outcome::Unclear { at: *at },
            };
            let (mut what, mut event_id, mut why) = ("push.ended", String::new(), String::new());
            match &next {
                Outcome::Proven(proof) => event_id = proof.event.to_string(),
                Outcome::Unclear { .. } => {
                    what = "push.unclear";
                    why = silent.as_ref().map_or(String::new(), ToString::to_string);
                }
                _ => {}
            }
            let event = RequestEvent::Person { person: person.clone(), outcome: next };
            self.step(request, event, what, |entry| {
                entry.event = event_id;
                if !why.is_empty() {
                    entry.reason = why;
                }
            })
            .await?;
        }
        match silent {
            Some(failure) => Err(failure.into()),
            None => self.again(request).await,
        }
    }

    /// Whether an earlier process pushed them: nobody waits for its answer, and for the log not long.
    fn is_cut_off(&self, outcome: &Outcome) -> bool {
        match outcome {
            Outcome::Pushing { since } => *since < self.started,
            Outcome::Pushed { at } => {
                *at < self.started && self.clock.now() - self.started >= super::ABANDONED
            }
            _ => false,
        }
    }

    /// No event told: the app user's own state does, or nothing. Where Okta is `silent`, it is not asked again for the
    /// next person; where it refuses to tell and proof was due `within` this time, that is the end.
    async fn last_look(
        &self,
        request: &Request,
        person: &UserId,
        at: Timestamp,
        within: SignedDuration,
        silent: &mut Option<DirectoryError>,
    ) -> Result<Option<Outcome>, Stuck> {
        if silent.is_some() {
            return Ok(None);
        }
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else {
            let why = "its org is not in the configuration any more".to_owned();
            return Ok(Some(Outcome::Failed { why }));
        };
        let waited = self.clock.now() - at;
        match directory.app_user(&request.frozen.app.id, person).await {
            Ok(user) => {
                let pushed = self.at_okta(&request.frozen.org, at).unwrap_or(at);
                Ok(state_after(&user, pushed).map(Outcome::Proven))
            }
            Err(DirectoryError::Gone { .. }) => {
                Ok(Some(Outcome::Failed { why: "no longer assigned to the app".to_owned() }))
            }
            Err(failure) if passes(&failure) && waited < within + SETTLED_WITHIN => {
                *silent = Some(failure);
                Ok(None)
            }
            Err(failure) if waited >= within => {
                let why = format!("no proof came in time, and how it stands cannot be read: {failure}");
                Ok(Some(Outcome::Failed { why }))
            }
            Err(_) => Ok(None),
        }
    }

    pub(super) async fn finish(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        let sums = request.sums();
        let all = request.outcomes.len();
        if sums.proven == all {
            self.step(request, RequestEvent::Proven { by: None }, "request.proven", |_| {}).await?;
            return Ok(None);
        }
        let left_out = match sums.not_begun {
            0 => String::new(),
            n if too_many_failed(request) => format!("; stopped since too many failed, {n} not begun"),
            n => format!("; stopped since those who asked or approved may not any more, {n} not begun"),
        };
        let what_next = match request.frozen.action {
            Action::Fixed => {
                ". It was said to be done in the app. Next: look at the accounts there, then push again with `/okta retry`"
            }
            Action::Enable | Action::Retry | Action::Reassign => "",
        };
        let why = format!(
            "{} of {all} proven, {} failed{left_out}{}{what_next}",
            sums.proven,
            sums.failed,
            reasons(request)
        );
        self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
        Ok(None)
    }

    async fn again(&self, request: &Request) -> Result<Request, Stuck> {
        Ok(self.requests.request(request.number).await?.unwrap_or_else(|| request.clone()))
    }
}

/// Why people are still failing, the commonest reason first. A reason that names the person is one of its own, so those
/// that differ in a login alone are counted as one.
fn reasons(request: &Request) -> String {
    let mut counted: Vec<(String, &str, usize)> = Vec::new();
    for outcome in request.outcomes.values() {
        let Outcome::Failed { why } = outcome else { continue };
        let words = why.split_whitespace().filter(|word| !word.contains('@'));
        let alike = words.collect::<Vec<_>>().join(" ");
        match counted.iter_mut().find(|(known, ..)| *known == alike) {
            Some((.., times)) => *times += 1,
            None => counted.push((alike, why.as_str(), 1)),
        }
    }
    counted.sort_by_key(|(.., times)| std::cmp::Reverse(*times));
    let more = if counted.len() > REASONS { "; and for other reasons" } else { "" };
    let told = |(_, why, times): &(String, &str, usize)| match times {
        1 => (*why).to_owned(),
        n => format!("{why} (and {} more like it)", n - 1),
    };
    let told: Vec<String> = counted.iter().take(REASONS).map(told).collect();
    match told.is_empty() {
        true => String::new(),
        false => format!(". Still failing: {}{more}", told.join("; ")),
    }
}

/// What the log told about somebody since the push `at` a time of ours; `known` is that by Okta's clock, if it is known.
fn seen(failure: &Failure, known: Option<Timestamp>, at: Timestamp, action: Action) -> Option<Outcome> {
    let pushed = known.unwrap_or(at);
    let reassigns = action == Action::Reassign;
    match &failure.state {
        // The assignment that was taken away proves nothing about the new one, and its end was meant.
        FailureState::Fixed(proof) if reassigns && proof.at < pushed - RESOLUTION => None,
        FailureState::Ended { .. } if reassigns => None,
        FailureState::Fixed(proof) => Some(Outcome::Proven(proof.clone())),
        FailureState::Ended { why, .. } => {
            let why = match why {
                EndedBecause::Unassigned | EndedBecause::InactiveInOkta => "no longer assigned or active",
                EndedBecause::AppGone => "Okta does not have the app any more",
                EndedBecause::ClosedByHand => "the incident was closed by hand before there was proof",
            };
            Some(Outcome::Failed { why: why.to_owned() })
        }
        // A failure from before the push must not count against it, so this waits until Okta has said what time it is.
        FailureState::Failing if known.is_some() && failure.last >= pushed => Some(Outcome::Failed {
            why: failure.reason.clone().unwrap_or_else(|| "it failed again, without a reason".to_owned()),
        }),
        FailureState::Failing => None,
    }
}

/// Source: Okta management API, AppUserStatus and AppUserSyncState. A state proves less than an event: nobody saw
/// the account. `pushed` is by Okta's clock, too.
fn state_after(user: &AppUser, pushed: Timestamp) -> Option<Proof> {
    let after = |at: Option<Timestamp>| at.filter(|at| *at >= pushed - RESOLUTION);
    let provisioned = user.status == "PROVISIONED" && after(user.status_changed).is_some();
    let synchronised = user.sync_state.as_deref() == Some("SYNCHRONIZED") && after(user.last_sync).is_some();
    let at = after(user.last_sync).or(after(user.status_changed))?;
    (provisioned || synchronised).then(|| Proof {
        event: STATE_AS_PROOF.parse().expect("letters and hyphens are an id"),
        at,
        strength: Strength::ProfileOnly,
    })
}

fn waiting(request: &Request) -> Vec<UserId> {
    let is = |outcome: &Outcome| *outcome == Outcome::Waiting;
    request.outcomes.iter().filter(|(_, outcome)| is(outcome)).map(|(person, _)| person.clone()).collect()
}

/// Whom to push now: nobody while somebody of the wave before has not come to an end.
fn wave(request: &Request) -> Vec<UserId> {
    let waiting = waiting(request);
    let begun = request.outcomes.len() - waiting.len();
    let upto = WAVES.into_iter().find(|upto| begun < *upto).unwrap_or(usize::MAX);
    let between_waves = begun == 0 || WAVES.contains(&begun);
    if between_waves && request.sums().under_way() > 0 {
        return Vec::new();
    }
    waiting.into_iter().take(upto - begun).collect()
}

/// Five in a row, or a fifth of the wave that was begun last.
fn too_many_failed(request: &Request) -> bool {
    let mut in_a_row = 0;
    for outcome in request.outcomes.values() {
        match outcome {
            Outcome::Failed { .. } => in_a_row += 1,
            Outcome::Proven(_) => in_a_row = 0,
            // Of a retry, the others are still under way or not begun.
            _ => {}
        }
        if in_a_row >= IN_A_ROW {
            return true;
        }
    }
    let all = request.outcomes.len();
    let is_begun = |outcome: &&Outcome| !matches!(outcome, Outcome::Waiting | Outcome::Skipped);
    let begun = request.outcomes.values().filter(is_begun).count();
    // People are begun in their order, so a wave is a stretch of them.
    let from = WAVES.into_iter().rev().find(|upto| begun > *upto).unwrap_or(0);
    let upto = WAVES.into_iter().find(|upto| begun <= *upto).unwrap_or(all).min(all);
    let wave = request.outcomes.values().take(upto).skip(from);
    let failed = wave.filter(|outcome| matches!(outcome, Outcome::Failed { .. })).count();
    failed > 0 && failed * OF_A_WAVE >= upto - from
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use domain::event::App;
    use domain::ids::MemberId;
    use domain::request::{Action, Frozen, Gate, RequestNumber};

    /// A retry of as many people as there are letters: `p`roven, `f`ailed, pushed (`.`), not begun (`_`).
    fn retry(letters: &str) -> Request {
        let outcomes: BTreeMap<UserId, Outcome> = letters
            .chars()
            .enumerate()
            .map(|(n, letter)| {
                let outcome = match letter {
                    'p' => Outcome::Proven(Proof {
                        event: "e1".parse().unwrap(),
                        at: Timestamp::UNIX_EPOCH,
                        strength: Strength::Account,
                    }),
                    'f' => Outcome::Failed { why: "inactive".to_owned() },
                    '.' => Outcome::Pushed { at: Timestamp::UNIX_EPOCH },
                    _ => Outcome::Waiting,
                };
                (format!("00u{n:04}").parse().unwrap(), outcome)
            })
            .collect();
        let frozen = Frozen {
            org: "acme".parse().unwrap(),
            app: App { id: "0oa1".parse().unwrap(), label: "Slack".to_owned() },
            action: Action::Retry,
            method: Method::Api,
            people: outcomes.keys().cloned().collect(),
            before: String::new(),
            gate: Gate { approvals: 0, expires: SignedDuration::from_mins(60) },
            requester: MemberId(1),
            requester_person: None,
            breakglass: false,
            assigned: None,
        };
        let request = Request::draft(RequestNumber(1), frozen, "why".to_owned(), None, Timestamp::UNIX_EPOCH);
        Request { outcomes, ..request }
    }

    #[test]
    fn a_wave_begins_when_the_one_before_is_over_and_stops_when_too_many_fail() {
        #[rustfmt::skip]
        let table: &[(String, usize, bool)] = &[
            // outcomes                                          to push, too many
            ("_".repeat(30),                                           1, false),
            (format!(".{}", "_".repeat(29)),                           0, false),
            (format!("f{}", "_".repeat(29)),                          10, true),
            (format!("p{}", "_".repeat(29)),                          10, false),
            (format!("p{}{}", "p".repeat(9), "_".repeat(20)),          1, false),
            (format!("pf........{}", "_".repeat(20)),                  1, false),
            (format!("pf{}{}", "p".repeat(9), "_".repeat(19)),        19, false),
            (format!("pff{}{}", "p".repeat(8), "_".repeat(19)),       19, true),
            (format!("p{}pppppff{}", "p".repeat(10), "_".repeat(12)), 12, false),
            (format!("p{}fpfpfpf{}", "p".repeat(10), "_".repeat(12)), 12, true),
            (format!("p{}fffff{}", "p".repeat(10), "_".repeat(84)),   84, true),
            (format!("p{}ffffpf{}", "p".repeat(10), "_".repeat(83)),  83, false),
        ];
        for (letters, push, stop) in table {
            let request = retry(letters);
            assert_eq!(wave(&request).len(), *push, "{letters}");
            assert_eq!(too_many_failed(&request), *stop, "{letters}");
        }
    }
}
