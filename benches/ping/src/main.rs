//! A bot that answers `/ping`, and does nothing else. `ping URL TOKEN GUILD`

use std::env;

use serenity::all::{
    Context, CreateCommand, CreateInteractionResponse, CreateInteractionResponseMessage, EventHandler,
    GatewayIntents, GuildId, HttpBuilder, Interaction, Ready,
};
use serenity::async_trait;
use serenity::client::ClientBuilder;

struct Bot(GuildId);

#[async_trait]
impl EventHandler for Bot {
    async fn ready(&self, context: Context, _: Ready) {
        let ping = CreateCommand::new("ping").description("Answers.");
        if let Err(failure) = self.0.set_commands(&context, vec![ping]).await {
            eprintln!("/ping is not registered: {failure}");
        }
    }

    async fn interaction_create(&self, context: Context, interaction: Interaction) {
        let Interaction::Command(command) = interaction else { return };
        let pong = CreateInteractionResponseMessage::new().content("Pong!").ephemeral(true);
        if let Err(failure) =
            command.create_response(&context, CreateInteractionResponse::Message(pong)).await
        {
            eprintln!("not answered: {failure}");
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [url, token, guild] = &arguments[..] else { return Err("ping URL TOKEN GUILD".into()) };
    let guild: u64 = guild.parse()?;
    // Its rate limiter would ignore the address.
    let http = HttpBuilder::new(token).proxy(url).ratelimiter_disabled(true).build();
    let bot = Bot(GuildId::new(guild));
    let client = ClientBuilder::new_with_http(http, GatewayIntents::empty()).event_handler(bot);
    client.await?.start().await?;
    Ok(())
}
