//! Interactions: the first answer, the last one, and what goes wrong between them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::bot::{Bot, pressed, submitted, typed};
use crate::fake::{Fake, Fault};

const CALLBACK: &str = "POST /interactions/11/";
const ORIGINAL: &str = "PATCH /webhooks/12/";
const FOLLOW_UP: &str = "POST /webhooks/12/";

async fn bot() -> (Fake, Bot) {
    let fake = Fake::start().await;
    let mut bot = Bot::start(&fake, &Arc::default());
    bot.ready().await;
    (fake, bot)
}

#[tokio::test]
async fn a_slow_command_is_acknowledged_before_it_runs() {
    let (fake, bot) = bot().await;
    fake.interact(&typed(11, "slow"));

    let first = fake.wait_for(CALLBACK, 1).await;
    assert_eq!(first[0].body, json!({ "type": 5, "data": { "flags": 64 } }));
    assert_eq!(first[0].authorization, None, "the interaction's token is enough");
    assert!(fake.asked(ORIGINAL).is_empty());

    bot.front.gate.add_permits(1);
    let last = fake.wait_for(ORIGINAL, 1).await;
    assert_eq!(last[0].body["content"], "Done for 0oa1.");
    bot.stop().await;
}

#[tokio::test]
async fn an_event_that_comes_twice_is_run_once() {
    let (fake, bot) = bot().await;
    for id in [11, 11, 11, 12] {
        fake.interact(&typed(id, "quick"));
    }
    fake.wait_for(ORIGINAL, 2).await;
    assert_eq!(fake.asked("POST /interactions").len(), 2);
    assert_eq!(*bot.front.ran.lock().unwrap(), ["quick", "quick"]);
    bot.stop().await;
}

