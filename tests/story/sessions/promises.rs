//! What must hold: at the end of a session, and at each write.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail, ensure};
use domain::audit::{self, Entry};
use domain::incident::{EndedBecause, Ending, FailureState, Incident, Stage as IncidentStage};
use domain::request::{Action, Method, Outcome, Request, RequestNumber, Stage};
use domain::requests::{AuditQuery, RequestQuery};
use domain::store::{Query, Which};

use sim::okta::Task;

use super::steps::Session;
use crate::world::World;

/// What must be so once all is well again.
pub(super) async fn holds(world: &World, session: &Session) -> Result<()> {
    let mut failing: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let tasks = world.okta.tasks();
    for task in &tasks {
        failing.entry(&task.app).or_default().insert(task.user.clone());
    }
    let open = world.app.desk.store.incidents(&Query { which: Which::Open, ..Query::default() }).await?;
    let all = world.app.desk.store.incidents(&Query { which: Which::All, ..Query::default() }).await?;
    let lines = world.lines();
    for (app, label) in &session.apps {
        let mut wanted = failing.get(app.as_str()).cloned().unwrap_or_default();
        let shown: Vec<String> = open
            .iter()
            .filter(|incident| incident.app.id.as_str() == app)
            .flat_map(|incident| incident.failing().map(|failure| failure.person.id.to_string()))
            .collect();
        let unique: BTreeSet<String> = shown.iter().cloned().collect();
        // Whom somebody closed by hand is not shown until a push of theirs fails again.
        for task in tasks.iter().filter(|task| task.app == *app && !unique.contains(&task.user)) {
            if is_closed_by_hand(&all, task) {
                wanted.remove(&task.user);
            }
        }
        if let Some(person) = unique.symmetric_difference(&wanted).next() {
            let known: Vec<_> =
                all.iter().filter_map(|incident| incident.failures.get(&person.parse().ok()?)).collect();
            let log = history(world, person, app);
            bail!(
                "{label}: Okta has {wanted:?}, we have {shown:?}; of {person} we know {known:#?}, and the log says{log}"
            );
        }
        ensure!(shown.len() == unique.len(), "{label}: {shown:?} stand in two incidents");

        let going = ["[!] ACTION NEEDED", "[?] WAITING FOR APPROVAL", "[~] IN PROGRESS", "[x] FIX FAILED"];
        let alert = |line: &&str| line.contains("cannot be provisioned");
        let of = |start: &&str| format!("{start} · {label} · ");
        let cards: Vec<&str> = lines
            .iter()
            .filter_map(|line| going.iter().find_map(|start| line.strip_prefix(&of(start))))
            .filter(alert)
            .collect();
        let people = match wanted.len() {
            1 => "1 person cannot".to_owned(),
            n => format!("{n} people cannot"),
        };
        let right = match (wanted.len(), &cards[..]) {
            (0, []) => true,
            (0, _) => false,
            (_, [card]) => card.starts_with(&people),
            (_, _) => false,
        };
        ensure!(right, "{label}: {} are failing, and the channel says {cards:#?}", wanted.len());
    }
    once(world)?;
    closed_by_hand_says_so(world, &all).await?;
    partly_says_who_or_what(world).await?;
    nobody_is_left_unassigned(world, session).await?;
    written_as_promised(world).await
}

/// The method and path of every write that Okta took, with what was asked; one that was put off is none.
pub(super) fn writes(world: &World) -> Vec<(String, String, String)> {
    let exchanges = world.okta.ledger().exchanges().into_iter();
    exchanges
        .filter(|each| each.method != "GET" && each.path.starts_with("/api/v1/apps/") && each.status != 429)
        .map(|each| (each.method, each.path, each.request_body))
        .collect()
}

