//! How much is asked of an org, and when.

use proptest::prelude::*;

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn told(limit: u64, remaining: u64, reset_in: i64) -> Told {
    let (limit, remaining) = (Some(limit), Some(remaining));
    Told { limit, remaining, reset_in: Some(SignedDuration::from_secs(reset_in)), retry_after: None }
}

/// How long after `now` one may ask again; nothing if at once.
fn wait(limits: &Limits, bucket: Bucket, now: Timestamp) -> Option<SignedDuration> {
    limits.admit(bucket, now).err().map(|until| until.duration_since(now))
}

#[test]
fn paths_are_counted_as_okta_counts_them() {
    #[rustfmt::skip]
    let table = [
        ("/api/v1/logs",                                  Bucket::Logs),
        ("/api/v1/apps",                                  Bucket::Apps),
        ("/api/v1/apps/0oa1",                             Bucket::App),
        ("/api/v1/apps/0oa1/users",                       Bucket::Apps),
        ("/api/v1/apps/0oa1/users/00u1",                  Bucket::Apps),
        ("/api/v1/apps/0oa1/features/USER_PROVISIONING",  Bucket::Apps),
        ("/api/v1/users/me",                              Bucket::Users),
        ("/oauth2/v1/token",                              Bucket::Token),
        ("/api/v1/groups",                                Bucket::Other),
        ("/",                                             Bucket::Other),
    ];
    for (path, expected) in table {
        assert_eq!(Bucket::of(path), expected, "{path}");
    }
}

#[test]
fn we_stay_within_our_share_of_a_window_and_go_on_in_the_next() {
    let limits = Limits::new(0.4);
    for sent in 0..24 {
        limits.admit(Bucket::Logs, at(0)).unwrap().answered(told(60, 59 - sent, 30), at(0));
    }

    assert_eq!(wait(&limits, Bucket::Logs, at(10)), Some(SignedDuration::from_secs(20)), "24 of 60 are ours");
    assert_eq!(wait(&limits, Bucket::Apps, at(10)), None, "another bucket is another matter");
    assert_eq!(wait(&limits, Bucket::Logs, at(30)), None);
}

#[test]
fn the_last_request_of_a_window_is_never_ours_whoever_spent_the_rest() {
    let limits = Limits::new(1.0);
    limits.admit(Bucket::Logs, at(0)).unwrap().answered(told(5, 2, 30), at(0));
    limits.admit(Bucket::Logs, at(0)).unwrap().answered(told(5, 1, 30), at(0));

    assert_eq!(wait(&limits, Bucket::Logs, at(1)), Some(SignedDuration::from_secs(29)));
}

#[test]
fn a_tenth_of_a_window_is_left_to_others() {
    let limits = Limits::new(1.0);
    limits.admit(Bucket::Logs, at(0)).unwrap().answered(told(60, 6, 30), at(0));

    assert_eq!(wait(&limits, Bucket::Logs, at(1)), Some(SignedDuration::from_secs(29)));
}

#[test]
fn requests_under_way_count_as_sent() {
    let limits = Limits::new(1.0);
    limits.admit(Bucket::Apps, at(0)).unwrap().answered(told(20, 5, 30), at(0));
    let under_way: Vec<_> = std::iter::from_fn(|| limits.admit(Bucket::Apps, at(1)).ok()).collect();

    assert_eq!(under_way.len(), 3, "5 are left, and 2 are the reserve");
    drop(under_way);
    assert_eq!(wait(&limits, Bucket::Apps, at(1)), None, "they never arrived");
}

#[test]
fn a_window_that_nothing_is_known_of_takes_one_request_whatever_its_size() {
    let limits = Limits::new(0.1);
    limits.admit(Bucket::Logs, at(0)).unwrap().answered(told(1, 0, 30), at(0));

    assert!(wait(&limits, Bucket::Logs, at(29)).is_some());
    assert_eq!(wait(&limits, Bucket::Logs, at(30)), None);
}

#[test]
fn answers_that_overtake_each_other_do_not_make_more_of_a_window() {
    let limits = Limits::new(1.0);
    let (early, late) =
        (limits.admit(Bucket::Logs, at(0)).unwrap(), limits.admit(Bucket::Logs, at(0)).unwrap());
    late.answered(told(10, 1, 30), at(0));
    early.answered(told(10, 9, 30), at(0));

    assert!(wait(&limits, Bucket::Logs, at(1)).is_some());
}

