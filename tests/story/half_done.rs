//! A reassignment that is cut off, lost, put off or refused between its two writes: finished, or shouted about.

use std::time::Duration;

use anyhow::{Context, Result};
use domain::request::{RequestNumber, Stage};
use jiff::SignedDuration;
use sim::okta::Fault;

use crate::reassigning::{
    ASSIGN, DELETE, asks_and_is_approved, is_as_it_was, is_kept, record, where_only_a_reassignment_helps,
    writes,
};

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_nothing_is_done_twice() -> Result<()> {
    #[rustfmt::skip]
    let table = [
        // which write, what happens to its answer,    the writes in the end
        (DELETE, Fault::DropAfterDoing,                vec!["DELETE 204", "POST 200"]),
        (ASSIGN, Fault::DropAfterDoing,                vec!["DELETE 204", "POST 200"]),
        (ASSIGN, Fault::CutBody,                       vec!["DELETE 204", "POST 200"]),
        (ASSIGN, Fault::NotJson,                       vec!["DELETE 204", "POST 200"]),
        (ASSIGN, Fault::Status(500),                   vec!["DELETE 204", "POST 500", "POST 200"]),
        (ASSIGN, Fault::Drop,                          vec!["DELETE 204", "POST 0", "POST 200"]),
    ];
    for (write, fault, expected) in table {
        let (world, dana, app) = where_only_a_reassignment_helps().await?;
        asks_and_is_approved(&world, &dana).await?;
        world.okta.ledger().clear();
        world.okta.faults().next(1, write, fault.clone());

        world.works().await?;

        is_as_it_was(&world, &dana, &app);
        assert_eq!(writes(&world), expected, "{write} {fault:?}");
        let lines = world.lines();
        assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{fault:?} {lines:?}");
    }
    Ok(())
}

#[tokio::test]
async fn an_unassignment_that_perhaps_never_arrived_is_unclear_and_not_sent_again() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.ledger().clear();
    world.okta.faults().next(1, DELETE, Fault::Drop);

    world.works().await?;

    assert!(world.okta.is_assigned(&dana, &app));
    assert_eq!(writes(&world), ["DELETE 0"]);
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[x] UNCLEAR · Slack · R1")), "{lines:?}");
    assert!(lines.iter().any(|line| line.contains("it shows them assigned")), "{lines:?}");
    assert!(is_kept(&world).await?);
    Ok(())
}

