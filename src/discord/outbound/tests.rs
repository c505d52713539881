use super::*;
use commands::chat::{Choice, CustomId, Field, Input};
use domain::ids::{MemberId, RoleId};
use proptest::prelude::*;

/// What Discord would find fault with.
fn faults(payload: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut check = |what: &str, text: &Value, least: usize, most: usize| {
        let Some(text) = text.as_str() else { return };
        let length = units(text.trim());
        if length < least || length > most {
            faults.push(format!("{what}: {length}"));
        }
    };
    check("content", &payload["content"], 0, 2_000);
    let mut total = 0;
    for embed in payload["embeds"].as_array().into_iter().flatten() {
        check("title", &embed["title"], 1, 256);
        check("description", &embed["description"], 1, 4_096);
        check("footer", &embed["footer"]["text"], 1, 2_048);
        let fields = embed["fields"].as_array().cloned().unwrap_or_default();
        for field in &fields {
            check("name", &field["name"], 1, 256);
            check("value", &field["value"], 1, 1_024);
        }
        let texts = fields.iter().flat_map(|field| [&field["name"], &field["value"]]);
        let texts = texts.chain([&embed["title"], &embed["description"], &embed["footer"]["text"]]);
        total += texts.filter_map(Value::as_str).map(units).sum::<usize>();
    }
    let (mut ids, mut twice) = (HashSet::new(), false);
    let rows = payload["components"].as_array().cloned().unwrap_or_default();
    for part in rows.iter().flat_map(|row| row["components"].as_array().cloned().unwrap_or_default()) {
        check("label", &part["label"], 1, 80);
        check("placeholder", &part["placeholder"], 1, 150);
        check("custom_id", &part["custom_id"], 1, 100);
        for option in part["options"].as_array().into_iter().flatten() {
            check("option", &option["label"], 1, 100);
            check("option value", &option["value"], 1, 100);
        }
        let id = part["custom_id"].as_str();
        twice |= id.is_some_and(|id| !ids.insert(id.to_owned()));
    }
    if total > 6_000 || rows.len() > 5 || twice {
        faults.push(format!("in all: {total}, {} rows, a custom_id twice: {twice}", rows.len()));
    }
    faults
}

/// Strings up to 100 kB: a few characters of any script, sometimes many times over.
fn text() -> impl Strategy<Value = String> {
    let many = prop_oneof![Just(1_usize), 1..40_usize, Just(2_500)];
    ("[ a👩‍👧é\u{301}\u{200B}𝔘@<>&*\n]{0,10}", many).prop_map(|(part, times)| part.repeat(times))
}

fn messages() -> impl Strategy<Value = Message> {
    let field = (text(), text()).prop_map(|(name, value)| Field { name, value });
    let card = (text(), text(), prop::collection::vec(field, 0..30), text())
        .prop_map(|(title, body, fields, footer)| Card { tone: Tone::Quiet, title, body, fields, footer });
    let press = prop_oneof![
        (text(), text()).prop_map(|(verb, id)| Press::Verb(CustomId::new(&verb, [id]))),
        text().prop_map(Press::Link),
        Just(Press::Link("https://example.com/".to_owned())),
    ];
    let button =
        (text(), press).prop_map(|(label, press)| Button { label, style: ButtonStyle::Primary, press });
    let choice =
        (text(), text(), any::<bool>()).prop_map(|(label, value, chosen)| Choice { label, value, chosen });
    let select = (text(), text(), prop::collection::vec(choice, 0..30), any::<(u8, u8)>()).prop_map(
        |(id, placeholder, choices, choose_from)| {
            Row::Select(Select { choose_from, choose: CustomId::new("v", [id]), placeholder, choices })
        },
    );
    let row = prop_oneof![prop::collection::vec(button, 0..7).prop_map(Row::Buttons), select];
    (text(), prop::option::of(card), prop::collection::vec(row, 0..7))
        .prop_map(|(content, card, rows)| Message { content, card, rows, ..Message::default() })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_message_is_refused_for_its_length(message in messages()) {
        let nonce = Nonce("n".to_owned());
        for payload in [post(&message, &nonce).payload, edit(&message).payload] {
            prop_assert_eq!(faults(&payload), Vec::<String>::new());
            let said = payload["content"].as_str().is_some_and(|text| !text.trim().is_empty());
            prop_assert!(said || payload["embeds"][0].is_object(), "Discord takes no empty message");
        }
    }
}

#[test]
fn a_text_is_cut_between_characters_as_people_see_them() {
    #[rustfmt::skip]
    let table = [
        ("short",      5, "short"),
        (" padded ",   6, "padded"),
        ("overlong",   5, "over…"),
        ("👩‍👧👩‍👧",        6, "👩‍👧…"),
        ("👩‍👧👩‍👧",        5, "…"),
        ("e\u{301}e\u{301}", 3, "e\u{301}…"),
        ("anything",   1, "…"),
        ("anything",   0, ""),
    ];
    for (text, most, expected) in table {
        assert_eq!(cut(text, most), expected, "{text} in {most}");
    }
}

