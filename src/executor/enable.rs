//! Turns Deactivate Users on: by the API, or by a person in the console, and watches for the proof. What nobody can know
//! at once is unclear, and settled later.

use std::collections::{BTreeMap, BTreeSet};

use domain::incident::SettingChange;
use domain::ports::{Directory, DirectoryError, Written};
use domain::request::{Action, Method, NOT_BY_API, Request, RequestEvent, RequestNumber, Stage};
use domain::requests::{AuditQuery, RequestQuery};
use domain::store::StoreError;
use jiff::{SignedDuration, Timestamp};
use tracing::{info, warn};

use super::{ABANDONED, BY_HAND_WITHIN, Executor, LOOK_EVERY, RESOLUTION, Stuck};

/// How long the log may take to tell who turned it on, once the app shows that it is on.
const NAMED_WITHIN: SignedDuration = SignedDuration::from_mins(3);

/// Among so many of an app's newest requests another one is looked for.
const OTHERS: u32 = 20;

impl Executor {
    /// Somebody may have done it while it waits for its approval.
    pub(super) async fn still_wanted(&self, request: &Request) -> Result<Option<Timestamp>, Stuck> {
        if request.frozen.action == Action::Enable
            && let Some(Turned { on: change, off: None }) = self.turned_on_since(request).await?
        {
            let why = match self.other_enable(request).await? {
                Some(other) => format!("{other} has turned it on already"),
                None => {
                    let by = change.by.name.or(change.by.id).unwrap_or_else(|| "somebody".to_owned());
                    format!("done by {by}, without approval")
                }
            };
            self.step(request, RequestEvent::Changed { why }, "request.superseded", |entry| {
                entry.event = change.event.to_string();
            })
            .await?;
            return Ok(None);
        }
        Ok(Some(request.deadline))
    }

    /// Another request for the same, which was approved and begun and may be what turned the setting on.
    pub(super) async fn other_enable(&self, request: &Request) -> Result<Option<RequestNumber>, StoreError> {
        let query = RequestQuery {
            org: Some(request.frozen.org.clone()),
            app: Some(request.frozen.app.id.clone()),
            limit: OTHERS,
            ..RequestQuery::default()
        };
        let others = self.requests.requests(&query).await?.into_iter();
        let mut did = others.filter(|other| {
            other.number != request.number && other.frozen.action == Action::Enable && {
                match &other.stage {
                    Stage::Executing { since } | Stage::Verifying { since } => *since >= request.created,
                    Stage::Succeeded { at, .. } | Stage::Unclear { at, .. } => *at >= request.created,
                    _ => false,
                }
            }
        });
        Ok(did.next().map(|other| other.number))
    }

