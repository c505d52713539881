//! What is asked for, and what becomes of the answers.

use domain::facts::{Connection, LogFrom, ProvisioningFeature, Scope};
use domain::ports::Directory as _;
use provost::okta::{LOG_FILTER, SignedIn, filter_hash};
use serde_json::json as value;

use crate::fake::{Fake, PAGE, answer, json, with};

#[tokio::test]
async fn the_log_is_asked_as_a_polling_request_and_goes_on_from_its_next_link() {
    let fake = Fake::answering(|asked| {
        let host = asked.header("host").to_owned();
        let own = format!("<http://{host}/api/v1/logs?after=1592620709654_1&limit=1000>; rel=\"next\"");
        with(with(answer(200, PAGE), "link", "<http://x/>; rel=\"self\""), "link", &own)
    })
    .await;
    let okta = fake.okta();

    let first = okta.log(&LogFrom::Since("2026-11-19T09:00:00Z".parse().unwrap())).await.unwrap();
    let cursor = first.next.clone().unwrap();
    let second = okta.log(&LogFrom::Cursor(cursor.clone())).await.unwrap();

    assert_eq!((first.held, first.events.len(), first.unreadable.len()), (7, 6, 0));
    assert_eq!(first.answered, Some("2027-01-15T08:00:00Z".parse().unwrap()));
    assert_eq!(second.next, Some(cursor));
    let asked = fake.asked();
    assert_eq!(asked[0].header("authorization"), "SSWS 00token");
    assert_eq!(asked[0].query("filter").as_deref(), Some(LOG_FILTER));
    assert_eq!(asked[0].query("limit").as_deref(), Some("1000"));
    assert_eq!(asked[0].query("sortOrder").as_deref(), Some("ASCENDING"));
    assert_eq!(asked[0].query("since").as_deref(), Some("2026-11-19T09:00:00Z"));
    assert_eq!(asked[0].query("until"), None, "with an end it would miss late entries");
    assert_eq!(asked[1].uri, "/api/v1/logs?after=1592620709654_1&limit=1000", "a cursor is never added to");
}

#[test]
fn the_filter_is_the_documented_one_and_has_a_name() {
    assert_eq!(
        LOG_FILTER,
        r#"eventType sw "application.provision.user." or eventType eq "application.lifecycle.update" or eventType eq "application.user_membership.remove""#
    );
    assert_eq!(filter_hash().len(), 16);
}

#[tokio::test]
async fn the_history_of_an_app_is_asked_between_two_times_newest_first() {
    let fake = Fake::answering(|_| answer(200, "[]")).await;
    let (since, until) = ("2026-08-22T09:00:00Z".parse().unwrap(), "2026-11-20T09:00:00Z".parse().unwrap());

    let page = fake.okta().app_log(&"0oa1".parse().unwrap(), since, until, None).await.unwrap();

    assert_eq!((page.held, page.next), (0, None));
    let asked = &fake.asked()[0];
    assert_eq!(asked.query("filter"), Some(format!("target.id eq \"0oa1\" and ({LOG_FILTER})")));
    assert_eq!(asked.query("until").as_deref(), Some("2026-11-20T09:00:00Z"));
    assert_eq!(asked.query("sortOrder").as_deref(), Some("DESCENDING"));
}

#[tokio::test]
async fn an_app_is_read_with_whatever_else_okta_tells_of_it() {
    let fake = Fake::answering(|_| {
        json(200, &value!({
            "id": "0oaSLACK", "orn": "orn:okta", "name": "slack", "label": "Slack (EU)", "status": "ACTIVE",
            "features": ["PUSH_NEW_USERS", "PUSH_USER_DEACTIVATION", "SOMETHING_NEW", null, 7],
            "universalLogout": null, "settings": { "app": {} },
        }))
    })
    .await;

    let facts = fake.okta().app(&"0oaSLACK".parse().unwrap()).await.unwrap();

    assert_eq!((facts.app.label.as_str(), facts.kind.as_str(), facts.active), ("Slack (EU)", "slack", true));
    assert_eq!(facts.features, ["PUSH_NEW_USERS", "PUSH_USER_DEACTIVATION", "SOMETHING_NEW", "7"]);
    assert!(facts.deactivates_users());
}

#[tokio::test]
async fn lists_go_on_page_by_page_and_lose_nothing_to_an_odd_item() {
    let fake = Fake::answering(|asked| {
        let app =
            |id: u32| value!({ "id": format!("0oa{id}"), "name": "slack", "label": null, "features": null });
        if asked.query("after").is_some() {
            return json(200, &value!([app(3)]));
        }
        let next = format!("<http://{}/api/v1/apps?after=2>; rel=\"next\"", asked.header("host"));
        with(json(200, &value!([app(1), { "label": "without an id" }, "odd", app(2)])), "link", &next)
    })
    .await;
    let okta = fake.okta();

    let first = okta.apps(None).await.unwrap();
    let second = okta.apps(first.next.as_deref()).await.unwrap();

    let ids: Vec<_> = first.items.iter().chain(&second.items).map(|app| app.app.id.as_str()).collect();
    assert_eq!(ids, ["0oa1", "0oa2", "0oa3"]);
    assert_eq!((first.items[0].app.label.as_str(), first.items[0].active), ("slack", false));
    assert_eq!(second.next, None);
    assert_eq!(fake.asked()[0].query("filter").as_deref(), Some("status eq \"ACTIVE\""));
    assert_eq!(fake.asked()[0].query("limit").as_deref(), Some("200"));
}