#[tokio::test]
async fn what_another_process_answered_is_not_run_here() {
    let (fake, bot) = bot().await;
    fake.next(CALLBACK, Fault::new(400, r#"{"code":40060,"message":"already acknowledged"}"#));
    fake.interact(&typed(11, "quick"));
    fake.interact(&typed(12, "quick"));
    fake.wait_for(ORIGINAL, 1).await;
    assert_eq!(bot.front.ran.lock().unwrap().len(), 1);
    bot.stop().await;
}

#[tokio::test]
async fn an_acknowledgement_whose_answer_is_lost_counts() {
    let (fake, bot) = bot().await;
    fake.next(CALLBACK, Fault { done: true, ..Fault::new(502, "<html>") });
    fake.next(CALLBACK, Fault::new(400, r#"{"code":40060,"message":"already acknowledged"}"#));
    fake.interact(&typed(11, "quick"));
    fake.wait_for(ORIGINAL, 1).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_panic_is_answered_and_the_next_command_runs() {
    let (fake, bot) = bot().await;
    fake.interact(&typed(11, "panics"));
    let sorry = fake.wait_for(ORIGINAL, 1).await;
    assert!(sorry[0].body["content"].as_str().unwrap().ends_with("Reference: 11"), "{:?}", sorry[0].body);

    fake.interact(&typed(12, "panics-first"));
    let refused = fake.wait_for("POST /interactions/12/", 1).await;
    assert_eq!((&refused[0].body["type"], &refused[0].body["data"]["flags"]), (&json!(4), &json!(64)));

    fake.interact(&pressed(13, "v1:panics-on-card:0oa1"));
    let beside = fake.wait_for(FOLLOW_UP, 1).await;
    assert_eq!(beside[0].body["flags"], 64, "the card stays as it is");

    fake.interact(&typed(14, "quick"));
    fake.wait_for(ORIGINAL, 2).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_draft_is_shown_and_never_after_the_answer() {
    let (fake, bot) = bot().await;
    let late = Fault { after: Duration::from_millis(150), done: true, ..Fault::new(200, "{}") };
    fake.next(ORIGINAL, late);
    fake.interact(&typed(11, "drafts"));
    fake.wait_for(ORIGINAL, 1).await;
    bot.front.gate.add_permits(1);
    let shown = fake.wait_for(ORIGINAL, 2).await;
    let contents: Vec<_> = shown.iter().map(|asked| asked.body["content"].clone()).collect();
    assert_eq!(contents, ["First findings.", "Done for 0oa1."]);
    assert!(shown[1].at.duration_since(shown[0].at) >= Duration::from_millis(150), "after the draft is done");
    bot.stop().await;
    assert_eq!(fake.asked(ORIGINAL).len(), 2);
}

#[tokio::test]
async fn a_button_changes_its_message() {
    let (fake, bot) = bot().await;
    fake.interact(&pressed(11, "v1:card:0oa1"));
    assert_eq!(fake.wait_for(CALLBACK, 1).await[0].body, json!({ "type": 6 }));
    assert_eq!(fake.wait_for(ORIGINAL, 1).await[0].body["components"], json!([]));
    bot.stop().await;
}

#[tokio::test]
async fn suggestions_are_the_first_answer() {
    let (fake, bot) = bot().await;
    let mut typing = typed(11, "quick");
    typing["type"] = json!(4);
    typing["data"]["options"][0]["options"][0] =
        json!({ "name": "app", "type": 3, "value": "sla", "focused": true });
    fake.interact(&typing);
    let choices = json!([{ "name": "app sla…", "value": "0oa1" }]);
    assert_eq!(
        fake.wait_for(CALLBACK, 1).await[0].body,
        json!({ "type": 8, "data": { "choices": choices } })
    );
    bot.stop().await;
}

#[tokio::test]
async fn what_is_not_for_us_is_refused_privately_and_runs_nothing() {
    let (fake, bot) = bot().await;
    let good = typed(11, "quick");
    let with = |at: &str, to: Value| {
        let mut other = good.clone();
        other[at] = to;
        other
    };
    let table = [
        ("in the server", with("guild_id", json!("2"))),
        ("in the server", with("guild_id", Value::Null)),
        ("for people only", with("member", Value::Null)),
        ("for people only", with("member", json!({ "user": { "id": "5", "bot": true }, "roles": [] }))),
        ("You may not.", typed(11, "refused")),
        ("not one of ours", pressed(11, "v1:steal:0oa1")),
        ("not one of ours", pressed(11, &format!("v1:quick:{}", "x".repeat(100)))),
        ("could not read", with("type", json!(6))),
        ("could not read", with("data", json!("?"))),
    ];
    for (number, (words, mut interaction)) in (100..).zip(table) {
        interaction["id"] = json!(number.to_string());
        fake.interact(&interaction);
        let answer = fake.wait_for(&format!("POST /interactions/{number}/"), 1).await;
        let body = &answer[0].body;
        assert_eq!((&body["type"], &body["data"]["flags"]), (&json!(4), &json!(64)), "{words}");
        assert!(body["data"]["content"].as_str().unwrap().contains(words), "{words}: {body}");
    }
    assert!(bot.front.ran.lock().unwrap().is_empty());
    let front = Arc::clone(&bot.front);
    bot.stop().await;
    // What was refused in our server goes on record; what came from elsewhere is nobody we know.
    let mut away: Vec<_> = front.turned_away.lock().unwrap().iter().map(|(_, verb)| verb.clone()).collect();
    away.sort();
    assert_eq!(away, [None, None, Some("refused".to_owned())]);
}

#[tokio::test]
async fn fifty_at_once_are_all_acknowledged_while_one_hangs() {
    let (fake, bot) = bot().await;
    fake.next("POST /interactions/200/", Fault { after: Duration::from_secs(3), ..Fault::new(204, "") });
    for id in 200..250 {
        fake.interact(&typed(id, "quick"));
    }
    fake.wait_for(ORIGINAL, 49).await;
    bot.stop().await;
}

#[tokio::test]
async fn a_dialog_is_the_first_answer_and_runs_nothing() {
    let (fake, bot) = bot().await;
    fake.interact(&pressed(11, "v1:asks:quick"));
    let input = json!({
        "type": 4, "custom_id": "reason", "style": 2, "label": "Why?", "placeholder": "A ticket, a name",
        "min_length": 10, "max_length": 500, "required": true,
    });
    let rows = json!([{ "type": 1, "components": [input] }]);
    let data = json!({ "custom_id": "v1:quick", "title": "Enable", "components": rows });
    assert_eq!(fake.wait_for(CALLBACK, 1).await[0].body, json!({ "type": 9, "data": data }));
    bot.stop().await;
}

#[tokio::test]
async fn a_submission_is_answered_on_its_message_where_it_has_one() {
    let (fake, bot) = bot().await;
    for (id, custom_id, on, kind) in [
        (11, "v1:card:0oa1", true, 6),
        (12, "v1:card:0oa1", false, 5),
        (13, "v1:quick:0oa1", true, 5),
        (14, "v1:quick:0oa1", false, 5),
    ] {
        fake.interact(&submitted(id, custom_id, on));
        let first = fake.wait_for(&format!("POST /interactions/{id}/"), 1).await;
        assert_eq!(first[0].body["type"], kind, "{custom_id} {on}");
    }
    fake.wait_for(ORIGINAL, 4).await;
    assert_eq!(bot.front.ran.lock().unwrap().len(), 4);
    bot.stop().await;
}

#[tokio::test]
async fn a_dialog_that_cannot_be_opened_is_refused_with_words() {
    let (fake, bot) = bot().await;
    fake.interact(&submitted(11, "v1:asks:quick", true));
    fake.interact(&pressed(12, "v1:asks-nothing:quick"));
    fake.interact(&typed(13, "promises"));
    for id in 11..14 {
        let answer = fake.wait_for(&format!("POST /interactions/{id}/"), 1).await;
        let body = &answer[0].body;
        assert_eq!((&body["type"], &body["data"]["flags"]), (&json!(4), &json!(64)), "{body}");
        assert!(body["data"]["content"].as_str().unwrap().contains("Nothing was done"), "{body}");
    }
    assert!(bot.front.ran.lock().unwrap().is_empty());
    bot.stop().await;
}
