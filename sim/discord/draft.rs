//! The body of a message, checked: what somebody wants to say, before it is said.

use axum::body::Bytes;
use serde_json::{Value, json};

use super::{
    components, embeds,
    form::Form,
    mentions::{self, Allowed},
    message::{COMPONENTS_V2, Message, Pings},
    reply::Reply,
    state::{File, State},
    world::Channel,
};

const MAX_FILE: usize = 10 * 1024 * 1024;

/// A file that came with a request.
#[derive(Debug, Clone)]
pub(super) struct Upload {
    /// The n of `files[n]`.
    pub(super) number: u64,
    pub(super) name: String,
    pub(super) content_type: String,
    pub(super) bytes: Bytes,
}

/// A checked body. What is `None` was not in it: an edit leaves that as it was.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) content: Option<String>,
    pub(super) embeds: Option<Vec<Value>>,
    pub(super) components: Option<Vec<Value>>,
    pub(super) flags: Option<u64>,
    pub(super) allowed: Allowed,
    pub(super) nonce: Option<Value>,
    pub(super) enforce_nonce: bool,
    pub(super) reply_to: Option<u64>,
    kept: Option<Vec<Value>>,
    uploads: Vec<Upload>,
}

impl Draft {
    /// Checks a body; `default` is what may be rung up if it does not say.
    ///
    /// # Errors
    ///
    /// 50035 with everything that is wrong; 40005 if a file is too large.
    pub(super) fn read(body: &Value, uploads: &[Upload], default: Allowed) -> Result<Self, Reply> {
        let mut form = Form::default();
        if !body.is_object() && !body.is_null() {
            form.wrong("", "MODEL_TYPE_CONVERT", "Only dictionaries may be used in a ModelType");
        }
        let flags = body["flags"].as_u64();
        let layout = flags.unwrap_or(0) & COMPONENTS_V2 != 0;
        form.text("content", body.get("content"), 0, 2000);
        if layout {
            for field in ["content", "embeds"] {
                let full = match body.get(field) {
                    Some(Value::String(text)) => !text.is_empty(),
                    Some(Value::Array(items)) => !items.is_empty(),
                    _ => false,
                };
                if full {
                    let message = format!(
                        "The `{field}` field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
                    );
                    form.wrong(field, "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2", message);
                }
            }
        }
        let embeds = embeds::read(body.get("embeds"), &mut form);
        let components = components::read(body.get("components"), layout, &mut form);
        let allowed = Allowed::read(body.get("allowed_mentions"), default, &mut form);
        let nonce = body.get("nonce").filter(|nonce| !nonce.is_null()).cloned();
        if let Some(nonce) = &nonce
            && !nonce.is_i64()
        {
            form.text("nonce", Some(nonce), 0, 25);
        }
        if uploads.len() > 10 {
            form.wrong("files", "BASE_TYPE_MAX_LENGTH", "Must be 10 or fewer in length.");
        }
        form.list("attachments", body.get("attachments"), 0, 10);
        form.check()?;

        let whole: usize = uploads.iter().map(|file| file.bytes.len()).sum();
        if whole > 25 * 1024 * 1024 || uploads.iter().any(|file| file.bytes.len() > MAX_FILE) {
            return Err(Reply::error(413, 40005, "Request entity too large"));
        }
        let given = |key: &str| body.get(key).is_some();
        Ok(Self {
            content: given("content").then(|| body["content"].as_str().unwrap_or_default().trim().to_owned()),
            embeds: given("embeds").then_some(embeds),
            components: given("components").then_some(components),
            flags,
            allowed,
            nonce,
            enforce_nonce: body["enforce_nonce"] == true,
            reply_to: body.pointer("/message_reference/message_id").and_then(|id| id.as_str()?.parse().ok()),
            kept: body.get("attachments").map(|list| list.as_array().cloned().unwrap_or_default()),
            uploads: uploads.to_vec(),
        })
    }

