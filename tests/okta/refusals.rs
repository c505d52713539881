//! Each way in which Okta says no, and what it means for us.

use axum::body::Body;
use axum::http::Response;
use domain::facts::{Connection, LogFrom, ProvisioningFeature};
use domain::ports::{Directory as _, DirectoryError};
use serde_json::json as value;

use crate::fake::{Fake, answer, error, json, with};

/// The kind of an error, and its words.
fn sorted(error: DirectoryError) -> (&'static str, String) {
    let kind = match &error {
        DirectoryError::RateLimited { .. } => "limited",
        DirectoryError::Gone { .. } => "gone",
        DirectoryError::CursorRefused { .. } => "cursor",
        DirectoryError::Unauthorized { .. } => "credentials",
        DirectoryError::Forbidden { .. } => "forbidden",
        DirectoryError::Refused { .. } => "refused",
        DirectoryError::Unreachable { .. } => "unreachable",
        DirectoryError::BadAnswer { .. } => "garbled",
    };
    (kind, error.to_string())
}

fn insufficient_scope() -> Response<Body> {
    let challenge = "Bearer authorization_uri=\"http://x\", realm=\"http://x\", scope=\"okta.logs.read\", \
                     error=\"insufficient_scope\", error_description=\"The access token provided does not contain \
                     the required scopes.\", resource=\"/api/v1/logs\"";
    with(error(403, "E0000006", "You do not have permission"), "www-authenticate", challenge)
}

#[tokio::test]
async fn a_refusal_is_sorted_by_what_we_do_about_it_and_keeps_oktas_words() {
    type Answer = fn() -> Response<Body>;
    #[rustfmt::skip]
    let table: [(Answer, &str, &str); 13] = [
        (|| error(401, "E0000011", "Invalid token provided"),     "credentials", "Invalid token provided (request Yreq7)"),
        (|| answer(401, ""),                                      "credentials", "it is empty"),
        (insufficient_scope,                                      "forbidden",   "missing: the scope okta.logs.read"),
        (|| error(403, "E0000006", "You do not have permission"), "forbidden",   "Report Administrator"),
        (|| error(403, "E0000015", "Feature not enabled"),        "forbidden",   "a feature that the org has not enabled"),
        (|| error(400, "E0000053", "Invalid filter"),             "refused",     "E0000053 Invalid filter (request Yreq7)"),
        (|| error(405, "E0000022", "Not supported"),              "refused",     "E0000022"),
        (|| json(418, &value!({})),                               "refused",     "418"),
        (|| answer(400, "<html>"),                                "garbled",     "web page"),
        (|| error(404, "E0000007", "Not found"),                  "gone",        "the System Log"),
        (|| error(429, "E0000047", "Too many requests"),          "limited",     "rate limit is used up until"),
        (|| error(500, "E0000009", "Query timed out"),            "unreachable", "500 Internal Server Error (request Yreq7)"),
        (|| error(503, "E0000010", "Read-only"),                  "unreachable", "503"),
    ];
    for (answer, kind, words) in table {
        let fake = Fake::answering(move |_| answer()).await;

        let since = LogFrom::Since("2026-11-19T09:00:00Z".parse().unwrap());
        let (sorted, said) = sorted(fake.okta().log(&since).await.unwrap_err());

        assert_eq!(sorted, kind, "{said}");
        assert!(said.contains(words), "{said}");
        assert_eq!(fake.asked().len(), 1, "nothing is tried again by itself: {said}");
    }
}

#[tokio::test]
async fn causes_are_told_whether_they_come_as_a_list_an_object_or_nonsense() {
    for (causes, expected) in [
        (
            value!([{ "errorSummary": "first" }, { "errorSummary": "second" }]),
            "Api validation failed; first; second (",
        ),
        (value!({ "errorSummary": "only" }), "Api validation failed; only ("),
        (value!([null, 7, { "errorSummary": null }]), "Api validation failed ("),
        (value!("nonsense"), "Api validation failed ("),
    ] {
        let body = value!({ "errorCode": "E0000001", "errorSummary": "Api validation failed", "errorCauses": causes });
        let fake = Fake::answering(move |_| json(400, &body)).await;

        let (kind, said) = sorted(fake.okta().app(&"0oa1".parse().unwrap()).await.unwrap_err());

        assert_eq!(kind, "refused");
        assert!(said.contains(expected), "{said}");
    }
}

#[tokio::test]
async fn a_refused_cursor_is_told_from_a_refused_question() {
    for status in [400, 404] {
        let fake = Fake::answering(move |_| error(status, "E0000031", "Invalid search criteria.")).await;
        let cursor = LogFrom::Cursor(format!("{}/api/v1/logs?after=old", fake.url));

        let (kind, said) = sorted(fake.okta().log(&cursor).await.unwrap_err());

        assert_eq!(kind, "cursor");
        assert!(said.contains("Invalid search criteria."), "{said}");
    }
}

#[tokio::test]
async fn what_oktas_api_does_not_do_for_an_app_is_an_answer_and_a_missing_right_is_not() {
    type Answer = fn() -> Response<Body>;
    #[rustfmt::skip]
    let table: [(Answer, Option<&str>); 9] = [
        (|| error(400, "E0000001", "Api validation failed: feature"), None),
        (|| error(401, "E0000015", "Feature not enabled"),            None),
        (|| error(403, "E0000015", "Feature not enabled"),            None),
        (|| error(404, "E0000007", "Not found"),                      None),
        (|| error(405, "E0000022", "Not supported"),                  None),
        (|| error(401, "E0000011", "Invalid token provided"),         Some("credentials")),
        (|| error(403, "E0000006", "You do not have permission"),     Some("forbidden")),
        (insufficient_scope,                                          Some("forbidden")),
        (|| error(500, "E0000009", "Internal error"),                 Some("unreachable")),
    ];
    for (answer, expected) in table {
        let fake = Fake::answering(move |_| answer()).await;
        let (okta, app) = (fake.okta(), "0oa1".parse().unwrap());

        match okta.provisioning_feature(&app).await {
            Ok(ProvisioningFeature::ByHandOnly { why }) => {
                assert!(expected.is_none() && why.contains("Yreq7"), "{why}");
                assert_eq!(okta.connection(&app).await.unwrap(), Connection::Unknown);
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => assert_eq!(Some(sorted(error).0), expected),
        }
    }
}

#[tokio::test]
async fn an_app_that_is_gone_is_named() {
    let fake = Fake::answering(|_| error(404, "E0000007", "Not found: Resource not found")).await;

    let gone = fake.okta().app(&"0oa1".parse().unwrap()).await.unwrap_err();

    assert!(matches!(&gone, DirectoryError::Gone { what } if what == "app 0oa1"), "{gone}");
}