/// Every write was asked for, noted before it was made, and made once; and everything that was begun has an end.
async fn written_as_promised(world: &World) -> Result<()> {
    let requests = world.app.desk.requests.requests(&RequestQuery::default()).await?;
    let mut entries = world.app.desk.requests.entries(&AuditQuery::default()).await?;
    entries.reverse();
    audit::verify(entries.clone(), None).context("the audit")?;
    let noted = |what: &str, of: &dyn Fn(&Entry) -> bool| {
        entries.iter().filter(|entry| entry.draft.what == what && of(entry)).count()
    };
    for request in &requests {
        let ours = |entry: &Entry| entry.draft.request == Some(request.number);
        let begun = noted("write.begun", &ours) - noted("write.put_off", &ours);
        ensure!(
            begun <= 1,
            "{} was begun {begun} times: {:#?}",
            request.number,
            told(&entries, request.number)
        );
        for person in request.outcomes.keys() {
            let about = |entry: &Entry| ours(entry) && entry.draft.before == format!("person {person}");
            let pushes = noted("push.begun", &about) - noted("push.put_off", &about);
            ensure!(pushes <= 1, "{} pushed {person} {pushes} times", request.number);
            let about = |entry: &Entry| ours(entry) && is_about(entry, person.as_str());
            let count = |what: &str| noted(what, &about);
            let taken = count("unassign.begun") - count("unassign.put_off");
            ensure!(taken <= 1, "{} unassigned {person} {taken} times", request.number);
            let given = count("assign.begun") - count("assign.put_off") - count("assign.found_undone");
            ensure!(given <= 1, "{} assigned {person} {given} times", request.number);
        }
        if request.frozen.action == Action::Fixed {
            let begun = entries.iter().find(|entry| ours(entry) && BEGUN.contains(&&*entry.draft.what));
            ensure!(begun.is_none(), "{} was only said, and wrote: {begun:?}", request.number);
        }
        approved_by_others(request)?;
        if domain::review::is_due(request) {
            let given = world.app.desk.requests.review(request.number).await?.is_some();
            let open = world.app.desk.requests.unreviewed().await?;
            let waits = open.iter().any(|open| open.number == request.number);
            ensure!(given != waits, "{}: reviewed {given}, to be reviewed {waits}", request.number);
        }
        rests_on_no_changed_link(world, request).await?;
        is_where_it_may_be(request, &entries)?;
    }
    let mut times: BTreeMap<(String, String, String), usize> = BTreeMap::new();
    for write in writes(world) {
        *times.entry(write).or_default() += 1;
    }
    for ((method, path, body), times) in times {
        let app = path.trim_start_matches("/api/v1/apps/").split('/').next().unwrap_or_default();
        let of_app = |entry: &Entry| entry.draft.app.as_ref().is_some_and(|id| id.as_str() == app);
        let noted = match path.rsplit_once("/users/") {
            Some((_, person)) if method == "DELETE" => {
                noted("unassign.begun", &|entry| of_app(entry) && is_about(entry, person))
            }
            None if path.ends_with("/users") => {
                let json: serde_json::Value = serde_json::from_str(&body)?;
                let person = json["id"].as_str().unwrap_or_default();
                let about = |entry: &Entry| of_app(entry) && is_about(entry, person);
                noted("assign.begun", &about) + noted("assign.without_profile", &about)
            }
            Some((_, person)) => noted("push.begun", &|entry| {
                of_app(entry) && entry.draft.before == format!("person {person}")
            }),
            None => noted("write.begun", &|entry| of_app(entry) && !entry.draft.before.is_empty()),
        };
        ensure!(
            times <= noted,
            "{method} {path} was written {times} times with {body}, and noted {noted} times"
        );
    }
    Ok(())
}

/// Nothing is left in the middle, and what is called proven is.
fn is_where_it_may_be(request: &Request, entries: &[Entry]) -> Result<()> {
    let number = request.number;
    let guided = request.frozen.method == Method::Guided;
    match &request.stage {
        Stage::Approved | Stage::Executing { .. } => bail!("{number} was left {}", request.stage.word()),
        Stage::Verifying { .. } => ensure!(guided, "{number} is still being verified"),
        Stage::Succeeded { .. } => {
            let proven =
                |entry: &Entry| entry.draft.request == Some(number) && entry.draft.what == "request.proven";
            ensure!(entries.iter().any(proven), "{number} succeeded without a proof");
            let all = request.outcomes.values().all(|outcome| matches!(outcome, Outcome::Proven(_)));
            ensure!(all, "{number} succeeded, and not everybody of it is proven");
            let approved = request.approvals.len() >= request.frozen.gate.approvals as usize;
            ensure!(approved || request.frozen.breakglass, "{number} was done without its approvals");
        }
        _ => {}
    }
    Ok(())
}

/// What Okta logged about a person and an app, in the order in which it came into the log.
fn history(world: &World, person: &str, app: &str) -> String {
    let mut out = String::new();
    for event in world.okta.log() {
        let text = event.to_string();
        if text.contains(app) && (text.contains(person) || text.contains("lifecycle.update")) {
            let [at, kind, result] =
                ["/published", "/eventType", "/outcome/result"].map(|field| event.pointer(field));
            let word = |value: Option<&serde_json::Value>| value.map_or(String::new(), ToString::to_string);
            out.push_str(&format!("\n  {} {} {}", word(at), word(kind), word(result)));
        }
    }
    out
}

/// No chapter has two messages, unless the second says that it may be one; no thread says a line twice.
fn once(world: &World) -> Result<()> {
    let mut chapters = BTreeSet::new();
    for message in world.discord.messages(world.channel) {
        if message.content.contains("(may repeat an earlier message)") {
            continue;
        }
        let Some(footer) = message.json.pointer("/embeds/0/footer/text") else { continue };
        ensure!(chapters.insert(footer.to_string()), "two messages are {footer}");
        let mut said = BTreeSet::new();
        for line in world.discord.thread_of(message.id) {
            ensure!(said.insert(line.content.clone()), "the thread says twice: {}", line.content);
        }
    }
    Ok(())
}