    /// Checks the body of an edit: what was made of components alone stays so without saying it again.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub(super) fn read_edit(
        old: &Message,
        body: &Value,
        uploads: &[Upload],
        default: Allowed,
    ) -> Result<Self, Reply> {
        let mut body = body.clone();
        if old.flags & COMPONENTS_V2 != 0 && body.is_object() {
            body["flags"] = json!(body["flags"].as_u64().unwrap_or(0) | COMPONENTS_V2);
        }
        Self::read(&body, uploads, default)
    }

    /// Whether files come with it.
    pub(super) fn has_files(&self) -> bool {
        !self.uploads.is_empty()
    }

    /// A new message of it, not yet posted.
    ///
    /// # Errors
    ///
    /// 50006 if there is nothing in it.
    pub(super) fn into_message(
        mut self,
        state: &mut State,
        author: u64,
        channel: &Channel,
    ) -> Result<Message, Reply> {
        let id = state.id();
        let attachments = self.attach(state, channel.id);
        let mut message = Message {
            id,
            channel: channel.id,
            author,
            content: self.content.unwrap_or_default(),
            embeds: self.embeds.unwrap_or_default(),
            components: self.components.unwrap_or_default(),
            attachments,
            flags: self.flags.unwrap_or(0),
            posted: state.now(),
            edited: None,
            edits: 0,
            nonce: self.nonce,
            pings: Pings::default(),
            mentions: Pings::default(),
            reply_to: self.reply_to,
            interaction: None,
            only_for: None,
            deleted: false,
        };
        if message.is_empty() {
            return Err(Reply::empty_message());
        }
        message.mentions = mentions::rung(state, author, channel, &spoken(&message), &self.allowed);
        message.pings = message.mentions.clone();
        Ok(message)
    }

    /// The message with what the draft changes in it. Nobody is rung up by that.
    ///
    /// # Errors
    ///
    /// 50006 if nothing would be left.
    pub(super) fn edit(mut self, state: &mut State, mut message: Message) -> Result<Message, Reply> {
        let new = self.attach(state, message.channel);
        if let Some(kept) = &self.kept {
            let stays = |it: &Value| kept.iter().any(|kept| kept["id"] == it["id"]);
            message.attachments.retain(stays);
        }
        message.attachments.extend(new);
        message.content = self.content.unwrap_or(message.content);
        message.embeds = self.embeds.unwrap_or(message.embeds);
        message.components = self.components.unwrap_or(message.components);
        message.flags |= self.flags.unwrap_or(0) & COMPONENTS_V2;
        if message.is_empty() {
            return Err(Reply::empty_message());
        }
        if let Some(channel) = state.channels.get(&message.channel) {
            message.mentions =
                mentions::rung(state, message.author, channel, &spoken(&message), &self.allowed);
        }
        Ok(message)
    }

    /// Keeps the files that came along, and describes them.
    fn attach(&mut self, state: &mut State, channel: u64) -> Vec<Value> {
        let mut attachments = Vec::new();
        for upload in std::mem::take(&mut self.uploads) {
            let told = self.kept.iter().flatten().find(|it| names(it, upload.number));
            let told = told.cloned().unwrap_or(Value::Null);
            let name = plain(told["filename"].as_str().unwrap_or(&upload.name));
            let id = state.id();
            let url = format!("{}/attachments/{channel}/{id}/{name}", state.url);
            let mut json = json!({
                "id": id.to_string(),
                "filename": name,
                "size": upload.bytes.len(),
                "content_type": upload.content_type,
                "url": url,
                "proxy_url": url,
            });
            if let Some(description) = told["description"].as_str() {
                json["description"] = json!(description);
            }
            state.files.insert(id, File { name, content_type: upload.content_type, bytes: upload.bytes });
            attachments.push(json);
        }
        attachments
    }
}

/// The file's name as Discord keeps it: nothing in it needs an escape in a link.
fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' }).collect()
}

/// Whether the description is of the file with that number.
fn names(told: &Value, number: u64) -> bool {
    told["id"].as_u64() == Some(number) || told["id"].as_str() == Some(number.to_string().as_str())
}

/// The texts in which mentions count: the content and, in a layout, its text parts.
fn spoken(message: &Message) -> String {
    fn collect(parts: &[Value], text: &mut String) {
        for part in parts {
            if part["type"] == 10 {
                text.push('\n');
                text.push_str(part["content"].as_str().unwrap_or_default());
            }
            collect(part["components"].as_array().map_or(&[], Vec::as_slice), text);
        }
    }
    let mut text = message.content.clone();
    collect(&message.components, &mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_refused_for_every_fault_in_it_at_once() {
        let body = json!({ "content": "x".repeat(2001), "embeds": [{ "title": "x".repeat(257) }] });
        let reply = Draft::read(&body, &[], Allowed::in_messages()).unwrap_err();
        let errors = &reply.body.unwrap()["errors"];
        assert!(errors["content"].is_object() && errors["embeds"]["0"]["title"].is_object());
    }

    #[test]
    fn a_layout_has_no_content() {
        let body =
            json!({ "flags": COMPONENTS_V2, "content": "a", "components": [{ "type": 10, "content": "b" }] });
        assert!(Draft::read(&body, &[], Allowed::in_messages()).is_err());
    }
}