/// Where a kill cuts it off: in which request, and whether Okta had done it by then.
#[tokio::test]
async fn a_crash_at_any_point_is_finished_after_the_restart() -> Result<()> {
    #[rustfmt::skip]
    let table = [
        // cut off in,  done by Okta, the writes in the end
        (DELETE,        true,         vec!["DELETE 204", "POST 200"]),
        (ASSIGN,        true,         vec!["DELETE 204", "POST 200"]),
        (ASSIGN,        false,        vec!["DELETE 204", "POST 0", "POST 200"]),
    ];
    for (write, done, expected) in table {
        let (world, dana, app) = where_only_a_reassignment_helps().await?;
        asks_and_is_approved(&world, &dana).await?;
        world.okta.ledger().clear();
        let fault = if done { Fault::Slow(Duration::from_secs(20)) } else { Fault::Drop };
        world.okta.faults().next(1, write, fault);
        // It is cut off while it waits for the answer.
        let (wanted, _) = write.split_once(' ').context("a method")?;
        for _ in 0..10 {
            let _ = tokio::time::timeout(Duration::from_secs(2), world.app.executor.pass()).await;
            if writes(&world).iter().any(|sent| sent.starts_with(wanted)) {
                break;
            }
        }
        let request = world.app.desk.requests.request(RequestNumber(1)).await?.context("R1")?;
        assert!(matches!(request.stage, Stage::Executing { .. }), "{write}: {:?}", request.stage);

        let world = world.starts_anew().await?;
        let restarted = world.okta.now();
        world.works().await?;

        is_as_it_was(&world, &dana, &app);
        assert_eq!(writes(&world), expected, "{write}");
        let lines = world.lines();
        assert!(lines.iter().any(|line| line.starts_with("[✓] FIXED · Slack · R1")), "{write} {lines:?}");
        let took = world.okta.now() - restarted;
        assert!(took <= SignedDuration::from_secs(60), "{write}: {took:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_crash_before_anything_was_sent_is_no_crash() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.app.executor.pass().await?;

    let world = world.starts_anew().await?;
    world.works().await?;

    is_as_it_was(&world, &dana, &app);
    Ok(())
}

#[tokio::test]
async fn half_done_and_okta_does_not_answer_at_all_rings_those_on_call_once() -> Result<()> {
    let (world, dana, _) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.faults().next(1, ASSIGN, Fault::Drop);
    while !writes(&world).iter().any(|write| write == "DELETE 204") {
        world.app.executor.pass().await?;
    }
    world.shows().await?;
    world.okta.pause_serving().await;

    for _ in 0..30 {
        world.passes(SignedDuration::from_secs(6));
        world.app.executor.pass().await?;
        world.shows().await?;
    }

    let lines = world.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("is half done")).collect();
    assert!(told.len() == 1 && told[0].contains("<@&"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn where_okta_does_not_say_whether_it_unassigned_somebody_those_on_call_hear_of_it() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.ledger().clear();
    world.okta.faults().next(1, DELETE, Fault::DropAfterDoing);
    while writes(&world).is_empty() {
        world.app.executor.pass().await?;
    }
    world.okta.pause_serving().await;
    let world = world.starts_anew().await?;
    for _ in 0..20 {
        world.passes(SignedDuration::from_secs(6));
        world.app.executor.pass().await?;
        world.shows().await?;
    }
    let lines = world.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("R1 for Slack is half done")).collect();
    assert!(
        told.len() == 1 && told[0].contains("does not say whether it unassigned the person"),
        "{lines:?}"
    );
    assert!(told[0].contains("<@&"), "{told:?}");

    world.okta.resume_serving().await?;
    world.works().await?;
    is_as_it_was(&world, &dana, &app);
    assert!(world.discord.transcript().contains("[✓] FIXED · Slack · R1"), "{}", world.discord.transcript());
    Ok(())
}

#[tokio::test]
async fn an_org_that_is_taken_out_of_the_configuration_half_done_is_shouted_about() -> Result<()> {
    let (world, dana, _) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.ledger().clear();
    world.okta.faults().next(1, ASSIGN, Fault::Drop);
    while writes(&world).len() < 2 {
        world.app.executor.pass().await?;
    }
    let world = world.configured("[okta.acme]", "[okta.lab]").await?;
    world.works().await?;
    let lines = world.lines();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("R1 for Slack is unclear")).collect();
    assert!(told.len() == 1 && told[0].contains("UNASSIGNED") && told[0].contains("<@&"), "{lines:?}");
    Ok(())
}

#[tokio::test]
async fn while_okta_is_busy_after_the_unassignment_it_is_tried_until_it_is_done_and_the_card_is_loud()
-> Result<()> {
    for fault in [Fault::RateLimited { reset_in_secs: 40 }, Fault::Status(503)] {
        let (world, dana, app) = where_only_a_reassignment_helps().await?;
        asks_and_is_approved(&world, &dana).await?;
        world.okta.ledger().clear();
        world.okta.faults().next(3, ASSIGN, fault.clone());

        world.works().await?;

        is_as_it_was(&world, &dana, &app);
        let transcript = world.discord.transcript();
        assert!(transcript.contains("[!] HALF DONE · Slack · R1"), "{fault:?} {transcript}");
        assert!(transcript.contains("not assigned again yet"), "{transcript}");
        let lines = world.lines();
        let told: Vec<_> = lines.iter().filter(|line| line.contains("is half done")).collect();
        assert!(told.len() == 1 && told[0].contains("<@&"), "those on call are told once: {told:?}");
        assert!(transcript.contains("[✓] FIXED · Slack · R1"), "{fault:?} {transcript}");
        assert_eq!(writes(&world).iter().filter(|write| *write == "DELETE 204").count(), 1);
    }
    Ok(())
}

#[tokio::test]
async fn while_okta_is_busy_before_it_nothing_is_lost() -> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.ledger().clear();
    world.okta.faults().next(1, DELETE, Fault::RateLimited { reset_in_secs: 40 });

    world.works().await?;

    is_as_it_was(&world, &dana, &app);
    assert_eq!(writes(&world), ["DELETE 429", "DELETE 204", "POST 200"]);
    assert!(record(&world).await?.contains(&"unassign.put_off".to_owned()));
    Ok(())
}

