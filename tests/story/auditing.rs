//! `/okta audit`: the record as people ask for it, as a list and as a file.

use anyhow::{Context, Result};
use commands::chat::Message;

use crate::world::{World, read};

const FORMULA: &str = r#"=HYPERLINK("http://evil.example","the owner")"#;
const DENIED: &str = "+the owner wants it off";

/// Two requests for two apps by two people: one was denied, one was done.
async fn where_two_were_asked_for() -> Result<World> {
    let (world, _, _) = World::where_dana_came_back_to("Slack", "slack").await?;
    let zoom = world.okta.installs("Zoom", "zoomus", sim::okta::DeactivateUsers::Off);
    let ben = world.okta.hires("Ben", "Okoro");
    world.okta.left_inactive(&ben, &zoom);
    world.okta.assigns(&ben, &zoom);
    world.settles().await?;
    world.asks_to_enable("Olive", "Slack", FORMULA).await?;
    let ask = world.button("Deny…").context("no button")?;
    let deny = commands::chat::CustomId::new("deny", ask.args);
    world.acts("Ada", &deny, &[("why", DENIED)]).await;
    world.asks_to_enable("Oscar", "Zoom", "rehires fail since Monday").await?;
    world.presses_card("Abe", "Approve").await?;
    world.works().await?;
    Ok(world)
}

/// The rows of the file without its heading, cell by cell.
fn rows(message: &Message) -> Result<Vec<Vec<String>>> {
    let file = message.files.first().with_context(|| format!("no file with {}", read(message)))?;
    assert_eq!(file.name, "audit.csv");
    let text = String::from_utf8(file.bytes.clone())?;
    let mut lines = text.lines();
    let heading =
        "number,at,what,member,person,org,app,request,reason,before,after,okta_request,event,outcome,hash";
    assert_eq!(lines.next(), Some(heading));
    Ok(lines.map(cells).collect())
}

fn cells(line: &str) -> Vec<String> {
    let (mut cells, mut quoted) = (vec![String::new()], false);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                cells.last_mut().expect("one cell").extend(letters.next())
            }
            '"' => quoted = !quoted,
            ',' if !quoted => cells.push(String::new()),
            other => cells.last_mut().expect("one cell").push(other),
        }
    }
    cells
}

/// One column of the rows.
fn column(rows: &[Vec<String>], at: usize) -> Vec<&str> {
    rows.iter().map(|row| row[at].as_str()).collect()
}

const WHAT: usize = 2;
const MEMBER: usize = 3;
const APP: usize = 6;
const REQUEST: usize = 7;

#[tokio::test]
async fn the_whole_record_is_listed_newest_first_and_comes_as_a_file() -> Result<()> {
    let world = where_two_were_asked_for().await?;
    for _ in 0..5 {
        world.says("Root", "pause", &[("reason", "an exercise")]).await;
        world.says("Root", "resume", &[]).await;
    }
    let mut chain = world.app.desk.requests.chain(1).await?;
    chain.reverse();

    let answer = world.says("Ada", "audit", &[]).await;

    assert_eq!(answer.content, format!("{} entries, newest first.", chain.len()));
    let list = answer.card.as_ref().context("no list")?.body.clone();
    let shown: Vec<&str> = list.lines().collect();
    assert_eq!(shown.len(), 12, "{list}");
    for (line, entry) in shown.iter().zip(&chain) {
        assert!(line.starts_with(&format!("#{} `{}`", entry.number, &entry.hash[..16])), "{line}");
        assert!(line.contains(&format!("**{}**", entry.draft.what)), "{line}");
    }
    assert!(shown[0].contains(&world.mention("Root")), "{}", shown[0]);
    let rows = rows(&answer)?;
    let numbers: Vec<String> = chain.iter().map(|entry| entry.number.to_string()).collect();
    let hashes: Vec<&str> = chain.iter().map(|entry| entry.hash.as_str()).collect();
    assert_eq!(column(&rows, 0), numbers);
    assert_eq!(column(&rows, 14), hashes);
    Ok(())
}