/// What somebody closed by hand says that it is closed, and by whom; nothing says that it is fixed.
async fn closed_by_hand_says_so(world: &World, all: &[Incident]) -> Result<()> {
    let entries = world.app.desk.requests.entries(&AuditQuery::default()).await?;
    for incident in all {
        let IncidentStage::Over { how: Ending::Closed, .. } = incident.stage else { continue };
        let of = format!("incident {}: ", incident.number);
        // Newest first.
        let closed = entries
            .iter()
            .find(|entry| entry.draft.what == "incident.closed" && entry.draft.before.starts_with(&of));
        let by = closed.and_then(|entry| entry.draft.member);
        let by = by.with_context(|| format!("{} is closed, and nobody closed it", incident.number))?;
        // As people see a mention.
        let by = world.discord.members().into_iter().find(|somebody| somebody.id == by.0).map(|it| it.name);
        let by = format!("Closed by @{}:", by.unwrap_or_default());
        let cards = cards(world, &commands::alert::footer(incident, incident.chapter));
        let start = format!("[=] CLOSED BY HAND · {} · ", incident.app.label);
        let says = |card: &String| card.starts_with(&start) && card.contains(&by);
        ensure!(cards.iter().any(says), "{} does not say {by:?}: {cards:#?}", incident.number);
        let fixed = cards.iter().find(|card| card.starts_with("[✓]"));
        ensure!(fixed.is_none(), "{} was closed by hand, and says {fixed:?}", incident.number);
    }
    Ok(())
}

/// What worked in part names whom or what it did not work for.
async fn partly_says_who_or_what(world: &World) -> Result<()> {
    for request in world.app.desk.requests.requests(&RequestQuery::default()).await? {
        let Stage::Partly { why, .. } = &request.stage else { continue };
        let cards = cards(world, &commands::request_card::footer(&request));
        let named: Vec<String> = match request.frozen.action {
            // What is not as it was, by the names of the attributes.
            Action::Reassign => {
                let (_, lost) = why.split_once("ot all of the assignment is as it was: ").unwrap_or_default();
                let lost = lost.split(". ").next().unwrap_or_default();
                lost.split(", ").map(str::to_owned).collect()
            }
            _ => {
                let people = world.okta.person_views();
                let failed =
                    request.outcomes.iter().filter(|(_, outcome)| !matches!(outcome, Outcome::Proven(_)));
                let name = |id: &str| people.iter().find(|each| each.id == id).map(|each| each.name.clone());
                failed.filter_map(|(person, _)| name(person.as_str())).take(5).collect()
            }
        };
        ensure!(
            named.iter().any(|name| !name.is_empty()),
            "{} left somebody or something: {why}",
            request.number
        );
        let says = |card: &String| named.iter().all(|name| card.contains(name));
        ensure!(cards.iter().any(says), "{} does not name {named:?}: {cards:#?}", request.number);
    }
    Ok(())
}

/// What worked in part, for those who look whether that happens at all.
pub(super) async fn in_part(world: &World) -> Result<BTreeSet<String>> {
    let requests = world.app.desk.requests.requests(&RequestQuery::default()).await?.into_iter();
    let partly = requests.filter(|request| matches!(request.stage, Stage::Partly { .. }));
    Ok(partly.map(|request| format!("a {} in part", request.frozen.action.word())).collect())
}

/// Everything that stands on the messages with this footer.
fn cards(world: &World, footer: &str) -> Vec<String> {
    let messages = world.discord.messages(world.channel).into_iter();
    let of = messages.filter(|message| message.embeds.iter().any(|card| card.footer == footer));
    of.map(|message| format!("{}\n{:?}", message.content, message.embeds)).collect()
}

/// The entries that come before a write of a request that waits for somebody's right. Giving somebody back what was
/// taken away does not.
const BEGUN: [&str; 3] = ["write.begun", "push.begun", "unassign.begun"];

/// What the audit holds of a request.
fn told(entries: &[Entry], number: RequestNumber) -> Vec<String> {
    let ours = entries.iter().filter(|entry| entry.draft.request == Some(number));
    ours.map(|entry| {
        format!("{} {} {} {}", entry.at, entry.draft.what, entry.draft.outcome, entry.draft.reason)
    })
    .collect()
}

/// Whether an entry is about that person.
fn is_about(entry: &Entry, person: &str) -> bool {
    let before = entry.draft.before.strip_prefix("person ").unwrap_or_default();
    before.split(';').next() == Some(person)
}