    /// Turns the setting on by the API: the one capability and nothing else, then reads everything back.
    pub(super) async fn enable(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<Option<Timestamp>, Stuck> {
        let app = &request.frozen.app.id;
        let before = directory.capabilities(app).await?;
        let began = self
            .step(request, RequestEvent::Begun, "write.begun", |entry| entry.before = listed(&before))
            .await?;
        if !began {
            return Ok(None);
        }
        let written = match directory.enable(app).await {
            Ok(written) => written,
            Err(failure @ DirectoryError::RateLimited { .. }) => {
                // Nothing was written: it waits as before, and all is looked at afresh before it is tried again.
                let why = failure.to_string();
                self.step(request, RequestEvent::PutOff { why }, "write.put_off", |_| {}).await?;
                return Err(failure.into());
            }
            Err(failure) if failure.may_have_been_done() => {
                warn!(request.id = %request.number, error = &failure as &dyn std::error::Error, "The answer is lost");
                return Ok(Some(self.clock.now() + ABANDONED));
            }
            Err(failure) => {
                let why = match &failure {
                    DirectoryError::Refused { .. } => {
                        format!(
                            "{NOT_BY_API}: {failure}. By hand it can be done: {}",
                            commands::console::TURN_ON
                        )
                    }
                    _ => failure.to_string(),
                };
                self.step(request, RequestEvent::Refused { why }, "write.refused", |_| {}).await?;
                return Ok(None);
            }
        };
        self.read_back(request, directory, &before, &written).await
    }

    /// Compares every other capability, and says loudly what else changed.
    async fn read_back(
        &self,
        request: &Request,
        directory: &dyn Directory,
        before: &BTreeMap<String, String>,
        written: &Written,
    ) -> Result<Option<Timestamp>, Stuck> {
        let okta_request = written.okta_request.clone().unwrap_or_default();
        self.wrote.insert((request.number, String::new()), okta_request.clone());
        info!(
            request.id = %request.number, okta.request_id = okta_request, app.id = %request.frozen.app.id,
            "Wrote to Okta: Deactivate Users turned on for {}", request.frozen.app.id
        );
        let after = match directory.capabilities(&request.frozen.app.id).await {
            Ok(after) => after,
            Err(failure) => {
                // It was written; it is compared when it can be read.
                warn!(request.id = %request.number, error = &failure as &dyn std::error::Error, "Not read back yet");
                return Ok(Some(self.clock.now() + ABANDONED));
            }
        };
        self.compared(request, before, &after, "write.done", okta_request).await
    }

    /// Notes that the setting is on, and loudly if Okta changed another one along with it.
    async fn compared(
        &self,
        request: &Request,
        before: &BTreeMap<String, String>,
        after: &BTreeMap<String, String>,
        done: &str,
        okta_request: String,
    ) -> Result<Option<Timestamp>, Stuck> {
        let others = differences(before, after);
        let (event, what) = match others.is_empty() {
            true => (RequestEvent::Done, done),
            false => (RequestEvent::Refused { why: changed_more(&others) }, "write.changed_more"),
        };
        self.step(request, event, what, |entry| {
            entry.after = listed(after);
            entry.okta_request = okta_request;
        })
        .await?;
        Ok(Some(self.clock.now()))
    }

    /// A write whose answer was lost, or that a crash cut off: what does Okta have? It is compared with what was noted
    /// before the write.
    pub(super) async fn read_what_became(
        &self,
        request: &Request,
        directory: &dyn Directory,
    ) -> Result<Option<Timestamp>, Stuck> {
        let app = &request.frozen.app.id;
        let read = async {
            match directory.app(app).await?.deactivates_users() {
                true => Ok(Some(directory.capabilities(app).await?)),
                false => Ok(None),
            }
        };
        let why = match read.await {
            Ok(Some(after)) => {
                let before = unlisted(&self.noted_before(request).await?);
                // The log may be late; the app is read once more, and soon.
                self.looked.insert(request.number, self.clock.now() - self.verify_within + ABANDONED);
                let okta_request = self.took_it(request).unwrap_or_default();
                return self.compared(request, &before, &after, "write.found_done", okta_request).await;
            }
            Ok(None) if self.took_it(request).is_some() => {
                "Okta took the change; Okta shows the setting off when asked afterwards".to_owned()
            }
            Ok(None) => "Okta's answer was lost; Okta shows the setting off when asked afterwards".to_owned(),
            Err(failure @ (DirectoryError::RateLimited { .. } | DirectoryError::Unreachable { .. })) => {
                return Err(failure.into());
            }
            Err(failure) => {
                format!("Okta's answer was lost, and what became of it cannot be read: {failure}")
            }
        };
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
        Ok(Some(self.clock.now()))
    }

    /// Okta's id of the write, where it answered that it took it.
    fn took_it(&self, request: &Request) -> Option<String> {
        self.wrote.get(&(request.number, String::new())).map(|id| id.clone())
    }

    /// The capabilities as they were noted before the write.
    async fn noted_before(&self, request: &Request) -> Result<String, StoreError> {
        let query = AuditQuery { request: Some(request.number), ..AuditQuery::default() };
        let entries = self.requests.entries(&query).await?;
        let begun = entries.into_iter().find(|entry| entry.draft.what == "write.begun");
        Ok(begun.map_or(String::new(), |entry| entry.draft.before))
    }

    /// The log's own record of the change, whoever made it; else, after a while, the app itself.
    pub(super) async fn verify_enabled(
        &self,
        request: &Request,
        since: Timestamp,
    ) -> Result<Option<Timestamp>, Stuck> {
        if let Some(turned) = self.turned_on_since(request).await? {
            let event = turned.on.event.to_string();
            let (next, what) = match turned.taken_back() {
                None => (RequestEvent::Proven { by: Some(turned.on.by) }, "request.proven"),
                Some(why) => (RequestEvent::Refused { why }, "request.failed"),
            };
            self.nameless.remove(&request.number);
            self.step(request, next, what, |entry| entry.event = event).await?;
            return Ok(None);
        }
        let now = self.clock.now();
        let guided = request.frozen.method == Method::Guided;
        // What was cut off is told soon after the restart, also where the log is late.
        let cut_off = !guided && since < self.started;
        let look_after = match guided {
            true => LOOK_EVERY,
            false if cut_off => ABANDONED,
            false => self.verify_within,
        };
        let looked = self.looked.get(&request.number).map_or(since, |at| *at);
        if now - looked < look_after {
            return Ok(Some(looked + look_after));
        }
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else {
            return self.orphaned(request).await;
        };
        let limit = if guided { BY_HAND_WITHIN } else { self.verify_within };
        let late = now - since >= limit;
        let read = directory.app(&request.frozen.app.id).await;
        // What became of a write of ours is asked again soon, where Okta did not answer.
        if guided || read.is_ok() {
            self.looked.insert(request.number, now);
        }
        let is_on = match read {
            Ok(app) => app.deactivates_users(),
            Err(failure @ DirectoryError::Gone { .. }) => {
                let why = failure.to_string();
                self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
                return Ok(None);
            }
            Err(failure) if late => {
                let why = format!("no proof came in time, and how it stands cannot be read: {failure}");
                self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
                return Ok(None);
            }
            Err(failure) => return Err(failure.into()),
        };
        if is_on && guided {
            // The log tells who did it, and is a little late.
            let on_since = *self.nameless.entry(request.number).or_insert(now);
            if now - on_since < NAMED_WITHIN {
                return Ok(Some(on_since + NAMED_WITHIN));
            }
        }
        if is_on {
            self.nameless.remove(&request.number);
            self.step(request, RequestEvent::Proven { by: None }, "request.proven", |entry| {
                entry.after = "read from the app; the log has not shown it".to_owned();
            })
            .await?;
            return Ok(None);
        }
        if cut_off && now - self.started >= ABANDONED {
            let why = "Provost was restarted while it waited for the proof, and so far neither Okta's log nor the app \
                       shows the change"
                .to_owned();
            self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await?;
            return Ok(Some(now));
        }
        self.nameless.remove(&request.number);
        if late {
            let why = if guided {
                "nobody turned the setting on within 24 hours".to_owned()
            } else {
                "Okta took the change, but neither its log nor the app shows it".to_owned()
            };
            self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
            return Ok(None);
        }
        Ok(Some(now + look_after.min(LOOK_EVERY)))
    }

    /// The newest change of the log that turned the setting on since it was asked for, and what took it back.
    async fn turned_on_since(&self, request: &Request) -> Result<Option<Turned>, StoreError> {
        let frozen = &request.frozen;
        let since = self.at_okta(&frozen.org, request.created).unwrap_or(request.created) - RESOLUTION;
        let changes = self.store.settings(&frozen.org, &frozen.app.id).await?.into_iter();
        let mut off = None;
        for change in changes.map(|(_, change)| change).take_while(|change| change.at >= since) {
            match change.on {
                true => return Ok(Some(Turned { on: change, off })),
                false => off = Some(change),
            }
        }
        Ok(None)
    }

    /// Whether Okta has not answered for so long what became of a write that nobody should wait for it. Then it is
    /// unclear, and told so; it is settled once Okta answers. People of a retry are unclear one by one.
    pub(super) async fn is_lost(
        &self,
        request: &Request,
        asked: Timestamp,
        failure: &DirectoryError,
    ) -> Result<bool, StoreError> {
        let frozen = &request.frozen;
        let (Stage::Executing { since: begun } | Stage::Verifying { since: begun }) = request.stage else {
            return Ok(false);
        };
        // It says when to come back; only where a restart came in between, nobody is to wait for that.
        let comes_back = matches!(failure, DirectoryError::RateLimited { .. }) && begun >= self.started;
        if comes_back || frozen.action != Action::Enable || frozen.method == Method::Guided {
            return Ok(false);
        }
        let since = *self.silent.entry(request.number).or_insert(asked);
        if self.clock.now() - since < ABANDONED {
            return Ok(false);
        }
        self.silent.remove(&request.number);
        let why = format!("Okta does not say whether it was done: {failure}");
        self.step(request, RequestEvent::Lost { why }, "write.unclear", |_| {}).await
    }

    /// It is unclear what became of it: asks Okta, and tells it. Nothing is written any more.
    pub(super) async fn settle(&self, request: &Request, at: Timestamp) -> Result<Option<Timestamp>, Stuck> {
        let Some((directory, _)) = self.orgs.get(&request.frozen.org) else { return Ok(None) };
        let (app, now) = (&request.frozen.app.id, self.clock.now());
        let turned = self.turned_on_since(request).await?;
        if let Some(why) = turned.as_ref().and_then(Turned::taken_back) {
            self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
            return Ok(None);
        }
        let change = turned.map(|turned| turned.on);
        let looked = self.looked.get(&request.number).map(|at| *at).filter(|looked| *looked >= at);
        // The log's word is acted upon at once, but where Okta does not answer it is not asked all the time.
        let since = if change.is_some() { looked } else { Some(looked.unwrap_or(at)) };
        if let Some(since) = since.filter(|since| now - *since < ABANDONED) {
            return Ok(Some(since + ABANDONED));
        }
        self.looked.insert(request.number, now);
        if !directory.app(app).await?.deactivates_users() {
            if now - at < self.verify_within {
                return Ok(Some(now + ABANDONED));
            }
            let why = "Okta did not do it: the setting is off. Ask again if it is still needed".to_owned();
            self.step(request, RequestEvent::Refused { why }, "request.failed", |_| {}).await?;
            return Ok(None);
        }
        let before = unlisted(&self.noted_before(request).await?);
        let after = directory.capabilities(app).await?;
        let others = differences(&before, &after);
        if !others.is_empty() {
            let why = changed_more(&others);
            let more = RequestEvent::Refused { why };
            self.step(request, more, "write.changed_more", |entry| entry.after = listed(&after)).await?;
            return Ok(None);
        }
        let event = change.as_ref().map_or(String::new(), |change| change.event.to_string());
        let proven = RequestEvent::Proven { by: change.map(|change| change.by) };
        self.step(request, proven, "request.proven", |entry| {
            entry.event = event;
            entry.after = listed(&after);
        })
        .await?;
        Ok(None)
    }
}

/// What the log tells of the setting since a request was made.
struct Turned {
    /// It was turned on.
    on: SettingChange,
    /// And off again.
    off: Option<SettingChange>,
}

impl Turned {
    /// That it was turned off again, and by whom.
    fn taken_back(&self) -> Option<String> {
        let off = self.off.as_ref()?;
        let by = off.by.name.as_deref().or(off.by.id.as_deref()).unwrap_or("somebody the log does not name");
        Some(format!("it was turned on, and {by} turned it off again. Talk to them before you ask again"))
    }
}

/// What is said loudly when Okta changed more than it was asked to.
fn changed_more(others: &[String]) -> String {
    format!(
        "Deactivate Users was turned on, but Okta changed other settings as well: {}. To undo, set them back in \
         Provisioning > To App",
        others.join("; ")
    )
}

fn listed(capabilities: &BTreeMap<String, String>) -> String {
    capabilities.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("; ")
}

/// What [`listed`] wrote.
fn unlisted(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split("; ").filter_map(|pair| pair.split_once(": "));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Every capability but the one that was meant, where it is not as it was.
fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let absent = "absent".to_owned();
    names
        .into_iter()
        .filter(|name| !name.contains("lifecycleDeactivate"))
        .filter_map(|name| {
            let (was, is) = (before.get(name).unwrap_or(&absent), after.get(name).unwrap_or(&absent));
            (was != is).then(|| format!("{name} was {was}, is {is}"))
        })
        .collect()
}
