//! Which person somebody meant who typed a name: one, or those whom it may be.

use domain::event::Person;

use crate::text::escape;

/// How many are named.
const NAMED: usize = 5;

/// Whether a person is exactly the one that was typed, by id, login or name.
pub fn is(person: &Person, typed: &str) -> bool {
    let wanted = typed.trim().to_lowercase();
    texts(person).any(|text| text.to_lowercase() == wanted)
}

/// A sentence that says who may be meant: those whom the text fits, or else those in whom it is found. Empty if there
/// are none.
pub fn candidates(people: &[&Person], typed: &str) -> String {
    let wanted = typed.trim().to_lowercase();
    let in_part = |person: &&&Person| texts(person).any(|text| text.to_lowercase().contains(&wanted));
    let mut found: Vec<&Person> = people.iter().filter(|person| is(person, typed)).copied().collect();
    if found.is_empty() {
        found = people.iter().filter(in_part).copied().collect();
    }
    found.sort_by_key(|person| &person.id);
    found.dedup_by_key(|person| &person.id);
    let more = found.len().saturating_sub(NAMED);
    let mut named: Vec<String> = found
        .iter()
        .take(NAMED)
        .map(|person| {
            let name = person.name.as_deref().or(person.login.as_deref()).unwrap_or(person.id.as_str());
            let login = person.login.as_deref().unwrap_or(person.id.as_str());
            format!("{} ({}, …{})", escape(name, 60), escape(login, 80), person.id.tail())
        })
        .collect();
    if more > 0 {
        named.push(format!("{more} more"));
    }
    if named.is_empty() { String::new() } else { format!(" You may mean {}.", named.join(", ")) }
}

fn texts(person: &Person) -> impl Iterator<Item = &str> {
    [Some(person.id.as_str()), person.login.as_deref(), person.name.as_deref()].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_named_by_what_tells_them_apart() {
        let person = |id: &str, login: &str, name: &str| Person {
            id: id.parse().unwrap(),
            login: Some(login.to_owned()),
            name: Some(name.to_owned()),
        };
        let people = [
            person("00u000000001", "dana@example.com", "Dana Reyes"),
            person("00u000000002", "dana.2@example.com", "Dana Reyes"),
            person("00u000000003", "ben@example.com", "Ben Okoro"),
        ];
        let told = |typed| candidates(&people.iter().collect::<Vec<_>>(), typed);
        let both = told("dana reyes");
        assert!(both.contains(people[0].id.tail()) && both.contains(people[1].id.tail()), "{both}");
        assert!(told("oko").starts_with(" You may mean Ben Okoro (ben"), "{}", told("oko"));
        assert_eq!(told("zoe"), "");
        assert!(is(&people[2], " BEN@example.com ") && !is(&people[2], "ben"));
    }
}
