//! Every route of the simulated Discord, over a server with a bot that has something to say.

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use reqwest::Method;
use serde_json::{Value, json};
use sim::discord::{Answer, Discord, Fault, Permission, Scope, Settings};

use crate::documents;

/// A server, a bot by hand, and Ada.
struct Server {
    discord: Discord,
    http: reqwest::Client,
    channel: u64,
    ada: u64,
}

/// Both ids of an interaction that is to be answered.
struct Interaction {
    id: String,
    token: String,
}

impl Server {
    async fn with_commands() -> Result<Self> {
        let discord = Discord::start(Settings { global_limit: 100_000, ..Settings::default() }).await?;
        let (channel, helpdesk) = (discord.channel("provisioning"), discord.role("helpdesk"));
        discord.makes_mentionable(helpdesk, true);
        let ada = discord.member("ada", &[helpdesk]);
        let server = Self { discord, http: crate::http()?, channel, ada };
        let commands = json!([
            { "name": "okta", "description": "Okta provisioning", "options": [
                { "type": 1, "name": "diagnose", "description": "Say why an account fails.", "options": [
                    { "type": 3, "name": "app", "description": "Which app.", "required": true, "autocomplete": true },
                    { "type": 6, "name": "member", "description": "Whose account." },
                ] },
            ] },
            { "name": "Diagnose", "type": 3 },
        ]);
        let all = format!("{}/commands", server.guild_of_bot());
        anyhow::ensure!(
            server.asks(Method::PUT, &all, Some(commands)).await?.is_array(),
            "nothing was registered"
        );
        Ok(server)
    }

    async fn asks(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let request = self.http.request(method, format!("{}/api/v10{path}", self.discord.url()));
        let request = request.header("Authorization", format!("Bot {}", Settings::default().bot_token));
        let request = body.iter().fold(request, |request, body| request.json(body));
        let text = request.send().await?.text().await?;
        Ok(if text.is_empty() { Value::Null } else { serde_json::from_str(&text)? })
    }

    async fn gets(&self, path: &str) -> Result<Value> {
        self.asks(Method::GET, path, None).await
    }

    async fn posts(&self, path: &str, body: Value) -> Result<Value> {
        self.asks(Method::POST, path, Some(body)).await
    }

    async fn edits(&self, path: &str, body: Value) -> Result<Value> {
        self.asks(Method::PATCH, path, Some(body)).await
    }

    async fn answers(&self, to: &Interaction, body: Value) -> Result<Value> {
        self.posts(&format!("/interactions/{}/{}/callback?with_response=true", to.id, to.token), body).await
    }

    fn messages(&self) -> String {
        format!("/channels/{}/messages", self.channel)
    }

    fn bot(&self) -> String {
        format!("/applications/{}", self.discord.application_id())
    }

    fn guild_of_bot(&self) -> String {
        format!("{}/guilds/{}", self.bot(), self.discord.guild_id())
    }

    fn webhook(&self, of: &Interaction) -> String {
        format!("/webhooks/{}/{}", self.discord.application_id(), of.token)
    }

    /// Holds all exchanges so far against the documents, of which at least `granted` are not refusals.
    fn holds(&self, granted: usize) {
        let exchanges = self.discord.ledger().exchanges();
        let good = exchanges.iter().filter(|exchange| exchange.status < 300).count();
        assert!(good >= granted, "only {good} of {} requests were granted", exchanges.len());
        documents::hold(&[], &exchanges);
    }
}

fn told(answer: &Answer) -> Result<Interaction> {
    let event = answer.event();
    let text = |field: &str| Some(event.get(field)?.as_str()?.to_owned());
    let (id, token) = text("id").zip(text("token")).context("an interaction without an id or a token")?;
    Ok(Interaction { id, token })
}

fn id(of: &Value) -> Result<u64> {
    Ok(of["id"].as_str().context("no id")?.parse()?)
}

/// A card with what cards are made of.
fn card(nonce: &str) -> Value {
    json!({
        "content": "**#1** dana in Slack", "nonce": nonce, "enforce_nonce": true, "allowed_mentions": { "parse": [] },
        "embeds": [{
            "title": "User account is inactive", "description": "Since 9:15", "color": 0x00d8_3a3a,
            "fields": [{ "name": "App", "value": "Slack", "inline": true }], "footer": { "text": "Provost" },
            "timestamp": "2026-03-02T09:15:00.000Z", "url": "https://example.okta.com/admin/tasks",
        }],
        "components": [
            { "type": 1, "components": [
                { "type": 2, "style": 1, "label": "Take", "custom_id": "v1:take:1" },
                { "type": 2, "style": 5, "label": "Console", "url": "https://example.okta.com/admin/tasks" },
            ] },
            { "type": 1, "components": [{
                "type": 3, "custom_id": "v1:retry", "placeholder": "Retry", "min_values": 1, "max_values": 1,
                "options": [{ "label": "dana", "value": "1", "description": "Slack" }],
            }] },
        ],
    })
}

