//! A bot by hand, for the tests of this simulator: a few lines of HTTP and a websocket.

use std::time::Duration;

use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};

use super::{Discord, Settings};

/// What a request came back with.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: String,
    pub(super) json: Value,
}

/// Long enough for anything that happens at once.
pub(super) const SOON: Duration = Duration::from_secs(5);

pub(super) async fn discord() -> Result<Discord> {
    Discord::start(Settings { global_limit: 100_000, ..Settings::default() }).await
}

/// A request with the bot's token.
pub(super) async fn ask(discord: &Discord, method: &str, path: &str, body: Value) -> Result<Got> {
    let text = if body.is_null() { String::new() } else { body.to_string() };
    send(discord, method, path, "application/json", "Authorization: Bot simulated-bot-token\r\n", &text).await
}

pub(super) async fn send(
    discord: &Discord,
    method: &str,
    path: &str,
    kind: &str,
    more: &str,
    body: &str,
) -> Result<Got> {
    let host = discord.url().strip_prefix("http://").context("a url")?;
    let mut stream = TcpStream::connect(host).await?;
    let head = format!(
        "{method} /api/v10/{path} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: DiscordBot (https://example.com, 1)\r\n\
         {more}Content-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    let text = String::from_utf8(bytes)?;
    let (headers, body) = text.split_once("\r\n\r\n").context("no answer")?;
    let status = headers.split(' ').nth(1).context("no status")?.parse()?;
    Ok(Got {
        status,
        headers: headers.to_lowercase(),
        json: serde_json::from_str(body).unwrap_or(Value::Null),
    })
}

/// A gateway connection.
pub(super) struct Socket(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Socket {
    /// Connects and identifies.
    pub(super) async fn identified(discord: &Discord) -> Result<(Self, Value)> {
        let mut socket = Self::connected(discord, "/gateway").await?;
        let d = json!({ "token": "simulated-bot-token", "intents": 1, "properties": {} });
        socket.says(json!({ "op": 2, "d": d })).await?;
        let ready = socket.event("READY").await?;
        Ok((socket, ready))
    }

    /// Connects and hears HELLO.
    pub(super) async fn connected(discord: &Discord, path: &str) -> Result<Self> {
        let url = format!("{}{path}?v=10&encoding=json", discord.url().replacen("http", "ws", 1));
        let (stream, _) = connect_async(url).await?;
        let mut socket = Self(stream);
        let hello = socket.hears().await?;
        anyhow::ensure!(hello["op"] == 10, "no HELLO: {hello}");
        Ok(socket)
    }

    pub(super) async fn says(&mut self, frame: Value) -> Result<()> {
        Ok(self.0.send(Message::text(frame.to_string())).await?)
    }

    /// The next frame; a close frame as `{"close": code}`, a broken connection as an error.
    pub(super) async fn hears(&mut self) -> Result<Value> {
        let message =
            tokio::time::timeout(SOON, self.0.next()).await?.context("the connection is gone")??;
        Ok(match message {
            Message::Text(text) => serde_json::from_str(&text).unwrap_or(Value::Null),
            Message::Close(frame) => json!({ "close": frame.map(|frame| u16::from(frame.code)) }),
            other => json!({ "other": format!("{other:?}") }),
        })
    }

    /// The data of the next event of that name.
    pub(super) async fn event(&mut self, name: &str) -> Result<Value> {
        loop {
            let mut frame = self.hears().await?;
            anyhow::ensure!(frame.get("close").is_none(), "closed: {frame}");
            if frame["t"] == name {
                let s = frame["s"].clone();
                frame["d"]["_s"] = s;
                return Ok(frame["d"].take());
            }
        }
    }
}

/// Answers an interaction.
pub(super) async fn callback(discord: &Discord, event: &Value, body: Value) -> Result<Got> {
    let id = event["id"].as_str().context("an id")?;
    let token = event["token"].as_str().context("a token")?;
    ask(discord, "POST", &format!("interactions/{id}/{token}/callback?with_response=true"), body).await
}