#[tokio::test]
async fn whom_okta_will_not_have_back_is_shouted_about_and_the_profile_is_kept_until_it_is_erased()
-> Result<()> {
    let (world, dana, app) = where_only_a_reassignment_helps().await?;
    asks_and_is_approved(&world, &dana).await?;
    world.okta.faults().next(1, ASSIGN, Fault::Forbidden { scope: "okta.apps.manage".to_owned() });

    world.works().await?;

    assert!(!world.okta.is_assigned(&dana, &app));
    let lines = world.lines();
    assert!(lines.iter().any(|line| line.starts_with("[x] UNCLEAR · Slack · R1")), "{lines:?}");
    let told = lines.iter().find(|line| line.contains("UNASSIGNED")).context("nobody is told")?;
    for words in ["<@&", "Assign to People", "okta.apps.manage"] {
        assert!(told.contains(words), "{words} is not in {told}");
    }
    assert!(is_kept(&world).await?);
    let buttons = "[Open Assignments]\n  [Saved profile] [Erase saved profile]";
    assert!(world.discord.transcript().contains(buttons), "{}", world.discord.transcript());

    let file = world.presses_card("Olive", "Saved profile").await?;
    let csv = String::from_utf8(file.files[0].bytes.clone())?;
    assert!(csv.contains("role,\"\"\"admin\"\"\""), "{csv}");
    let stranger = world.presses_card("Ada", "Erase saved profile").await?;
    assert!(stranger.content.contains("it takes the role **operator**"), "{}", stranger.content);
    let erased = world.presses_card("Olive", "Erase saved profile").await?;
    assert!(erased.content.contains("is erased"), "{}", erased.content);
    assert!(!is_kept(&world).await?);
    let gone = world.presses_card("Olive", "Saved profile").await?;
    assert!(gone.content.contains("No profile is kept") && gone.files.is_empty(), "{}", gone.content);
    let record = record(&world).await?;
    assert!(record.contains(&"profile.shown".to_owned()) && record.contains(&"profile.erased".to_owned()));
    Ok(())
}

#[tokio::test]
async fn what_cannot_even_be_looked_up_any_more_is_shouted_about() -> Result<()> {
    for (write, unassigned) in [(DELETE, true), (ASSIGN, false)] {
        let (world, dana, app) = where_only_a_reassignment_helps().await?;
        asks_and_is_approved(&world, &dana).await?;
        world.okta.faults().next(1, write, Fault::DropAfterDoing);
        for _ in 0..2 {
            world.app.executor.pass().await?;
        }
        let forbidden = Fault::Forbidden { scope: "okta.apps.read".to_owned() };
        world.okta.faults().next(1, &format!("GET /api/v1/apps/{app}/users/{dana}"), forbidden);

        world.works().await?;

        assert_eq!(!world.okta.is_assigned(&dana, &app), unassigned, "{write}");
        let lines = world.lines();
        let told = lines.iter().find(|line| line.contains("is unclear")).context("nobody is told")?;
        for words in ["<@&", "Assign to People", "okta.apps.read"] {
            assert!(told.contains(words), "{write}: {words} is not in {told}");
        }
        assert!(is_kept(&world).await?, "{write}");
    }
    Ok(())
}
