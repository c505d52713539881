//! Saved profiles: kept while they are needed, erased for good, and only their hash is on record.

use anyhow::Result;
use domain::assignment::SavedProfile;
use domain::audit::Draft;
use domain::ids::UserId;
use domain::request::{Request, RequestEvent};
use domain::requests::Requests;

use crate::requests::{OLIVE, frozen};
use crate::world::*;

fn profile(role: &str) -> SavedProfile {
    SavedProfile {
        attributes: [("role".to_owned(), format!("\"{role}\""))].into(),
        user_name: Some("dana@example.com".to_owned()),
    }
}

async fn opened(world: &World) -> Result<Request> {
    Ok(world.store.open(frozen("slack", &["dana"]), "why".to_owned(), None, at("10:00:00")).await?)
}

fn erased() -> Draft {
    Draft { what: "profile.erased".to_owned(), member: Some(OLIVE), ..Draft::default() }
}

#[tokio::test]
async fn what_was_kept_last_is_found_after_a_restart_and_erased_once() -> Result<()> {
    let world = World::new().await?;
    let request = opened(&world).await?;
    let dana: UserId = "dana".parse()?;
    world.store.keep_profile(request.number, &dana, &profile("user"), at("10:01:00")).await?;
    world.store.keep_profile(request.number, &dana, &profile("admin “x”"), at("10:02:00")).await?;

    let world = world.restarted().await?;

    let kept = world.store.kept_profile(request.number).await?;
    assert_eq!(kept, Some((dana, profile("admin “x”"))));
    assert!(world.store.erase_profile(request.number, erased(), at("10:03:00")).await?);
    assert!(!world.store.erase_profile(request.number, erased(), at("10:04:00")).await?);
    assert_eq!(world.store.kept_profile(request.number).await?, None);
    let chain = world.store.chain(1).await?;
    assert_eq!(chain.len(), 1, "what erased nothing is not on record");
    let draft = &chain[0].draft;
    assert_eq!(draft.before, format!("profile sha256 {}", profile("admin “x”").sha256()));
    assert_eq!((draft.request, draft.outcome.as_str()), (Some(request.number), "erased"));
    Ok(())
}

#[tokio::test]
async fn in_time_all_is_erased_that_no_open_request_needs() -> Result<()> {
    let world = World::new().await?;
    let dana: UserId = "dana".parse()?;
    let mut numbers = Vec::new();
    for _ in 0..3 {
        let request = opened(&world).await?;
        world.store.keep_profile(request.number, &dana, &profile("user"), at("10:01:00")).await?;
        numbers.push(request.number);
    }
    for number in &numbers[..2] {
        let withdrawn = RequestEvent::Withdrawn { by: OLIVE };
        let _ = world.store.step(*number, withdrawn, None, None, at("10:02:00")).await?;
    }
    world.store.keep_profile(numbers[1], &dana, &profile("user"), at("10:05:00")).await?;

    assert_eq!(world.store.erase_profiles(at("10:04:00"), at("11:00:00")).await?, 1);

    let mut kept = Vec::new();
    for number in numbers {
        kept.push(world.store.kept_profile(number).await?.is_some());
    }
    assert_eq!(kept, [false, true, true], "the second was kept later, the third is not over");
    Ok(())
}

#[tokio::test]
async fn what_was_erased_is_not_in_the_file_any_more() -> Result<()> {
    let world = World::new().await?;
    let request = opened(&world).await?;
    let secret = "only-in-this-profile";
    world.store.keep_profile(request.number, &"dana".parse()?, &profile(secret), at("10:01:00")).await?;
    world.store.erase_profile(request.number, erased(), at("10:03:00")).await?;
    world.store.close().await;

    let file = std::fs::read(world.file())?;

    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret.as_bytes()));
    Ok(())
}
