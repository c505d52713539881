//! Links made by command, and the proposals they come from.
//!
//! **Invariant:** what happens to a proposal is for [`Proposal::after`] to say; what it says is stored together with
//! its audit entry, or not at all.

use domain::audit::Draft as AuditDraft;
use domain::ids::{ChannelId, MemberId, MessageId, OrgName};
use domain::links::{
    Link, LinkRefusal, Proposal, ProposalEvent, ProposalNumber, ProposalShowing, ProposalStage, taken_by,
};
use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, Error};

use super::audit;
use super::rows::{Columns, ms, snowflake, unexpected, whole_ms};

/// All links.
pub(super) async fn all(conn: &mut AnyConnection) -> Result<Vec<Link>, Error> {
    let rows = sqlx::query("SELECT * FROM link ORDER BY org, member").fetch_all(conn).await?;
    rows.iter().map(link).collect()
}

/// Stores what a member asks for, in place of what they asked for before if that is still open.
pub(super) async fn propose(
    conn: &mut AnyConnection,
    org: &OrgName,
    member: MemberId,
    login: String,
    entry: AuditDraft,
    now: Timestamp,
) -> Result<Proposal, Error> {
    let now = whole_ms(now)?;
    let open = "SELECT * FROM link_proposal WHERE org = $1 AND member = $2 AND stage = 'open'";
    let row =
        sqlx::query(open).bind(org.as_str()).bind(snowflake(member.0)).fetch_optional(&mut *conn).await?;
    let before = row.as_ref().map(proposal).transpose()?;
    let again =
        before.as_ref().map(|before| before.after(ProposalEvent::Asked { login: login.clone() }, now));
    let after = match again {
        Some(Ok(after)) => {
            if before.is_some_and(|before| before.revision == after.revision) {
                return Ok(after);
            }
            save(conn, &after).await?;
            after
        }
        // Nothing is open: what is decided stays as it is, and a new one is made.
        Some(Err(_)) | None => {
            let row =
                sqlx::query("SELECT MAX(number) AS newest FROM link_proposal").fetch_one(&mut *conn).await?;
            let number = ProposalNumber(row.get_as::<Option<i64>>("newest")?.unwrap_or(0) + 1);
            let new = Proposal::new(number, org.clone(), member, login, now);
            add(conn, &new).await?;
            new
        }
    };
    audit::append(conn, about(&after, entry, after.stage.word()), now).await?;
    Ok(after)
}

/// One proposal.
pub(super) async fn one(conn: &mut AnyConnection, number: ProposalNumber) -> Result<Option<Proposal>, Error> {
    let row = sqlx::query("SELECT * FROM link_proposal WHERE number = $1")
        .bind(number.0)
        .fetch_optional(conn)
        .await?;
    row.as_ref().map(proposal).transpose()
}

/// Lets an admin decide; a confirmed proposal is a link.
pub(super) async fn decide(
    conn: &mut AnyConnection,
    number: ProposalNumber,
    event: ProposalEvent,
    mut entry: AuditDraft,
    refused: AuditDraft,
    now: Timestamp,
) -> Result<Option<Result<Proposal, LinkRefusal>>, Error> {
    let now = whole_ms(now)?;
    let Some(before) = one(conn, number).await? else {
        return Ok(None);
    };
    let decided = match before.after(event, now) {
        Ok(after) => made(conn, &after, &mut entry, now).await?.map(|()| after),
        Err(refusal) => Err(refusal),
    };
    match &decided {
        Ok(after) => {
            save(conn, after).await?;
            audit::append(conn, about(after, entry, after.stage.word()), now).await?;
        }
        Err(_) => {
            audit::append(conn, about(&before, refused, "refused"), now).await?;
        }
    }
    Ok(Some(decided))
}

/// Makes the link of a confirmed proposal, in place of the one that the member had, unless somebody else has the
/// person.
async fn made(
    conn: &mut AnyConnection,
    after: &Proposal,
    entry: &mut AuditDraft,
    now: Timestamp,
) -> Result<Result<(), LinkRefusal>, Error> {
    let ProposalStage::Confirmed { person, .. } = &after.stage else { return Ok(Ok(())) };
    let link = Link { org: after.org.clone(), member: after.member, person: person.clone() };
    let known = all(conn).await?;
    if let Some(member) = taken_by(&known, &link) {
        return Ok(Err(LinkRefusal::Taken(member)));
    }
    let had = known.iter().find(|known| known.org == link.org && known.member == link.member);
    (entry.before, entry.after) = (had.map(in_words).unwrap_or_default(), in_words(&link));
    sqlx::query(
        "INSERT INTO link (org, member, person, since_ms) VALUES ($1, $2, $3, $4) ON CONFLICT (org, member) \
         DO UPDATE SET person = excluded.person, since_ms = excluded.since_ms",
    )
    .bind(link.org.as_str())
    .bind(snowflake(link.member.0))
    .bind(link.person.as_str())
    .bind(ms(now))
    .execute(conn)
    .await?;
    Ok(Ok(()))
}

/// Removes a link, with its audit entry.
pub(super) async fn unlink(
    conn: &mut AnyConnection,
    org: &OrgName,
    member: MemberId,
    mut entry: AuditDraft,
    now: Timestamp,
) -> Result<Option<Link>, Error> {
    let removed = all(conn).await?.into_iter().find(|link| link.org == *org && link.member == member);
    let Some(link) = removed else {
        return Ok(None);
    };
    sqlx::query("DELETE FROM link WHERE org = $1 AND member = $2")
        .bind(org.as_str())
        .bind(snowflake(member.0))
        .execute(&mut *conn)
        .await?;
    entry.before = in_words(&link);
    entry.org.get_or_insert_with(|| org.clone());
    audit::append(conn, entry, whole_ms(now)?).await?;
    Ok(Some(link))
}