#[test]
fn a_next_window_that_began_a_little_early_is_seen_as_one() {
    let limits = Limits::new(0.5);
    for sent in 0..5 {
        limits
            .admit(Bucket::Logs, at(0))
            .unwrap_or_else(|_| panic!("{sent}"))
            .answered(told(12, 8, 10), at(0));
    }
    limits.admit(Bucket::Logs, at(9)).unwrap().answered(told(12, 11, 60), at(9));

    assert_eq!(wait(&limits, Bucket::Logs, at(9)), None);
    assert_eq!(limits.snapshot(at(9))[0].remaining, 11);
    assert_eq!(limits.snapshot(at(9))[0].reset, at(69));
}

#[test]
fn after_a_429_we_wait_for_the_reset_and_a_second() {
    let limits = Limits::new(0.5);
    let until = limits.admit(Bucket::Logs, at(0)).unwrap().refused(told(60, 0, 20), at(0));

    assert!((at(21)..=at(24)).contains(&until), "{until}");
    assert_eq!(limits.admit(Bucket::Logs, at(20)).unwrap_err(), until);
    assert_eq!(wait(&limits, Bucket::Logs, until), None);
}

#[test]
fn a_429_whose_reset_has_passed_or_is_missing_makes_us_wait_longer_each_time() {
    for hint in [told(60, 0, -3_600), Told::default(), told(60, 0, 0)] {
        let limits = Limits::new(0.5);
        let mut now = at(0);
        for expected in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            let until = limits.admit(Bucket::Logs, now).unwrap().refused(hint, now);
            let waited = until.duration_since(now).as_secs_f64();
            let most = f64::from(expected) * 1.1 + 1.0;
            assert!((f64::from(expected)..=most).contains(&waited), "{waited} after {expected}");
            now = until;
        }
        limits.admit(Bucket::Logs, now).unwrap().answered(told(60, 59, 60), now);
        let until = limits.admit(Bucket::Logs, now).unwrap().refused(hint, now);
        assert!(until.duration_since(now) < SignedDuration::from_secs(3), "a good answer ends the row");
    }
}

#[test]
fn the_limit_on_requests_at_one_time_closes_every_bucket_and_tells_nothing_of_any_window() {
    let limits = Limits::new(0.5);
    limits.admit(Bucket::Logs, at(0)).unwrap().answered(told(60, 59, 60), at(0));
    let until = limits.admit(Bucket::Logs, at(0)).unwrap().refused(told(0, 0, 5), at(0));

    assert!(until >= at(6));
    assert_eq!(limits.admit(Bucket::Apps, at(1)).unwrap_err(), until);
    assert_eq!(limits.snapshot(at(1))[0].limit, 60);
}

#[test]
fn a_proxy_that_names_a_time_is_heard_and_no_wait_is_endless() {
    let limits = Limits::new(0.5);
    let retry_after = Some(SignedDuration::from_secs(30));
    let until =
        limits.admit(Bucket::Logs, at(0)).unwrap().refused(Told { retry_after, ..Told::default() }, at(0));
    assert!(until >= at(30));

    let until = limits.admit(Bucket::App, at(0)).unwrap().refused(told(60, 0, i64::MAX / 2), at(0));
    assert!(until <= at(331), "{until}");
}

proptest! {
    /// Okta's own bookkeeping, with others at work beside us: our share and the reserve hold in every window.
    #[test]
    fn no_pace_and_no_neighbour_makes_us_break_the_limits(
        limit in 3_u64..200,
        share in 0.05_f64..1.0,
        steps in prop::collection::vec((0_i64..20, 0_u64..4), 1..200),
    ) {
        let limits = Limits::new(share);
        let (mut now, mut window, mut remaining, mut ours) = (0, 0, limit, 0);
        for (pause, others) in steps {
            now += pause;
            if now / 60 != window {
                (window, remaining, ours) = (now / 60, limit, 0);
            }
            let Ok(admission) = limits.admit(Bucket::Logs, at(now)) else { continue };
            prop_assert!(remaining > 0, "the limit was broken");
            remaining -= 1;
            ours += 1;
            admission.answered(told(limit, remaining, (window + 1) * 60 - now), at(now));
            prop_assert!(ours <= ((limit as f64 * share) as u64).max(1), "{ours} of {limit} at {share}");
            prop_assert!(ours == 1 || remaining >= 1, "the last one was ours");
            // They never spend more than we can know of: what is left after theirs is seen with our next answer only.
            remaining -= others.min(remaining.saturating_sub(limit.div_ceil(10) + 5));
        }
    }
}
