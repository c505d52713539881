//! A good neighbour: requests that are not sent.

use domain::facts::LogFrom;
use domain::ports::{Directory as _, DirectoryError};
use jiff::{SignedDuration, Timestamp};

use crate::fake::{Fake, answer, error, with};

const NOW: i64 = 1_800_000_000;

fn since() -> LogFrom {
    LogFrom::Since("2026-11-19T09:00:00Z".parse().expect("a time"))
}

fn until(error: DirectoryError) -> Timestamp {
    let DirectoryError::RateLimited { until } = error else { panic!("{error}") };
    until
}

#[tokio::test]
async fn the_last_request_of_a_window_is_left_to_others() {
    let fake = Fake::answering(|_| {
        let page = with(with(answer(200, "[]"), "x-rate-limit-limit", "60"), "X-Rate-Limit-Remaining", "1");
        with(page, "x-rate-limit-reset", &(NOW + 40).to_string())
    })
    .await;
    let okta = fake.okta();

    okta.log(&since()).await.unwrap();
    let back = until(okta.log(&since()).await.unwrap_err());
    okta.app(&"0oa1".parse().unwrap()).await.unwrap_err();

    assert_eq!(back, Timestamp::from_second(NOW + 40).unwrap());
    assert_eq!(fake.asked().len(), 2, "one for the log, one for another bucket");
    fake.clock.turn(SignedDuration::from_secs(40));
    okta.log(&since()).await.unwrap();
}

#[tokio::test]
async fn our_share_holds_for_all_who_ask_together() {
    let fake = Fake::answering(|_| {
        let page = with(with(answer(200, "[]"), "x-rate-limit-limit", "20"), "x-rate-limit-remaining", "15");
        with(page, "x-rate-limit-reset", &(NOW + 40).to_string())
    })
    .await;
    let okta = fake.okta();
    let app = "0oa1".parse().unwrap();
    okta.log(&since()).await.unwrap();

    for _ in 0..20 {
        let (log, history) =
            (since(), okta.app_log(&app, Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH, None));
        let _both = futures_util::future::join(okta.log(&log), history).await;
    }

    assert_eq!(fake.asked().len(), 10, "half of 20");
}

#[tokio::test]
async fn after_a_429_nothing_is_sent_until_the_reset_even_if_that_has_passed_or_is_not_told() {
    for (headers, least) in [
        (
            vec![
                ("x-rate-limit-limit", "60"),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "1800000030"),
            ],
            31,
        ),
        (
            vec![
                ("x-rate-limit-limit", "60"),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "1799999000"),
            ],
            1,
        ),
        (
            vec![
                ("x-rate-limit-limit", "0"),
                ("x-rate-limit-remaining", "0"),
                ("x-rate-limit-reset", "1800000003"),
            ],
            4,
        ),
        (vec![("x-rate-limit-reset", "soon")], 1),
        (vec![], 1),
    ] {
        let fake = Fake::answering(move |_| {
            let refusal = error(429, "E0000047", "API call exceeded rate limit due to too many requests.");
            headers.iter().fold(refusal, |refusal, (name, value)| with(refusal, name, value))
        })
        .await;
        let okta = fake.okta();

        let first = until(okta.log(&since()).await.unwrap_err());
        let early = until(okta.log(&since()).await.unwrap_err());

        let wait = first.as_second() - NOW;
        assert!((least..=least + 4).contains(&wait), "{wait} for {least}");
        assert_eq!((early, fake.asked().len()), (first, 1));
        fake.clock.turn(first.duration_since(Timestamp::from_second(NOW).unwrap()));
        okta.log(&since()).await.unwrap_err();
        assert_eq!(fake.asked().len(), 2);
    }
}

#[tokio::test]
async fn a_reset_is_reckoned_by_oktas_clock_and_told_by_ours() {
    let fake = Fake::answering(|_| {
        let refusal =
            with(error(429, "E0000047", "Too many"), "x-rate-limit-reset", &(NOW + 620).to_string());
        with(refusal, "date", "Fri, 15 Jan 2027 08:10:00 GMT")
    })
    .await;

    let back = until(fake.okta().log(&since()).await.unwrap_err());

    let wait = back.as_second() - NOW;
    assert!((21..=25).contains(&wait), "Okta is 10 min ahead, so 20 s are left: {wait}");
}