/// Whether it was closed by hand after the last time that it failed.
fn is_closed_by_hand(all: &[Incident], task: &Task) -> bool {
    let of_app = all.iter().filter(|incident| incident.app.id.as_str() == task.app);
    let mut known = of_app.flat_map(|incident| incident.failures.values());
    known.any(|failure| match failure.state {
        FailureState::Ended { why: EndedBecause::ClosedByHand, at } => {
            failure.person.id.as_str() == task.user && at >= task.last
        }
        _ => false,
    })
}

/// Whoever asked for what was begun since, and approved it, still had the right; the end of the audit.
pub(super) async fn had_the_right(world: &World, from: i64, seen: &mut BTreeSet<String>) -> Result<i64> {
    let entries = world.app.desk.requests.chain(from).await?;
    seen.extend(entries.iter().map(|entry| entry.draft.what.clone()));
    let end = entries.last().map_or(from, |entry| entry.number + 1);
    for entry in entries.iter().filter(|entry| BEGUN.contains(&&*entry.draft.what)) {
        let Some(number) = entry.draft.request else { bail!("a write without a request: {entry:?}") };
        let request = world.app.desk.requests.request(number).await?.context("no such request")?;
        let frozen = &request.frozen;
        let role = if frozen.breakglass { "breakglass" } else { "operator" };
        ensure!(world.holds(frozen.requester.0, role), "{number}: {} for who is no {role}", entry.draft.what);
        // With nobody else on call, any approver may.
        let members = world.discord.members();
        let others_on_call = members.iter().any(|somebody| {
            somebody.id != frozen.requester.0 && somebody.roles.iter().any(|role| role == "oncall")
        });
        let counts = |member: u64| {
            world.holds(member, "approver") && (!others_on_call || world.holds(member, "oncall"))
        };
        let approvals = request.approvals.iter().filter(|given| counts(given.by.0)).count();
        let enough = frozen.breakglass || approvals >= frozen.gate.approvals as usize;
        ensure!(enough, "{number}: {} with {approvals} approvals that counted", entry.draft.what);
    }
    Ok(end)
}

/// Nobody approved what they asked for themselves, nor twice, by member or by linked person.
fn approved_by_others(request: &Request) -> Result<()> {
    let frozen = &request.frozen;
    let mut members = BTreeSet::from([frozen.requester]);
    let mut people: BTreeSet<_> = frozen.requester_person.iter().cloned().collect();
    for given in &request.approvals {
        ensure!(members.insert(given.by), "{}: {} approved it", request.number, given.by);
        if let Some(person) = &given.person {
            ensure!(people.insert(person.clone()), "{}: {person} approved it", request.number);
        }
    }
    Ok(())
}

/// What still waits rests on links that are as they were.
async fn rests_on_no_changed_link(world: &World, request: &Request) -> Result<()> {
    if request.stage != Stage::Pending {
        return Ok(());
    }
    let links = world.app.desk.book.links().await?;
    let now = |member| links.iter().find(|link| link.member == member).map(|link| &link.person);
    let asked = std::iter::once((request.frozen.requester, &request.frozen.requester_person));
    for (member, then) in asked.chain(request.approvals.iter().map(|given| (given.by, &given.person))) {
        let same = then.as_ref().is_none_or(|then| now(member) == Some(then));
        ensure!(same, "{} waits, and rests on a link of {member} that is gone", request.number);
    }
    Ok(())
}

/// Whom Provost unassigned has the app again, with what stood there, unless somebody took it away since or the request
/// says loudly that it is not so.
async fn nobody_is_left_unassigned(world: &World, session: &Session) -> Result<()> {
    for request in world.app.desk.requests.requests(&RequestQuery::default()).await? {
        let number = request.number;
        let kept = world.app.desk.requests.kept_profile(number).await?.is_some();
        let (Action::Reassign, Some(person)) = (request.frozen.action, request.frozen.people.first()) else {
            continue;
        };
        let (person, app) = (person.to_string(), request.frozen.app.id.to_string());
        let pair = (person.clone(), app.clone());
        if session.unassigned.contains(&pair) {
            continue;
        }
        let loud = matches!(&request.stage, Stage::Unclear { .. } | Stage::Partly { .. });
        let assigned = world.okta.is_assigned(&person, &app);
        ensure!(assigned || (loud && kept), "{number} left {person} unassigned: {:?}", request.stage);
        if let (true, Some(was), Stage::Succeeded { .. }) =
            (assigned, session.filled.get(&pair), &request.stage)
        {
            let now = world.okta.attribute(&person, &app, "role");
            ensure!(now.as_ref() == Some(was), "{number} left {person} with {now:?} instead of {was}");
        }
    }
    Ok(())
}
