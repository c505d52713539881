//! A ready text for the app's owner: what to do in the app, for which accounts, since when. It names an account by its
//! login, since that is how the owner finds it, and holds no more about anybody.

use std::fmt::Write;

use async_trait::async_trait;
use domain::cause::{Offer, Rules};
use domain::incident::Incident;
use jiff::Timestamp;

use crate::chat::{Call, File, Message, Opening};
use crate::desk::Desk;
use crate::errors::CommandError;
use crate::spec::{From, Role, Spec};
use crate::text::plain;
use crate::{Command, by_hand};

/// How many accounts a text lists.
const LISTED: usize = 500;

/// `Text for the app's owner`.
pub struct OwnerText;

#[async_trait]
impl Command for OwnerText {
    fn spec(&self) -> Spec {
        Spec {
            name: "owner-text",
            about: "Hand over a text for the app's owner.",
            role: Some(Role::Operator),
            opening: Opening::Private,
            options: &[by_hand::INCIDENT],
            from: From::ButtonOnly,
        }
    }

    async fn run(&self, call: &Call, desk: &Desk) -> Result<Message, CommandError> {
        let incident = by_hand::find_to_act(call, desk).await?;
        if let Some(over) = by_hand::is_over(&incident) {
            return Err(over);
        }
        let text = text(&incident, &desk.rules, desk.clock.now());
        Ok(Message {
            content: format!(
                "A text for the owner of {}: what to do in the app, and for whom. It holds the logins of {}; send it to \
                 nobody else. Once it is done there, say so with `/okta fixed`.",
                by_hand::name(&incident),
                by_hand::failing(&incident)
            ),
            files: vec![File {
                name: format!("to-do-in-the-app-{}.txt", incident.number.0),
                bytes: text.into_bytes(),
            }],
            ..Message::default()
        })
    }
}

/// The text.
pub fn text(incident: &Incident, rules: &Rules, now: Timestamp) -> String {
    let mut out = String::new();
    let label = plain(&incident.app.label, 200);
    let title = format!("To do in {label}");
    let line = "=".repeat(title.chars().count());
    let _ = writeln!(out, "{title}\n{line}\n");
    let cause = rules.cause(&incident.cause);
    if cause.offer.contains(&Offer::Enable) {
        let _ = writeln!(
            out,
            "Okta cannot give the people below their accounts in {label}: each of them has an account there from an\n\
             earlier time, and it is inactive. Please do one of the two for each:\n\n\
             \x20 - activate the account, if they are to go on with what is in it, or\n\
             \x20 - delete the account, if not; Okta then makes a new one."
        );
    } else {
        let _ = writeln!(
            out,
            "Okta cannot give the people below their accounts in {label}. What Okta reports: {}.\n\
             Please look at these accounts in {label}.",
            plain(&cause.title, 200)
        );
    }
    let _ = writeln!(
        out,
        "\nThen tell whoever sent you this. Okta does not try again by itself; they have to tell it to.\n\nAccounts\n"
    );
    let mut failing: Vec<_> = incident.failing().collect();
    failing.sort_by_key(|failure| (failure.first, failure.person.id.clone()));
    for failure in failing.iter().take(LISTED) {
        let login = failure.person.login.as_deref().unwrap_or(failure.person.id.as_str());
        let (first, last) = (day(failure.first), day(failure.last));
        let _ = writeln!(out, "  {}, failing since {first}, last tried {last}", plain(login, 120));
    }
    if failing.len() > LISTED {
        let _ = writeln!(out, "  … and {} more", failing.len() - LISTED);
    }
    let _ = writeln!(
        out,
        "\nWritten {now}, for incident {} of Okta org {}, app {}.",
        incident.number, incident.org, incident.app.id
    );
    out
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::cause::{CauseId, Confidence};
    use domain::event::{App, Person};
    use domain::incident::Change;
    use insta::assert_snapshot;

    #[test]
    fn it_says_what_to_do_for_which_accounts_and_no_more() {
        let at = |second: i64| Timestamp::from_second(1_700_000_000 + second).unwrap();
        let app = App { id: "0oaairbase".parse().unwrap(), label: "Airbase".to_owned() };
        let number = domain::ids::IncidentNumber(214);
        let cause = CauseId::inactive_account();
        let mut incident = Incident::new(number, "acme".parse().unwrap(), app, cause, at(0), false);
        for (id, login, second) in [("00udana", Some("dana@example.com"), 0), ("00ueli", None, 3_600)] {
            let person = Person {
                id: id.parse().unwrap(),
                login: login.map(str::to_owned),
                name: Some("Dana Reyes".to_owned()),
            };
            let change = Change::Failed {
                person,
                at: at(second),
                event: "6f2c".parse().unwrap(),
                transaction: None,
                reason: Some("Automatic provisioning of user Dana Reyes to app Airbase failed".to_owned()),
                confidence: Confidence::Certain,
                quiet: false,
            };
            incident = incident.after(change, at(second)).unwrap().0;
        }
        assert_snapshot!(text(&incident, &Rules::embedded(), at(7_200)), @"
        To do in Airbase
        ================

        Okta cannot give the people below their accounts in Airbase: each of them has an account there from an
        earlier time, and it is inactive. Please do one of the two for each:

          - activate the account, if they are to go on with what is in it, or
          - delete the account, if not; Okta then makes a new one.

        Then tell whoever sent you this. Okta does not try again by itself; they have to tell it to.

        Accounts

          dana@example.com, failing since 2023-11-14 22:13 UTC, last tried 2023-11-14 22:13 UTC
          00ueli, failing since 2023-11-14 23:13 UTC, last tried 2023-11-14 23:13 UTC

        Written 2023-11-15T00:13:20Z, for incident #214 of Okta org acme, app 0oaairbase.
        ");
    }
}
