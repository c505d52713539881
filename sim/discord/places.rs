//! Who and what there is on the server, for a page to list.

use std::collections::HashMap;

use serde::Serialize;

use super::{
    Discord, ids,
    state::State,
    view,
    world::{Channel, Member, Role},
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
    /// How many messages stand in it for all to see.
    pub messages: usize,
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

/// A role of the server.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RoleName {
    /// Its id.
    #[serde(serialize_with = "ids::one")]
    pub id: u64,
    /// Its name, without a sign before it.
    pub name: String,
}

impl Discord {
    /// The roles, oldest first. The first is that of everyone.
    pub fn roles(&self) -> Vec<RoleName> {
        self.read(|state| {
            let role = |(id, it): (&u64, &Role)| RoleName { id: *id, name: it.name.clone() };
            state.roles.iter().map(role).collect()
        })
    }

    /// The channels and threads, oldest first.
    pub fn places(&self) -> Vec<Place> {
        self.places_that(|_, _| true)
    }

    /// The channels and threads that this member sees, oldest first.
    pub fn places_for(&self, member: u64) -> Vec<Place> {
        self.places_that(|state, channel| view::sees(state, member, channel))
    }

    fn places_that(&self, which: impl Fn(&State, u64) -> bool) -> Vec<Place> {
        self.read(|state| {
            let mut count: HashMap<u64, usize> = HashMap::new();
            for message in state.messages.values().filter(|it| it.is_public()) {
                *count.entry(message.channel).or_default() += 1;
            }
            let place = |it: &Channel| {
                let parent = it.thread.as_ref().map(|thread| thread.parent);
                let messages = count.get(&it.id).copied().unwrap_or_default();
                Place { id: it.id, name: it.name.clone(), parent, messages }
            };
            state.channels.values().filter(|it| which(state, it.id)).map(place).collect()
        })
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
