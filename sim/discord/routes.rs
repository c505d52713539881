//! Which path is what.

use serde_json::{Value, json};

use super::{
    callbacks,
    form::snowflake,
    messages, registry,
    reply::{Outcome, Reply},
    rest::Asked,
    state::State,
    threads, webhooks, world,
};

/// Every path this Discord knows, and its methods; names in braces stand for ids.
const ROUTES: &[(&str, &str)] = &[
    ("gateway", "GET"),
    ("gateway/bot", "GET"),
    ("users/@me", "GET"),
    ("applications/@me", "GET"),
    ("oauth2/applications/@me", "GET"),
    ("guilds/{guild_id}", "GET"),
    ("guilds/{guild_id}/roles", "GET"),
    ("guilds/{guild_id}/roles/member-counts", "GET"),
    ("guilds/{guild_id}/roles/{role_id}", "GET"),
    ("guilds/{guild_id}/channels", "GET"),
    ("guilds/{guild_id}/threads/active", "GET"),
    ("guilds/{guild_id}/members/{user_id}", "GET"),
    ("channels/{channel_id}", "GET PATCH"),
    ("channels/{channel_id}/messages", "GET POST"),
    ("channels/{channel_id}/messages/{message_id}", "GET PATCH DELETE"),
    ("channels/{channel_id}/messages/{message_id}/threads", "POST"),
    ("applications/{application_id}/commands", "GET POST PUT"),
    ("applications/{application_id}/commands/{command_id}", "GET PATCH DELETE"),
    ("applications/{application_id}/guilds/{guild_id}/commands", "GET POST PUT"),
    ("applications/{application_id}/guilds/{guild_id}/commands/{command_id}", "GET PATCH DELETE"),
    ("interactions/{interaction_id}/{interaction_token}/callback", "POST"),
    ("webhooks/{webhook_id}/{webhook_token}", "POST"),
    ("webhooks/{webhook_id}/{webhook_token}/messages/{which}", "GET PATCH DELETE"),
];

/// A request's route.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) template: &'static str,
    /// What stands in the braces, in order.
    values: Vec<(&'static str, String)>,
    /// Whether only the bot may ask.
    pub(super) needs_token: bool,
    /// The id that a rate limit is counted by.
    pub(super) resource: String,
}

/// The route of a path, 404 if there is none, 405 if it has other methods.
pub(super) fn find(method: &str, path: &str) -> Result<Found, Reply> {
    let matching =
        ROUTES.iter().filter_map(|(template, methods)| Some((template, methods, values(template, path)?)));
    // A word of its own is more than a name in braces: "member-counts" is no role.
    let Some((template, methods, values)) = matching.min_by_key(|(_, _, values)| values.len()) else {
        return Err(Reply::not_found());
    };
    if !methods.split(' ').any(|known| known == method) {
        return Err(Reply::wrong_method());
    }
    let by_token = template.starts_with("webhooks/") || template.starts_with("interactions/");
    let major = values.iter().take(if by_token { 2 } else { 1 });
    let resource = major.map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("/");
    Ok(Found { template, values, needs_token: !by_token && *template != "gateway", resource })
}

fn values(template: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    let (names, words): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
    if names.len() != words.len() {
        return None;
    }
    let mut values = Vec::new();
    for (name, word) in names.into_iter().zip(words) {
        match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !word.is_empty() => values.push((name, decoded(word))),
            None if name == word => {}
            _ => return None,
        }
    }
    Some(values)
}