#[tokio::test]
async fn people_are_read_with_their_okta_status_and_names() {
    let fake = Fake::answering(|_| {
        json(200, &value!([
            {
                "id": "00uDANA", "externalId": null, "status": "STAGED", "syncState": "ERROR", "scope": "USER",
                "statusChanged": "2026-11-20T09:00:00.000Z", "lastSync": null,
                "credentials": { "userName": "dana@airbase" },
                "_embedded": { "user": {
                    "status": "ACTIVE",
                    "profile": { "login": "dana@acme.example", "firstName": "Dana", "lastName": "Doe" },
                } },
            },
            { "id": "00uEVE", "externalId": "77", "scope": "GROUP", "credentials": { "userName": "eve" } },
            { "id": "00uNEW", "scope": "SOMETHING_NEW" },
        ]))
    })
    .await;

    let people = fake.okta().app_users(&"0oa1".parse().unwrap(), None).await.unwrap().items;

    let [dana, eve, new] = people.as_slice() else { panic!("{people:?}") };
    assert_eq!(dana.person.login.as_deref(), Some("dana@acme.example"));
    assert_eq!(dana.person.name.as_deref(), Some("Dana Doe"));
    assert_eq!(
        (dana.scope, dana.has_external_id, dana.sync_state.as_deref()),
        (Scope::Person, false, Some("ERROR"))
    );
    assert_eq!(dana.status_changed, Some("2026-11-20T09:00:00Z".parse().unwrap()));
    assert_eq!((dana.okta_status.as_deref(), dana.last_sync), (Some("ACTIVE"), None));
    assert_eq!(
        (eve.person.login.as_deref(), eve.scope, eve.has_external_id),
        (Some("eve"), Scope::Group, true)
    );
    assert_eq!(new.scope, Scope::Group, "an unknown scope gets the caution that groups get");
    assert_eq!(fake.asked()[0].uri.path(), "/api/v1/apps/0oa1/users");
    assert_eq!(fake.asked()[0].query("expand").as_deref(), Some("user"));
    assert_eq!(fake.asked()[0].query("limit").as_deref(), Some("500"));
}

#[tokio::test]
async fn the_provisioning_feature_and_the_connection_are_read() {
    let fake = Fake::answering(|asked| match asked.uri.path() {
        "/api/v1/apps/0oa1/features/USER_PROVISIONING" => json(
            200,
            &value!({
                "name": "USER_PROVISIONING", "status": "ENABLED",
                "capabilities": {
                    "create": { "lifecycleCreate": { "status": "ENABLED" } },
                    "update": { "lifecycleDeactivate": { "status": "DISABLED" }, "somethingNew": 1 },
                },
            }),
        ),
        "/api/v1/apps/0oa2/features/USER_PROVISIONING" => json(200, &value!({ "status": "DISABLED" })),
        "/api/v1/apps/0oa1/connections/default" => {
            json(200, &value!({ "status": "ENABLED", "authScheme": "TOKEN" }))
        }
        "/api/v1/apps/0oa2/connections/default" => json(200, &value!({ "status": "SOMETHING_NEW" })),
        other => panic!("{other}"),
    })
    .await;
    let (okta, one, two) = (fake.okta(), "0oa1".parse().unwrap(), "0oa2".parse().unwrap());

    let readable = |enabled, deactivates_users| ProvisioningFeature::Readable { enabled, deactivates_users };
    assert_eq!(okta.provisioning_feature(&one).await.unwrap(), readable(true, Some(false)));
    assert_eq!(okta.provisioning_feature(&two).await.unwrap(), readable(false, None));
    assert_eq!(okta.connection(&one).await.unwrap(), Connection::Enabled);
    assert_eq!(okta.connection(&two).await.unwrap(), Connection::Unknown);
}

#[tokio::test]
async fn an_org_says_who_we_are_how_much_is_left_and_what_time_it_is() {
    let fake = Fake::answering(|_| {
        let me = json(200, &value!({ "id": "00uBOT", "profile": { "login": "bot@acme.example" } }));
        let me = with(with(me, "x-rate-limit-limit", "100"), "x-rate-limit-remaining", "98");
        with(with(me, "x-rate-limit-reset", "1800000090"), "date", "Fri, 15 Jan 2027 08:01:00 GMT")
    })
    .await;
    let okta = fake.okta();

    let me = okta.me().await.unwrap();

    assert_eq!(me, SignedIn::As { login: "bot@acme.example".to_owned() });
    assert_eq!(okta.granted_scopes().await.unwrap(), None);
    assert_eq!(okta.clock_skew().unwrap().as_secs(), 60);
    assert_eq!(okta.last_request_id().as_deref(), Some("Yreq7"));
    let limits = okta.rate_limits();
    assert_eq!((limits[0].bucket.paths(), limits[0].limit, limits[0].remaining), ("/api/v1/users", 100, 98));
    assert_eq!(
        limits[0].reset,
        "2027-01-15T08:00:30Z".parse().unwrap(),
        "30 s from now, whatever our clock says"
    );
}
