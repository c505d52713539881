//! The commands as Discord shows them, read from the same [`Spec`]s as everything else.

use anyhow::ensure;
use commands::spec::{From, Opt, OptKind, Spec};
use domain::ids::GuildId;
use serde_json::{Map, Value, json};
use serenity::builder::{CreateCommand, CreateCommandOption};
use serenity::model::application::{CommandOptionType, CommandType, InteractionContext};
use tracing::info;

use super::rest::Rest;

/// The one command, of which all others are subcommands.
const ROOT: &str = "okta";
const ABOUT: &str = "Find failed Okta provisioning, and mend it.";
/// All names, descriptions and values of one command. Source: Discord, Application Commands.
const CHARACTERS: usize = 8_000;
/// What we set, and so compare. `default_member_permissions` is never set: everybody sees the command, and what
/// they may do is decided when they do it.
const FIELDS: [&str; 13] = [
    "type",
    "name",
    "description",
    "options",
    "contexts",
    "default_member_permissions",
    "required",
    "autocomplete",
    "choices",
    "min_length",
    "max_length",
    "value",
    "nsfw",
];

/// What became of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Registered {
    /// Discord has them already; nothing was written.
    Unchanged,
    /// They were written.
    Updated,
}

/// Registers the commands for a server, if Discord does not have them as they are.
///
/// # Errors
///
/// A command too large for Discord, or what [`Rest`] answers.
pub async fn register(
    rest: &Rest,
    application: u64,
    guild: GuildId,
    specs: &[Spec],
) -> anyhow::Result<Registered> {
    let ours = definition(specs);
    check(&ours)?;
    if same(&ours, &rest.guild_commands(application, guild).await?) {
        return Ok(Registered::Unchanged);
    }
    rest.put_guild_commands(application, guild, &ours).await?;
    info!(guild.id = %guild, "Registered the commands with Discord");
    Ok(Registered::Updated)
}

/// Whether Discord has the commands as they are.
///
/// # Errors
///
/// As [`register`].
pub async fn is_registered(
    rest: &Rest,
    application: u64,
    guild: GuildId,
    specs: &[Spec],
) -> anyhow::Result<bool> {
    Ok(same(&definition(specs), &rest.guild_commands(application, guild).await?))
}

/// The commands in Discord's JSON: `/okta` with its subcommands, and those in the menu of a message.
pub fn definition(specs: &[Spec]) -> Value {
    let subs = specs.iter().filter(|spec| spec.from == From::Slash).map(subcommand).collect();
    let root = CreateCommand::new(ROOT)
        .kind(CommandType::ChatInput)
        .description(ABOUT)
        .contexts(vec![InteractionContext::Guild])
        .set_options(subs);
    let menus = specs.iter().filter(|spec| spec.from == From::MessageMenu).map(|spec| {
        CreateCommand::new(spec.name).kind(CommandType::Message).contexts(vec![InteractionContext::Guild])
    });
    project(&json!([root].into_iter().chain(menus).collect::<Vec<_>>()))
}

fn subcommand(spec: &Spec) -> CreateCommandOption {
    let mut options: Vec<&Opt> = spec.options.iter().collect();
    options.sort_by_key(|option| !option.required); // stable; Discord wants required ones first
    CreateCommandOption::new(CommandOptionType::SubCommand, spec.name, spec.about)
        .set_sub_options(options.into_iter().map(option))
}

fn option(option: &Opt) -> CreateCommandOption {
    let of = |kind| {
        CreateCommandOption::new(kind, option.name, option.about)
            .required(option.required)
            .set_autocomplete(option.kind.suggests())
    };
    let text = || of(CommandOptionType::String);
    match option.kind {
        OptKind::App | OptKind::Person | OptKind::Incident | OptKind::Time => text(),
        OptKind::OneOf(words) => words.iter().fold(text(), |new, word| new.add_string_choice(*word, *word)),
        OptKind::Text(0, most) => text().max_length(most),
        OptKind::Text(least, most) => text().min_length(least).max_length(most),
        OptKind::Flag => of(CommandOptionType::Boolean),
        OptKind::Member => of(CommandOptionType::User),
    }
}

/// Refuses what Discord would refuse, by name.
fn check(commands: &Value) -> anyhow::Result<()> {
    for command in commands.as_array().into_iter().flatten() {
        let (name, size) = (&command["name"], characters(command));
        ensure!(size <= CHARACTERS, "command {name} has {size} characters; Discord takes {CHARACTERS}");
        let subs = command["options"].as_array().map_or(0, Vec::len);
        ensure!(subs <= 25, "command {name} has {subs} subcommands; Discord takes 25");
    }
    Ok(())
}

fn characters(node: &Value) -> usize {
    let own = ["name", "description", "value"].iter().filter_map(|field| node[*field].as_str());
    let own: usize = own.map(|text| text.chars().count()).sum();
    let parts = ["options", "choices"].iter().filter_map(|field| node[*field].as_array()).flatten();
    own + parts.map(characters).sum::<usize>()
}

/// Compares by what we set; the order of commands means nothing, the order of their options does.
fn same(ours: &Value, theirs: &Value) -> bool {
    let sorted = |commands: &Value| {
        let mut commands = project(commands).as_array().cloned().unwrap_or_default();
        for command in &mut commands {
            // Discord keeps the contexts of global commands only; a server's own are for that server in any case.
            if let Some(command) = command.as_object_mut() {
                command.remove("contexts");
            }
        }
        commands.sort_by_key(|command| (command["type"].to_string(), command["name"].to_string()));
        commands
    };
    sorted(ours) == sorted(theirs)
}