#[tokio::test]
async fn it_is_narrowed_to_an_app_a_member_a_request_and_to_all_of_them() -> Result<()> {
    let world = where_two_were_asked_for().await?;
    let (slack, zoom) =
        (world.okta.app_id("Slack").context("Slack")?, world.okta.app_id("Zoom").context("Zoom")?);
    let (olive, ada) = (world.member("Olive").to_string(), world.member("Ada").to_string());

    let of_app = rows(&world.says("Ada", "audit", &[("app", "Slack")]).await)?;
    assert_eq!(column(&of_app, WHAT), ["request.denied", "request.confirmed"]);
    assert!(column(&of_app, APP).iter().all(|app| *app == slack), "{of_app:?}");

    let of_member = rows(&world.says("Ada", "audit", &[("member", &ada)]).await)?;
    assert_eq!(column(&of_member, WHAT), ["request.denied"]);
    assert_eq!(column(&of_member, MEMBER), [ada.as_str()]);

    for typed in ["R2", "r2", "2"] {
        let of_request = rows(&world.says("Ada", "audit", &[("request", typed)]).await)?;
        let mut what = column(&of_request, WHAT);
        what.reverse();
        let expected =
            ["request.confirmed", "request.approved", "write.begun", "write.done", "request.proven"];
        assert_eq!(what, expected, "{typed}");
        assert!(column(&of_request, REQUEST).iter().all(|number| *number == "R2"), "{of_request:?}");
        assert!(column(&of_request, APP).iter().all(|app| *app == zoom), "{of_request:?}");
    }

    let all = [("app", "Slack"), ("member", olive.as_str()), ("request", "R1")];
    let one = world.says("Ada", "audit", &all).await;
    assert_eq!(one.content, "1 entry.");
    assert_eq!(column(&rows(&one)?, WHAT), ["request.confirmed"]);
    let none = [("app", "Zoom"), ("member", olive.as_str())];
    let none = world.says("Ada", "audit", &none).await;
    assert_eq!(none.content, "The audit holds nothing that matches.");
    assert!(none.files.is_empty() && none.card.is_none());
    Ok(())
}

#[tokio::test]
async fn what_somebody_typed_is_no_formula_in_the_file_and_no_markup_in_the_list() -> Result<()> {
    let world = where_two_were_asked_for().await?;

    let answer = world.says("Ada", "audit", &[("request", "R1")]).await;

    let rows = rows(&answer)?;
    assert_eq!(column(&rows, 8), [format!("'{DENIED}"), format!("'{FORMULA}")]);
    let harmless = |cell: &String| !cell.starts_with(['=', '+', '-', '@']);
    assert!(rows.iter().flatten().all(harmless), "{rows:?}");
    Ok(())
}

#[tokio::test]
async fn what_no_entry_can_match_is_answered_with_what_would_be_right() -> Result<()> {
    let world = where_two_were_asked_for().await?;
    for (option, typed, words) in [
        ("app", "Slck", "No app is called “Slck”"),
        ("request", "the first one", "the first one"),
        ("member", "Ada", "Ada"),
        ("request", "R99", "The audit holds nothing that matches"),
    ] {
        let answer = world.says("Ada", "audit", &[(option, typed)]).await;
        assert!(answer.content.contains(words), "{option} {typed}: {}", answer.content);
        assert!(answer.files.is_empty() && answer.card.is_none(), "{option} {typed}");
    }
    Ok(())
}

#[tokio::test]
async fn whoever_may_not_read_it_sees_nothing_of_it() -> Result<()> {
    let world = where_two_were_asked_for().await?;

    let (answer, drafts) = world.calls(&[], "audit", &[("request", "R1")], None).await;

    assert!(
        answer.content.starts_with("You may not use this: it takes the role **viewer**"),
        "{}",
        answer.content
    );
    assert!(answer.card.is_none() && answer.files.is_empty() && answer.rows.is_empty() && drafts.is_empty());
    Ok(())
}