#[tokio::test]
async fn reads_as_documented() -> Result<()> {
    let server = Server::with_commands().await?;
    let (guild, channel) =
        (format!("/guilds/{}", server.discord.guild_id()), format!("/channels/{}", server.channel));
    let (mine, ada) = (server.guild_of_bot(), server.ada);
    let roles = server.gets(&format!("{guild}/roles")).await?;
    let command = server.gets(&format!("{mine}/commands?with_localizations=true")).await?;
    for path in ["/gateway", "/gateway/bot", "/users/@me", "/applications/@me", "/oauth2/applications/@me"] {
        server.gets(path).await?;
    }
    for path in ["?with_counts=true", "/channels", "/threads/active", "/roles/member-counts", "/members/1"] {
        server.gets(&format!("{guild}{path}")).await?;
    }
    server.gets(&format!("{guild}/members/{ada}")).await?;
    server.gets(&format!("{guild}/roles/{}", id(&roles[0])?)).await?;
    server.gets(&channel).await?;
    server.gets("/channels/1").await?;
    server.gets(&format!("{}/commands", server.bot())).await?;
    server.gets(&format!("{mine}/commands/{}", id(&command[0])?)).await?;
    server.gets(&format!("{mine}/commands/1")).await?;
    server.holds(14);
    Ok(())
}

#[tokio::test]
async fn messages_and_threads_are_as_documented() -> Result<()> {
    let server = Server::with_commands().await?;
    let messages = server.messages();
    let first = id(&server.posts(&messages, card("i-1")).await?)?;
    server.posts(&messages, card("i-1")).await?;
    let reply = json!({ "content": "again", "message_reference": { "message_id": first.to_string() } });
    let reply = id(&server.posts(&messages, reply).await?)?;
    server.discord.person(server.ada).says(server.channel, "thanks").await?;
    server.edits(&format!("{messages}/{first}"), json!({ "content": "**Fixed**", "components": [] })).await?;
    server.edits(&format!("{messages}/1"), json!({ "content": "nothing" })).await?;
    server.posts(&messages, json!({ "content": "" })).await?;
    server.posts(&messages, json!({ "content": "x".repeat(2001) })).await?;
    server.gets(&format!("{messages}/{first}")).await?;
    for options in ["", "?limit=1", &format!("?after={first}&limit=100"), &format!("?before={first}")] {
        server.gets(&format!("{messages}{options}")).await?;
    }

    let thread = json!({ "name": "Steps", "auto_archive_duration": 1440 });
    let thread = server.posts(&format!("{messages}/{first}/threads"), thread.clone()).await?;
    server.posts(&format!("{messages}/{first}/threads"), json!({ "name": "Steps" })).await?;
    let steps = format!("/channels/{}", id(&thread)?);
    server.posts(&format!("{steps}/messages"), json!({ "content": "9:15 opened", "flags": 4096 })).await?;
    server.edits(&steps, json!({ "archived": true, "locked": false })).await?;
    server.gets(&steps).await?;
    server.gets(&format!("{messages}/{first}")).await?;
    server.asks(Method::DELETE, &format!("{messages}/{reply}"), None).await?;
    server.asks(Method::DELETE, &format!("{messages}/{reply}"), None).await?;
    server.holds(15);
    Ok(())
}