/// Proposals whose card does not show them as they are.
pub(super) async fn unshown(
    conn: &mut AnyConnection,
) -> Result<Vec<(Proposal, Option<ProposalShowing>)>, Error> {
    let rows = sqlx::query(
        "SELECT link_proposal.*, card.channel, card.attempted_ms, card.message, card.revision AS shown, card.let_go \
         FROM link_proposal LEFT JOIN link_proposal_showing AS card ON card.proposal = link_proposal.number \
         WHERE card.proposal IS NULL \
         OR (card.let_go = 0 AND (card.message IS NULL OR card.revision < link_proposal.revision)) \
         ORDER BY number",
    )
    .fetch_all(conn)
    .await?;
    rows.iter().map(|row| Ok((proposal(row)?, showing(row)?))).collect()
}

/// Notes how a proposal's card stands.
pub(super) async fn note(conn: &mut AnyConnection, showing: &ProposalShowing) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO link_proposal_showing (proposal, channel, attempted_ms, message, revision, let_go) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (proposal) DO UPDATE SET channel = excluded.channel, \
         attempted_ms = excluded.attempted_ms, message = excluded.message, revision = excluded.revision, \
         let_go = excluded.let_go",
    )
    .bind(showing.proposal.0)
    .bind(snowflake(showing.channel.0))
    .bind(ms(showing.attempted))
    .bind(showing.message.map(|message| snowflake(message.0)))
    .bind(showing.revision)
    .bind(i64::from(showing.let_go))
    .execute(conn)
    .await?;
    Ok(())
}

async fn add(conn: &mut AnyConnection, new: &Proposal) -> Result<(), Error> {
    sqlx::query(
        "INSERT INTO link_proposal (number, org, member, login, asked_ms, stage, revision) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(new.number.0)
    .bind(new.org.as_str())
    .bind(snowflake(new.member.0))
    .bind(new.login.as_str())
    .bind(ms(new.asked))
    .bind(new.stage.word())
    .bind(new.revision)
    .execute(conn)
    .await?;
    Ok(())
}

async fn save(conn: &mut AnyConnection, after: &Proposal) -> Result<(), Error> {
    let (at, by, person) = match &after.stage {
        ProposalStage::Open => (None, None, None),
        ProposalStage::Confirmed { by, at, person } => (Some(*at), Some(*by), Some(person.as_str())),
        ProposalStage::Rejected { by, at } => (Some(*at), Some(*by), None),
    };
    sqlx::query(
        "UPDATE link_proposal SET login = $1, asked_ms = $2, stage = $3, stage_ms = $4, stage_by = $5, person = $6, \
         revision = $7 WHERE number = $8",
    )
    .bind(after.login.as_str())
    .bind(ms(after.asked))
    .bind(after.stage.word())
    .bind(at.map(ms))
    .bind(by.map(|member| snowflake(member.0)))
    .bind(person)
    .bind(after.revision)
    .bind(after.number.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// An audit entry about a proposal, with what it leaves empty. The login is no id, so it stays out.
fn about(proposal: &Proposal, mut entry: AuditDraft, outcome: &str) -> AuditDraft {
    entry.org.get_or_insert_with(|| proposal.org.clone());
    if entry.before.is_empty() && entry.after.is_empty() {
        entry.before = format!("{} of member {}", proposal.number, proposal.member);
    }
    if entry.outcome.is_empty() {
        outcome.clone_into(&mut entry.outcome);
    }
    entry
}

fn in_words(link: &Link) -> String {
    format!("member {} is person {}", link.member, link.person)
}

fn link(row: &AnyRow) -> Result<Link, Error> {
    Ok(Link { org: row.id("org")?, member: member(row, "member")?, person: row.id("person")? })
}

fn proposal(row: &AnyRow) -> Result<Proposal, Error> {
    let at = || row.time("stage_ms");
    let by = || member(row, "stage_by");
    let stage = match row.get_as("stage")? {
        "open" => ProposalStage::Open,
        "confirmed" => ProposalStage::Confirmed { by: by()?, at: at()?, person: row.id("person")? },
        "rejected" => ProposalStage::Rejected { by: by()?, at: at()? },
        word => return Err(unexpected(format_args!("“{word}”"), "a proposal's stage")),
    };
    Ok(Proposal {
        number: ProposalNumber(row.number("number")?),
        org: row.id("org")?,
        member: member(row, "member")?,
        login: row.text("login")?,
        asked: row.time("asked_ms")?,
        stage,
        revision: row.number("revision")?,
    })
}

fn showing(row: &AnyRow) -> Result<Option<ProposalShowing>, Error> {
    let Some(channel) = row.get_as::<Option<i64>>("channel")? else {
        return Ok(None);
    };
    let message = row.get_as::<Option<i64>>("message")?;
    Ok(Some(ProposalShowing {
        proposal: ProposalNumber(row.number("number")?),
        channel: ChannelId(channel.cast_unsigned()),
        attempted: row.time("attempted_ms")?,
        message: message.map(|id| MessageId(id.cast_unsigned())),
        revision: row.number("shown")?,
        let_go: row.flag("let_go")?,
    }))
}

fn member(row: &AnyRow, column: &str) -> Result<MemberId, Error> {
    Ok(MemberId(row.number(column)?.cast_unsigned()))
}