#[test]
fn only_the_named_are_pinged_and_a_text_pings_nobody() {
    let pings = vec![Ping::Role(RoleId(4)), Ping::Member(MemberId(7)), Ping::Member(MemberId(7))];
    let message = Message { pings, ..Message::text("@everyone <@99>") };
    let expected = json!({ "parse": [], "users": ["7"], "roles": ["4"] });
    assert_eq!(post(&message, &Nonce("n".to_owned())).payload["allowed_mentions"], expected);

    let nobody = json!({ "parse": [], "users": [], "roles": [] });
    let text = Message::text("@everyone <@99>");
    assert_eq!(edit(&text).payload["allowed_mentions"], nobody);
    assert_eq!(private_follow_up(&text).payload["allowed_mentions"], nobody);
    assert_eq!(private_answer(&text).payload["data"]["allowed_mentions"], nobody);
}

#[test]
fn an_edit_takes_away_what_the_message_has_no_more() {
    let payload = edit(&Message::text("Closed.")).payload;
    let expected = json!({
        "content": "Closed.", "embeds": [], "components": [], "attachments": [],
        "allowed_mentions": { "parse": [], "users": [], "roles": [] },
    });
    assert_eq!(payload, expected);
}

#[test]
fn a_post_carries_its_nonce_and_its_files() {
    let files = vec![File { name: "tasks.csv".to_owned(), bytes: vec![1] }];
    let out = post(&Message { files, ..Message::text("All of them.") }, &Nonce("abc".to_owned()));
    assert_eq!(out.payload["nonce"], "abc");
    assert_eq!(out.payload["enforce_nonce"], true);
    assert_eq!(out.payload["attachments"], json!([{ "id": 0, "filename": "tasks.csv" }]));
    assert_eq!(out.files.len(), 1);
}

#[test]
fn a_private_answer_is_private() {
    let payload = private_answer(&Message::text("No.")).payload;
    assert_eq!((&payload["type"], &payload["data"]["flags"]), (&json!(4), &json!(64)));
    assert_eq!(private_follow_up(&Message::text("No.")).payload["flags"], 64);
}

#[test]
fn a_select_takes_as_many_as_it_is_told_and_as_there_are() {
    let select = |choose_from, chosen: &[bool]| {
        let choices = chosen.iter().enumerate().map(|(at, chosen)| Choice {
            label: format!("Person {at}"),
            value: at.to_string(),
            chosen: *chosen,
        });
        let choose = CustomId::new("retry", ["0oa1".to_owned()]);
        let select =
            Select { choose_from, choose, placeholder: "Who?".to_owned(), choices: choices.collect() };
        let message = Message { rows: vec![Row::Select(select)], ..Message::text("Retry") };
        let select = edit(&message).payload["components"][0]["components"][0].clone();
        let defaults = select["options"].as_array().unwrap().iter().filter(|each| each["default"] == true);
        (select["min_values"].as_u64().unwrap(), select["max_values"].as_u64().unwrap(), defaults.count())
    };
    assert_eq!(select((1, 1), &[false, false]), (1, 1, 0));
    assert_eq!(select((0, 25), &[true, false, true]), (0, 3, 2));
    assert_eq!(select((5, 9), &[true, true]), (2, 2, 2), "no more than there are");
    assert_eq!(select((0, 0), &[true, true]), (0, 1, 1), "Discord takes no select of nothing");
}

#[test]
fn a_dialog_is_cut_to_what_discord_opens() {
    let input = |name: &str, length| Input {
        name: name.to_owned(),
        label: "l".repeat(60),
        placeholder: "p".repeat(200),
        value: "v".repeat(5_000),
        length,
        long: false,
    };
    let inputs = vec![input("a", (0, 9_000)), input("a", (1, 2)), input("b", (30, 20))];
    let dialog = Dialog { submit: CustomId::new("deny", ["7".to_owned()]), title: "t".repeat(60), inputs };

    let data = super::dialog(&dialog).unwrap().payload["data"].clone();

    let long = |text: &Value| units(text.as_str().unwrap_or_default());
    assert_eq!((long(&data["title"]), &data["custom_id"]), (45, &json!("v1:deny:7")));
    let rows = data["components"].as_array().unwrap();
    assert_eq!(rows.len(), 2, "a name that is there twice is left out");
    let (first, second) = (&rows[0]["components"][0], &rows[1]["components"][0]);
    assert_eq!((long(&first["label"]), long(&first["placeholder"]), long(&first["value"])), (45, 100, 4_000));
    assert_eq!((&first["max_length"], &first["required"]), (&json!(4_000), &json!(false)));
    assert_eq!(
        (&second["min_length"], &second["max_length"], long(&second["value"])),
        (&json!(20), &json!(20), 20)
    );
    assert_eq!(second["required"], true);

    let unusable = Dialog { submit: CustomId::new("deny", ["x".repeat(100)]), ..dialog };
    assert!(super::dialog(&unusable).is_none(), "an id cannot be cut");
}
