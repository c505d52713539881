//! A text that somebody has to give: a reason, mostly. Discord checks its length as it was typed; what counts is what
//! people will read of it.

use crate::chat::Call;
use crate::errors::CommandError;
use crate::text::plain;

/// What was typed for an option, made safe to keep; `what` names it, and `because` says who reads it.
///
/// # Errors
///
/// [`CommandError::Retype`], where it is too short or too long once blanks and hidden characters are taken off. It is
/// answered with a button that opens the dialog again.
pub fn typed(
    call: &Call,
    option: &str,
    what: &str,
    (least, most): (u16, u16),
    because: &str,
) -> Result<String, CommandError> {
    let text = call.option(option).unwrap_or_default();
    // What holds nothing to read is shown as a dash.
    let readable = text.chars().filter(|c| c.is_alphanumeric()).count();
    let text = plain(text, 1_000);
    let letters = if readable == 0 { 0 } else { text.chars().count() };
    if letters < usize::from(least) || letters > usize::from(most) {
        let is = match letters {
            0 => "and none was given".to_owned(),
            n => format!("and this one has {n}"),
        };
        return Err(CommandError::Retype(format!(
            "{what} of {least} to {most} characters is needed, {is}: {because}. Nothing was done."
        )));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Caller;
    use domain::ids::MemberId;
    use std::sync::Arc;

    fn call(text: &str) -> Call {
        Call {
            caller: Caller { id: MemberId(1), roles: Vec::new() },
            verb: "enable".to_owned(),
            options: vec![("reason".to_owned(), text.to_owned())],
            quoted: None,
            draft: Arc::new(|_| {}),
        }
    }

    #[test]
    fn what_people_can_read_of_it_counts() {
        let long = "é".repeat(501);
        #[rustfmt::skip]
        let table = [
            ("rehires fail since Monday",       Ok("rehires fail since Monday")),
            ("  rehires   fail  since Monday ", Ok("rehires fail since Monday")),
            ("             ",                   Err("none was given")),
            ("\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}\u{200b}", Err("none was given")),
            ("...............",                 Err("none was given")),
            ("short      ",                     Err("this one has 5")),
            (long.as_str(),                     Err("this one has 501")),
            ("",                                Err("none was given")),
        ];
        for (given, expected) in table {
            match (typed(&call(given), "reason", "A reason", (10, 500), "the approver reads it"), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{given:?}"),
                (Err(CommandError::Retype(said)), Err(expected)) => {
                    assert!(said.contains(expected), "{given:?}: {said}");
                }
                (found, _) => panic!("{given:?}: {found:?}"),
            }
        }
    }
}
