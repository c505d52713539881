//! `GET /api/v1/logs`: polling requests, which never end, and bounded ones, which do.
//!
//! Source: Okta's developer documentation, "System Log query".

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use url::form_urlencoded;

use super::event::Event;
use super::exchange::{Answer, Call};
use super::filter::Filter;
use super::syslog::{Bound, unusable};
use super::world::World;

const MOST: usize = 1000;

/// From where on a request reads.
enum Start {
    Polling(usize),
    Bounded(Bound),
}

impl World {
    pub(super) fn get_logs(&self, call: &Call) -> Result<Answer, Answer> {
        let limit = call.limit(100, 0, MOST)?;
        let filter = log_filter(call)?;
        let keywords = keywords(call)?;
        let oldest = self.now() - SignedDuration::from_hours(90 * 24);
        let wants = |event: &Event| {
            event.persisted >= oldest
                && filter.as_ref().is_none_or(|filter| filter.matches(event))
                && keywords.iter().all(|keyword| event.mentions(keyword))
        };
        let (events, next) = match self.start(call)? {
            Start::Polling(from) => {
                let page = self.poll(from, limit, wants);
                (page.events, Some(self.polling_cursor(page.next)))
            }
            Start::Bounded(bound) => {
                let page = self.bounded(bound, limit, wants);
                (page.events, page.next.map(bounded_cursor))
            }
        };
        let body = Value::Array(events.into_iter().map(Event::to_json).collect());
        let answer = Answer::json(200, &body).with_link(&format!("{}{}", self.url, call.target()), "self");
        Ok(match next {
            Some(cursor) => answer.with_link(&self.link_to(call, &cursor), "next"),
            None => answer,
        })
    }

    fn start(&self, call: &Call) -> Result<Start, Answer> {
        let (since, until) = (time(call, "since")?, time(call, "until")?);
        let descending = match call.param("sortOrder").as_deref() {
            None | Some("ASCENDING") => false,
            Some("DESCENDING") => true,
            Some(_) => return Err(Answer::invalid("sortOrder", "It must be ASCENDING or DESCENDING.")),
        };
        if let Some(after) = call.param("after") {
            if since.is_some() {
                return Err(Answer::invalid(
                    "after",
                    "The parameters since and after are mutually exclusive.",
                ));
            }
            return self
                .start_after(&after)
                .ok_or_else(|| Answer::invalid("after", "The cursor is not valid."));
        }
        let now = self.now();
        if since.is_some_and(|since| now.duration_since(since) > SignedDuration::from_hours(180 * 24)) {
            let summary = "Invalid filter: since is more than 180 days ago";
            return Err(Answer::error(400, "E0000053", summary, &[]));
        }
        let week = SignedDuration::from_hours(7 * 24);
        if until.is_none() && !descending {
            return Ok(Start::Polling(self.place_of(since.unwrap_or(now - week))));
        }
        let until = until.unwrap_or(now);
        let since = since.unwrap_or(until - week);
        Ok(Start::Bounded(Bound { since, until, descending, after: None }))
    }

    fn start_after(&self, cursor: &str) -> Option<Start> {
        if let Some((_, place)) = cursor.split_once('_').filter(|(at, _)| at.parse::<i64>().is_ok()) {
            return place.parse().ok().filter(|place| *place <= self.log.len()).map(Start::Polling);
        }
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        let numbers: Vec<i64> =
            std::str::from_utf8(&bytes).ok()?.split(' ').map(str::parse).collect::<Result<_, _>>().ok()?;
        let [since, until, descending, published, place] = *numbers else { return None };
        let at = |ms| Timestamp::from_millisecond(ms).ok();
        Some(Start::Bounded(Bound {
            since: at(since)?,
            until: at(until)?,
            descending: descending == 1,
            after: Some((at(published)?, usize::try_from(place).ok()?)),
        }))
    }

    /// Looks like Okta's: milliseconds, and a counter. Nobody may rely on it.
    fn polling_cursor(&self, place: usize) -> String {
        let last = place.checked_sub(1).and_then(|last| self.log.get(last));
        format!("{}_{place}", last.map_or(0, |event| event.persisted.as_millisecond()))
    }

    /// The next page keeps the filter and the limit, and drops `since`.
    fn link_to(&self, call: &Call, cursor: &str) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("after", cursor);
        for (name, value) in call.params() {
            if name != "after" && name != "since" {
                query.append_pair(&name, &value);
            }
        }
        format!("{}/api/v1/logs?{}", self.url, query.finish())
    }
}

fn log_filter(call: &Call) -> Result<Option<Filter>, Answer> {
    let Some(text) = call.param("filter") else { return Ok(None) };
    let invalid =
        |what: String| Answer::error(400, "E0000031", &format!("Invalid search criteria: {what}"), &[]);
    let filter = Filter::parse(&text).map_err(invalid)?;
    match unusable(&filter) {
        Some(path) => Err(invalid(format!("unsupported attribute {path}"))),
        None => Ok(Some(filter)),
    }
}

fn keywords(call: &Call) -> Result<Vec<String>, Answer> {
    let text = call.param("q").unwrap_or_default();
    let keywords: Vec<_> = text.split_whitespace().map(str::to_owned).collect();
    if keywords.len() > 10 || keywords.iter().any(|keyword| keyword.chars().count() > 40) {
        return Err(Answer::invalid("q", "It may have ten keywords of forty characters."));
    }
    Ok(keywords)
}

fn time(call: &Call, name: &str) -> Result<Option<Timestamp>, Answer> {
    let Some(text) = call.param(name) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| Answer::invalid(name, "It must be a time as in RFC 3339."))
}

fn bounded_cursor(bound: Bound) -> String {
    let (published, place) = bound.after.unwrap_or((bound.since, 0));
    let [since, until, published] = [bound.since, bound.until, published].map(Timestamp::as_millisecond);
    URL_SAFE_NO_PAD.encode(format!("{since} {until} {} {published} {place}", i32::from(bound.descending)))
}
