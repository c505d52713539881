//! What the bot may do in a channel.

use domain::ids::GuildId;
use serenity::model::Permissions;

use super::wire::{Channel, Guild, Member, Role};

/// What Provost needs where it posts, by Discord's names.
const NEEDED: [(&str, Permissions); 7] = [
    ("VIEW_CHANNEL", Permissions::VIEW_CHANNEL),
    ("SEND_MESSAGES", Permissions::SEND_MESSAGES),
    ("EMBED_LINKS", Permissions::EMBED_LINKS),
    ("ATTACH_FILES", Permissions::ATTACH_FILES),
    ("READ_MESSAGE_HISTORY", Permissions::READ_MESSAGE_HISTORY),
    ("CREATE_PUBLIC_THREADS", Permissions::CREATE_PUBLIC_THREADS),
    ("SEND_MESSAGES_IN_THREADS", Permissions::SEND_MESSAGES_IN_THREADS),
];

/// The needed permissions that a member lacks in a channel, by Discord's names.
pub fn missing_permissions(
    guild: &Guild,
    roles: &[Role],
    member: &Member,
    channel: &Channel,
) -> Vec<&'static str> {
    let held = permissions(guild, roles, member, channel);
    NEEDED.iter().filter(|(_, one)| !held.contains(*one)).map(|(name, _)| *name).collect()
}

/// Whether a member may ping a role in a channel that not everybody may ping.
pub fn may_ping_any_role(guild: &Guild, roles: &[Role], member: &Member, channel: &Channel) -> bool {
    permissions(guild, roles, member, channel).contains(Permissions::MENTION_EVERYONE)
}

/// The page on which an administrator of a server invites the bot with all that it needs.
///
/// Source: Discord, OAuth2, “Bot Authorization Flow”.
pub fn invite_link(application: u64) -> String {
    let needed = NEEDED.iter().fold(Permissions::empty(), |all, (_, one)| all | *one).bits();
    format!(
        "https://discord.com/oauth2/authorize?client_id={application}&scope=bot+applications.commands&permissions={needed}"
    )
}

/// What a member may do in a channel. Source: Discord, Permissions, “Permission Overwrites”.
fn permissions(guild: &Guild, roles: &[Role], member: &Member, channel: &Channel) -> Permissions {
    if guild.owner_id == member.user.id {
        return Permissions::all();
    }
    let GuildId(everyone) = guild.id;
    let held = |role: u64| role == everyone || member.roles.iter().any(|held| held.0 == role);
    let mut allowed = Permissions::empty();
    for role in roles.iter().filter(|role| held(role.id.0)) {
        allowed |= role.permissions;
    }
    if allowed.contains(Permissions::ADMINISTRATOR) {
        return Permissions::all();
    }
    // From the general to the particular: everyone, then all roles together, then the member alone.
    let mut apply = |applies: &dyn Fn(u8, u64) -> bool| {
        let (mut deny, mut allow) = (Permissions::empty(), Permissions::empty());
        for one in channel.permission_overwrites.iter().filter(|one| applies(one.kind, one.id())) {
            deny |= one.deny;
            allow |= one.allow;
        }
        allowed = (allowed - deny) | allow;
    };
    apply(&|kind, id| kind == 0 && id == everyone);
    apply(&|kind, id| kind == 0 && id != everyone && held(id));
    apply(&|kind, id| kind == 1 && id == member.user.id.0);
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// VIEW_CHANNEL, SEND_MESSAGES, EMBED_LINKS, ATTACH_FILES, READ_MESSAGE_HISTORY, both of threads.
    const ALL: u64 = (1 << 10) | (1 << 11) | (1 << 14) | (1 << 15) | (1 << 16) | (1 << 35) | (1 << 38);
    const SEND: u64 = 1 << 11;

    #[test]
    fn the_particular_overrules_the_general() {
        /// Id, kind, what it allows, what it forbids.
        type Exceptions = &'static [(u64, u8, u64, u64)];
        type Case = (&'static str, u64, u64, u64, Exceptions, &'static [&'static str]);
        const NONE: Exceptions = &[];
        #[rustfmt::skip]
        let table: [Case; 8] = [
            // case                        owner everyone role  overwrites: id, kind, allow, deny   missing
            ("the role of everyone",        9,   ALL,     0,    NONE,                               &[]),
            ("a role of the bot",           9,   0,       ALL,  NONE,                               &[]),
            ("an administrator",            9,   0,       8,    &[(1, 0, 0, ALL)],                  &[]),
            ("the owner",                   5,   0,       0,    &[(1, 0, 0, ALL)],                  &[]),
            ("everyone may not send",       9,   ALL,     0,    &[(1, 0, 0, SEND)],                 &["SEND_MESSAGES"]),
            ("but its role may",            9,   ALL,     0,    &[(1, 0, 0, SEND), (2, 0, SEND, 0)], &[]),
            ("but itself may not",          9,   ALL,     0,    &[(2, 0, SEND, 0), (5, 1, 0, SEND)], &["SEND_MESSAGES"]),
            ("a role that it does not hold", 9,  ALL,     0,    &[(3, 0, 0, SEND)],                 &[]),
        ];
        for (case, owner, everyone, role, overwrites, missing) in table {
            let guild = json!({ "id": "1", "owner_id": owner.to_string() });
            let roles = json!([
                { "id": "1", "permissions": everyone.to_string() },
                { "id": "2", "permissions": role.to_string() },
                { "id": "3", "permissions": "8" },
            ]);
            let member = json!({ "user": { "id": "5" }, "roles": ["2"] });
            let overwrites: Vec<_> = overwrites
                .iter()
                .map(|(id, kind, allow, deny)| {
                    json!({ "id": id.to_string(), "type": kind,
                            "allow": allow.to_string(), "deny": deny.to_string() })
                })
                .collect();
            let channel = json!({ "id": "4", "type": 0, "permission_overwrites": overwrites });
            let found = missing_permissions(
                &serde_json::from_value(guild).unwrap(),
                &serde_json::from_value::<Vec<Role>>(roles).unwrap(),
                &serde_json::from_value(member).unwrap(),
                &serde_json::from_value(channel).unwrap(),
            );
            assert_eq!(found, missing, "{case}");
        }
    }

    #[test]
    fn nothing_allowed_means_everything_missing() {
        let found = missing_permissions(
            &serde_json::from_value(json!({ "id": "1", "owner_id": "9" })).unwrap(),
            &[],
            &serde_json::from_value(json!({ "user": { "id": "5" }, "roles": [] })).unwrap(),
            &serde_json::from_value(json!({ "id": "4", "type": 0 })).unwrap(),
        );
        assert_eq!(found, NEEDED.map(|(name, _)| name));
    }
}