#[tokio::test]
async fn interactions_are_as_documented() -> Result<()> {
    let server = Server::with_commands().await?;
    let ada = server.discord.person(server.ada);
    let thinking = || json!({ "type": 5, "data": { "flags": 64 } });

    let command = told(&ada.types("/okta diagnose app:Slack").await?)?;
    server.answers(&command, thinking()).await?;
    server.answers(&command, thinking()).await?;
    let webhook = server.webhook(&command);
    let original = format!("{webhook}/messages/@original");
    server.edits(&original, json!({ "content": "Sent.", "allowed_mentions": { "parse": [] } })).await?;
    server.gets(&original).await?;
    let followup =
        server.posts(&format!("{webhook}?wait=true"), json!({ "content": "More", "flags": 64 })).await?;
    let followup = format!("{webhook}/messages/{}", id(&followup)?);
    server.edits(&followup, json!({ "content": "Still more" })).await?;
    server.gets(&followup).await?;
    server.asks(Method::DELETE, &followup, None).await?;
    server.asks(Method::DELETE, &original, None).await?;

    let typing = told(&ada.asks_for("/okta diagnose", "app", "sla").await?)?;
    server
        .answers(&typing, json!({ "type": 8, "data": { "choices": [{ "name": "Slack", "value": "0oa1" }] } }))
        .await?;

    let message = id(&server.posts(&server.messages(), card("i-2")).await?)?;
    let click = told(&ada.clicks(message, "Take").await?)?;
    server.answers(&click, json!({ "type": 6 })).await?;
    server
        .edits(&format!("{}/messages/@original", server.webhook(&click)), json!({ "content": "Taken" }))
        .await?;
    let choice = told(&ada.chooses(message, "Retry", &["dana"]).await?)?;
    server.answers(&choice, json!({ "type": 7, "data": { "content": "**Retried**" } })).await?;
    let menu = told(&ada.uses_menu("Diagnose", message).await?)?;
    server.answers(&menu, json!({ "type": 4, "data": { "content": "It is fine.", "flags": 64 } })).await?;

    let click = ada.clicks(message, "Take").await?;
    server.answers(&told(&click)?, json!({ "type": 9, "data": {
        "custom_id": "v1:deny:1", "title": "Deny", "components": [
            { "type": 18, "label": "Why?", "component": { "type": 4, "custom_id": "why", "style": 2, "max_length": 300 } },
        ],
    } })).await?;
    let modal = click.now();
    let sim::discord::Shown::Modal(modal) = modal else { anyhow::bail!("no dialog, but {modal:?}") };
    let filled = told(&ada.fills(&modal, &[("Why?", "Not now")]).await?)?;
    let path = format!("/interactions/{}/{}/callback", filled.id, filled.token);
    server.posts(&path, json!({ "type": 4, "data": { "content": "Denied.", "flags": 64 } })).await?;

    let late = told(&ada.types("/okta diagnose app:Slack").await?)?;
    server.discord.advance(SignedDuration::from_secs(4));
    server.answers(&late, thinking()).await?;
    server.discord.advance(SignedDuration::from_mins(16));
    server.edits(&original, json!({ "content": "late" })).await?;
    server.holds(17);
    Ok(())
}

#[tokio::test]
async fn commands_are_registered_as_documented() -> Result<()> {
    let server = Server::with_commands().await?;
    for of in [server.bot(), server.guild_of_bot()] {
        let commands = format!("{of}/commands");
        let ping = json!({ "name": "ping", "description": "Say whether it is there.", "contexts": [0] });
        let ping = server.posts(&commands, ping).await?;
        let ping = format!("{commands}/{}", id(&ping)?);
        server.edits(&ping, json!({ "description": "Say that it is there." })).await?;
        server.posts(&commands, json!({ "name": "Not A Name", "description": "x" })).await?;
        server.asks(Method::PUT, &commands, Some(json!([]))).await?;
        server.asks(Method::DELETE, &ping, None).await?;
    }
    server.holds(6);
    Ok(())
}

#[tokio::test]
async fn refuses_as_documented() -> Result<()> {
    let server = Server::with_commands().await?;
    let messages = server.messages();
    for scope in [Scope::User, Scope::Global, Scope::Shared] {
        server.discord.faults().next(1, "messages", Fault::RateLimited { retry_after: 1.5, scope });
        server.posts(&messages, card("i-3")).await?;
    }
    server.discord.faults().next(1, "messages", Fault::Status(403));
    server.posts(&messages, card("i-3")).await?;
    server.discord.denies(Permission::SEND_MESSAGES, server.channel);
    server.posts(&messages, card("i-4")).await?;
    server.discord.denies(Permission::VIEW_CHANNEL, server.channel);
    server.gets(&messages).await?;
    server.discord.rate_limit("GET /users/@me", 1, SignedDuration::from_mins(1));
    server.gets("/users/@me").await?;
    server.gets("/users/@me").await?;
    server.http.get(format!("{}/api/v10/users/@me", server.discord.url())).send().await?;
    server.holds(2);
    Ok(())
}