/// A word of a path as it is meant: there are clients that write `%40original`.
fn decoded(word: &str) -> String {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|it| std::str::from_utf8(it).ok());
        if let Some(byte) = digits.and_then(|it| u8::from_str_radix(it, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Found {
    fn id(&self, name: &'static str) -> Result<u64, Reply> {
        snowflake(name, self.text(name))
    }

    fn text(&self, name: &str) -> &str {
        self.values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
    }
}

/// Carries the request out.
pub(super) fn dispatch(state: &mut State, found: &Found, asked: &Asked) -> Outcome {
    let method = asked.method.as_str();
    if found.template.starts_with("guilds/") {
        return guild(state, found, asked);
    }
    if found.template.starts_with("applications/{application_id}") {
        return commands(state, found, asked);
    }
    match (method, found.template) {
        (_, "gateway") => Ok(Reply::ok(json!({ "url": gateway_url(state) }))),
        (_, "gateway/bot") => Ok(Reply::ok(gateway_bot(state))),
        (_, "users/@me") => Ok(Reply::ok(me(state))),
        (_, "applications/@me" | "oauth2/applications/@me") => Ok(Reply::ok(application(state))),
        ("GET", "channels/{channel_id}") => {
            let channel = messages::visible(state, found.id("channel_id")?)?;
            Ok(Reply::ok(world::channel(state, &channel)))
        }
        (_, "channels/{channel_id}") => threads::update(state, found.id("channel_id")?, asked),
        ("POST", "channels/{channel_id}/messages") => messages::create(state, found.id("channel_id")?, asked),
        (_, "channels/{channel_id}/messages") => messages::list(state, found.id("channel_id")?, asked),
        (_, "channels/{channel_id}/messages/{message_id}/threads") => {
            threads::create(state, found.id("channel_id")?, found.id("message_id")?, asked)
        }
        (_, "channels/{channel_id}/messages/{message_id}") => {
            let (channel, message) = (found.id("channel_id")?, found.id("message_id")?);
            match method {
                "GET" => messages::read(state, channel, message),
                "PATCH" => messages::update(state, channel, message, asked),
                _ => messages::delete(state, channel, message),
            }
        }
        (_, "interactions/{interaction_id}/{interaction_token}/callback") => {
            callbacks::answer(state, found.id("interaction_id")?, found.text("interaction_token"), asked)
        }
        _ => webhook(state, found, asked),
    }
}

fn webhook(state: &mut State, found: &Found, asked: &Asked) -> Outcome {
    if found.id("webhook_id")? != state.application {
        return Err(Reply::unknown_webhook());
    }
    let (token, which) = (found.text("webhook_token"), found.text("which"));
    match asked.method.as_str() {
        "POST" => webhooks::follow_up(state, token, asked),
        "GET" => webhooks::read(state, token, which),
        "PATCH" => webhooks::update(state, token, which, asked),
        _ => webhooks::delete(state, token, which),
    }
}

fn guild(state: &State, found: &Found, asked: &Asked) -> Outcome {
    if found.id("guild_id")? != state.guild {
        return Err(Reply::unknown_guild());
    }
    let (threads, channels): (Vec<_>, Vec<_>) = state.channels.values().partition(|it| it.thread.is_some());
    Ok(Reply::ok(match found.template {
        "guilds/{guild_id}" => {
            world::guild(state, asked.query.get("with_counts").is_some_and(|it| it == "true"))
        }
        "guilds/{guild_id}/roles" => world::roles(state),
        "guilds/{guild_id}/roles/member-counts" => {
            let count =
                |role: u64| state.members.values().filter(|it| !it.left && it.roles.contains(&role)).count();
            let others = state.roles.keys().filter(|id| **id != state.guild);
            others.map(|id| (id.to_string(), json!(count(*id)))).collect::<serde_json::Map<_, _>>().into()
        }
        "guilds/{guild_id}/roles/{role_id}" => {
            let id = found.id("role_id")?;
            let role = state.roles.get(&id).ok_or_else(|| Reply::error(404, 10011, "Unknown Role"))?;
            world::role(id, role)
        }
        "guilds/{guild_id}/channels" => channels.into_iter().map(|it| world::channel(state, it)).collect(),
        "guilds/{guild_id}/threads/active" => {
            let open =
                threads.into_iter().filter(|it| it.thread.as_ref().is_some_and(|thread| !thread.archived));
            let open: Vec<Value> = open.map(|it| world::channel(state, it)).collect();
            json!({ "threads": open, "members": [], "has_more": false })
        }
        _ => {
            let id = found.id("user_id")?;
            let unknown = || {
                if state.members.contains_key(&id) { Reply::unknown_member() } else { Reply::unknown_user() }
            };
            world::member(state, id).ok_or_else(unknown)?
        }
    }))
}

fn commands(state: &mut State, found: &Found, asked: &Asked) -> Outcome {
    if found.id("application_id")? != state.application {
        return Err(Reply::error(
            403,
            20012,
            "You are not authorized to perform this action on this application",
        ));
    }
    let guild = match found.text("guild_id") {
        "" => None,
        _ => Some(found.id("guild_id")?),
    };
    if guild.is_some_and(|guild| guild != state.guild) {
        return Err(Reply::missing_access());
    }
    match (asked.method.as_str(), found.template.ends_with("/{command_id}")) {
        ("GET", true) => registry::read(state, guild, found.id("command_id")?),
        ("PATCH", true) => registry::update(state, guild, found.id("command_id")?, &asked.body),
        (_, true) => registry::delete(state, guild, found.id("command_id")?),
        ("GET", false) => registry::list(state, guild),
        ("POST", false) => registry::create(state, guild, &asked.body),
        (_, false) => registry::overwrite(state, guild, &asked.body),
    }
}

fn gateway_url(state: &State) -> String {
    format!("{}{}", state.url.replacen("http", "ws", 1), super::gateway::PATH)
}

fn gateway_bot(state: &State) -> Value {
    let day = jiff::SignedDuration::from_hours(24);
    let now = state.now();
    let today: Vec<_> =
        state.sessions.identifies.iter().filter(|at| now.duration_since(**at) < day).collect();
    let total = state.settings.identifies_a_day;
    let used = u32::try_from(today.len()).unwrap_or(u32::MAX);
    let reset = today.first().map_or(0, |first| (day - now.duration_since(**first)).as_millis());
    json!({
        "url": gateway_url(state),
        "shards": 1,
        "session_start_limit": {
            "total": total,
            "remaining": total.saturating_sub(used),
            "reset_after": i64::try_from(reset).unwrap_or(0),
            "max_concurrency": 1,
        },
    })
}

fn me(state: &State) -> Value {
    let mut user = world::user(state, state.bot);
    user["mfa_enabled"] = json!(true);
    user["locale"] = json!("en-US");
    user["verified"] = json!(true);
    user["email"] = Value::Null;
    user
}

fn application(state: &State) -> Value {
    json!({
        "id": state.application.to_string(),
        "name": state.settings.bot_name,
        "icon": null,
        "description": "",
        "type": null,
        "bot": world::user(state, state.bot),
        "bot_public": false,
        "bot_require_code_grant": false,
        "verify_key": "0".repeat(64),
        "flags": 0,
        "flags_new": "0",
        "redirect_uris": [],
        "interactions_endpoint_url": null,
        "role_connections_verification_url": null,
        "owner": world::user(state, state.owner),
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "team": null,
        "integration_types_config": { "0": {} },
        "eligible_oauth2_scopes": [],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_path_is_404_and_a_wrong_method_405() {
        #[rustfmt::skip]
        let table = [
            ("GET",    "gateway/bot",                        Ok("gateway/bot")),
            ("GET",    "guilds/1/roles/member-counts",       Ok("guilds/{guild_id}/roles/member-counts")),
            ("GET",    "guilds/1/roles/2",                   Ok("guilds/{guild_id}/roles/{role_id}")),
            ("PATCH",  "webhooks/1/abc/messages/@original",  Ok("webhooks/{webhook_id}/{webhook_token}/messages/{which}")),
            ("DELETE", "gateway/bot",                        Err(405)),
            ("GET",    "channels//messages",                 Err(404)),
            ("GET",    "nothing",                            Err(404)),
        ];
        for (method, path, expected) in table {
            let found = find(method, path).map(|found| found.template).map_err(|reply| reply.status);
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn words_of_a_path_are_decoded() {
        for (word, meant) in
            [("%40original", "@original"), ("@original", "@original"), ("5%", "5%"), ("%c3%a9", "é")]
        {
            assert_eq!(decoded(word), meant);
        }
    }
}