/// The fields that we set, without those that say what is so anyway: `false`, `null`, nothing.
fn project(node: &Value) -> Value {
    match node {
        Value::Array(list) => list.iter().map(project).collect(),
        Value::Object(fields) => {
            let empty = |value: &Value| match value {
                Value::Null | Value::Bool(false) => true,
                Value::Array(list) => list.is_empty(),
                Value::String(text) => text.is_empty(),
                Value::Bool(true) | Value::Number(_) | Value::Object(_) => false,
            };
            let kept = fields.iter().filter(|(name, value)| FIELDS.contains(&name.as_str()) && !empty(value));
            Value::Object(kept.map(|(name, value)| (name.clone(), project(value))).collect::<Map<_, _>>())
        }
        leaf => leaf.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use commands::chat::Opening;

    const fn opt(name: &'static str, kind: OptKind, required: bool) -> Opt {
        Opt { name, about: "What is meant.", kind, required }
    }

    const OPTIONS: &[Opt] = &[
        opt("person", OptKind::Person, false),
        opt("app", OptKind::App, true),
        opt("state", OptKind::OneOf(&["open", "fixed"]), false),
    ];

    const fn spec(name: &'static str, options: &'static [Opt], from: From) -> Spec {
        Spec { name, about: "Say what is failing.", role: None, opening: Opening::Private, options, from }
    }

    const ASKED: &[Opt] = &[
        opt("reason", OptKind::Text(10, 500), true),
        opt("note", OptKind::Text(0, 80), false),
        opt("breakglass", OptKind::Flag, false),
        opt("member", OptKind::Member, false),
    ];

    #[test]
    fn texts_flags_and_members_are_options_of_their_own_kinds() {
        let commands = definition(&[spec("enable", ASKED, From::Slash)]);
        let expected = json!([
            { "type": 3, "name": "reason", "description": "What is meant.", "required": true, "min_length": 10, "max_length": 500 },
            { "type": 3, "name": "note", "description": "What is meant.", "max_length": 80 },
            { "type": 5, "name": "breakglass", "description": "What is meant." },
            { "type": 6, "name": "member", "description": "What is meant." },
        ]);
        assert_eq!(commands[0]["options"][0]["options"], expected);

        let mut other = commands.clone();
        other[0]["options"][0]["options"][0]["min_length"] = json!(5);
        assert!(same(&commands, &commands.clone()) && !same(&commands, &other), "a length is compared");
    }

    const SPECS: &[Spec] = &[
        spec("tasks", OPTIONS, From::Slash),
        spec("help", &[], From::Slash),
        spec("confirm", &[], From::ButtonOnly),
        spec("Diagnose with Okta", &[], From::MessageMenu),
    ];

    #[test]
    fn the_commands_are_one_with_subcommands_and_the_menus() {
        let text = serde_json::to_string_pretty(&definition(SPECS)).unwrap();
        insta::assert_snapshot!(text, @r#"
        [
          {
            "contexts": [
              0
            ],
            "description": "Find failed Okta provisioning, and mend it.",
            "name": "okta",
            "options": [
              {
                "description": "Say what is failing.",
                "name": "tasks",
                "options": [
                  {
                    "autocomplete": true,
                    "description": "What is meant.",
                    "name": "app",
                    "required": true,
                    "type": 3
                  },
                  {
                    "autocomplete": true,
                    "description": "What is meant.",
                    "name": "person",
                    "type": 3
                  },
                  {
                    "choices": [
                      {
                        "name": "open",
                        "value": "open"
                      },
                      {
                        "name": "fixed",
                        "value": "fixed"
                      }
                    ],
                    "description": "What is meant.",
                    "name": "state",
                    "type": 3
                  }
                ],
                "type": 1
              },
              {
                "description": "Say what is failing.",
                "name": "help",
                "type": 1
              }
            ],
            "type": 1
          },
          {
            "contexts": [
              0
            ],
            "name": "Diagnose with Okta",
            "type": 3
          }
        ]
        "#);
    }

    #[test]
    fn what_discord_adds_is_no_change_and_what_somebody_changed_is() {
        let ours = definition(SPECS);
        let mut theirs = ours.clone();
        for command in theirs.as_array_mut().unwrap() {
            command["id"] = json!("1");
            command["version"] = json!("2");
            command["contexts"] = Value::Null;
            command["nsfw"] = json!(false);
            command["default_member_permissions"] = Value::Null;
        }
        theirs[0]["options"][1]["options"] = json!([]);
        theirs.as_array_mut().unwrap().reverse();
        assert!(same(&ours, &theirs));

        let mut other = theirs.clone();
        other[1]["options"][0]["description"] = json!("Something else.");
        assert!(!same(&ours, &other), "a description");
        let mut other = theirs.clone();
        other[1]["default_member_permissions"] = json!("0");
        assert!(!same(&ours, &other), "hidden from everybody");
        let mut other = theirs;
        other.as_array_mut().unwrap().pop();
        assert!(!same(&ours, &other), "one is gone");
    }

    #[test]
    fn a_command_that_is_too_large_is_named() {
        const WORDY: &str =
            "A very long description that says the same thing again and again, and then once more.";
        const LONG: Opt = Opt { name: "x", about: WORDY, kind: OptKind::App, required: true };
        const MANY: &[Spec] = &[spec("sub", &[LONG; 5], From::Slash); 20];
        let error = check(&definition(MANY)).unwrap_err().to_string();
        assert!(error.starts_with("command \"okta\" has 9107 characters"), "{error}");
    }
}
