//! Who and what there is on the server, for a page to list.

use serde::Serialize;

use super::{
    Discord, ids,
    world::{Channel, Member},
};

/// A channel, or a thread in one.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Place {
    /// Its id.
    #[serde(serialize_with = "ids::one")]
    pub id: u64,
    /// Its name, without a sign before it.
    pub name: String,
    /// The channel it is a thread of.
    #[serde(serialize_with = "ids::maybe")]
    pub parent: Option<u64>,
}

/// A member of the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Somebody {
    /// Its id.
    #[serde(serialize_with = "ids::one")]
    pub id: u64,
    /// Its name.
    pub name: String,
    /// The names of its roles.
    pub roles: Vec<String>,
    /// Whether it is a bot.
    pub bot: bool,
}

impl Discord {
    /// The channels and threads, oldest first.
    pub fn places(&self) -> Vec<Place> {
        let place = |it: &Channel| {
            let parent = it.thread.as_ref().map(|thread| thread.parent);
            Place { id: it.id, name: it.name.clone(), parent }
        };
        self.read(|state| state.channels.values().map(place).collect())
    }

    /// The members who are there, oldest first.
    pub fn members(&self) -> Vec<Somebody> {
        self.read(|state| {
            let role = |id: &u64| state.roles.get(id).map(|role| role.name.clone());
            let there = state.members.iter().filter(|(_, it)| !it.left);
            let somebody = |(id, it): (&u64, &Member)| Somebody {
                id: *id,
                name: it.name.clone(),
                roles: it.roles.iter().filter_map(role).collect(),
                bot: it.bot,
            };
            there.map(somebody).collect()
        })
    }
}
