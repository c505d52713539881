//! What we count, for Prometheus.
//!
//! **Invariant:** a label is an org's short name or a word from the program or its rules: never a person, an app, a
//! channel or an id, so that `/metrics` may be read by anybody who watches machines.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use domain::ids::OrgName;
use domain::store::TakenIn;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters. Clones share them.
#[derive(Debug, Clone)]
pub struct Metrics {
    events: Family<OfClass, Counter>,
    polls: Family<OfResult, Counter>,
    poll_lag: Family<OfOrg, Gauge<f64, AtomicU64>>,
    okta_requests: Family<ToOkta, Counter>,
    discord_requests: Family<ToDiscord, Counter>,
    open_incidents: Family<OfOrg, Gauge>,
    registry: Arc<Registry>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfOrg {
    org: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfClass {
    org: String,
    class: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfResult {
    org: String,
    result: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToOkta {
    org: String,
    endpoint: &'static str,
    status: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToDiscord {
    route: &'static str,
    status: String,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    /// Counters that all stand at nothing.
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("provost");
        let (events, polls, poll_lag) = (Family::default(), Family::default(), Family::default());
        let (okta_requests, discord_requests) = (Family::default(), Family::default());
        let open_incidents = Family::default();
        registry.register("events", "Log events read, by what they mean", events.clone());
        registry.register("polls", "Looks at an org's log, by how they ended", polls.clone());
        registry.register(
            "poll_lag_seconds",
            "How far the last event read lies behind, by Okta's clock",
            poll_lag.clone(),
        );
        registry.register("okta_requests", "Requests to Okta, by answer", okta_requests.clone());
        registry.register("discord_requests", "Requests to Discord, by answer", discord_requests.clone());
        registry.register("open_incidents", "Incidents that are open", open_incidents.clone());
        let registry = Arc::new(registry);
        Self { events, polls, poll_lag, okta_requests, discord_requests, open_incidents, registry }
    }

    /// A page of the log was taken in.
    pub fn taken_in(&self, org: &OrgName, taken: &TakenIn) {
        for (class, count) in &taken.classes {
            self.events.get_or_create(&OfClass { org: org.to_string(), class: class.clone() }).inc_by(*count);
        }
        let unhandled = OfClass { org: org.to_string(), class: "unhandled".to_owned() };
        self.events.get_or_create(&unhandled).inc_by(taken.unhandled);
    }

    /// A look at the log ended well.
    pub fn poll_worked(&self, org: &OrgName) {
        self.polls.get_or_create(&OfResult { org: org.to_string(), result: "ok" }).inc();
    }

    /// A look at the log failed; `kind` is one word, such as `rate_limited`.
    pub fn poll_failed(&self, org: &OrgName, kind: &'static str) {
        self.polls.get_or_create(&OfResult { org: org.to_string(), result: kind }).inc();
    }

    /// How far behind we are.
    pub fn poll_lag(&self, org: &OrgName, lag: Duration) {
        self.poll_lag.get_or_create(&OfOrg { org: org.to_string() }).set(lag.as_secs_f64());
    }

    /// A request to Okta was answered; `None` if it was not. `endpoint` is its path without ids, such as
    /// `/api/v1/apps/{id}`.
    pub fn okta_request(&self, org: &OrgName, endpoint: &'static str, status: Option<u16>) {
        let labels = ToOkta { org: org.to_string(), endpoint, status: status_word(status) };
        self.okta_requests.get_or_create(&labels).inc();
    }

    /// A request to Discord was answered; `None` if it was not. `route` is its method and path without ids, such as
    /// `GET /channels/{}`.
    pub fn discord_request(&self, route: &'static str, status: Option<u16>) {
        self.discord_requests.get_or_create(&ToDiscord { route, status: status_word(status) }).inc();
    }

    /// How many incidents are open.
    pub fn open_incidents(&self, org: &OrgName, how_many: usize) {
        let how_many = i64::try_from(how_many).unwrap_or(i64::MAX);
        self.open_incidents.get_or_create(&OfOrg { org: org.to_string() }).set(how_many);
    }

    /// All of it in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a String cannot fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

fn status_word(status: Option<u16>) -> String {
    status.map_or_else(|| "none".to_owned(), |status| status.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;

    #[test]
    fn what_is_counted_is_shown() -> anyhow::Result<()> {
        let metrics = Metrics::new();
        let org = "acme".parse()?;
        let classes = vec![("failure:inactive-account".to_owned(), 1)];
        metrics.taken_in(&org, &TakenIn { classes, unhandled: 1, ..TakenIn::default() });
        metrics.poll_worked(&org);
        metrics.poll_lag(&org, Duration::from_millis(1500));
        metrics.okta_request(&org, "/api/v1/logs", Some(429));
        metrics.discord_request("GET /channels/{}", None);
        metrics.open_incidents(&org, 3);

        let mut lines: Vec<&str> = Vec::new();
        let text = metrics.text();
        lines.extend(text.lines().filter(|line| !line.starts_with('#')));
        lines.sort_unstable();
        assert_snapshot!(lines.join("\n"), @r#"
        provost_discord_requests_total{route="GET /channels/{}",status="none"} 1
        provost_events_total{org="acme",class="failure:inactive-account"} 1
        provost_events_total{org="acme",class="unhandled"} 1
        provost_okta_requests_total{org="acme",endpoint="/api/v1/logs",status="429"} 1
        provost_open_incidents{org="acme"} 3
        provost_poll_lag_seconds{org="acme"} 1.5
        provost_polls_total{org="acme",result="ok"} 1
        "#);
        Ok(())
    }
}
