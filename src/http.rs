//! `/healthz`, `/readyz` and `/metrics`.
//!
//! **Invariant:** nothing here changes anything, and nothing it shows is worth hiding.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::health::{Health, PartReport};
use crate::metrics::Metrics;

/// Serves until `stop`.
///
/// # Errors
///
/// If the listener fails.
pub async fn serve(
    listener: TcpListener,
    health: Health,
    metrics: Metrics,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, routes(health, metrics)).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// The routes alone, for whoever brings a listener of their own.
pub fn routes(health: Health, metrics: Metrics) -> Router {
    let probes = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz));
    probes.with_state(health).merge(Router::new().route("/metrics", get(text)).with_state(metrics))
}

#[derive(Serialize)]
struct Answer {
    status: &'static str,
    parts: Vec<PartAnswer>,
}

#[derive(Serialize)]
struct PartAnswer {
    name: String,
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
}

/// 503 when a part gives no sign of life: a restart may help.
async fn healthz(State(health): State<Health>) -> impl IntoResponse {
    let parts = health.report();
    let stuck = parts.iter().any(|part| part.overdue);
    answer(if stuck { Err("stuck") } else { Ok("ok") }, parts)
}

/// 503 when a part cannot do its work.
async fn readyz(State(health): State<Health>) -> impl IntoResponse {
    let parts = health.report();
    let ready = parts.iter().all(|part| part.not_ready.is_none() && !part.overdue);
    answer(if ready { Ok("ready") } else { Err("not ready") }, parts)
}

fn answer(status: Result<&'static str, &'static str>, parts: Vec<PartReport>) -> (StatusCode, Json<Answer>) {
    let code = if status.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let part = |part: PartReport| PartAnswer {
        ready: part.not_ready.is_none() && !part.overdue,
        why: if part.overdue { Some("it gives no sign of life".to_owned()) } else { part.not_ready },
        name: part.name,
    };
    let (Ok(status) | Err(status)) = status;
    (code, Json(Answer { status, parts: parts.into_iter().map(part).collect() }))
}

async fn text(State(metrics): State<Metrics>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], metrics.text())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    use anyhow::Result;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpStream;

    /// The status line and the body of an answer.
    async fn fetch(address: std::net::SocketAddr, path: &str) -> Result<(String, String)> {
        let mut stream = TcpStream::connect(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_default();
        Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
    }

    #[tokio::test]
    async fn a_part_that_cannot_work_is_not_ready_but_alive() -> Result<()> {
        let (health, metrics, stop) = (Health::default(), Metrics::new(), CancellationToken::new());
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let server = tokio::spawn(serve(listener, health.clone(), metrics.clone(), stop.clone()));
        let okta = health.part("okta acme");

        okta.not_ready("Okta cannot be reached");
        assert_eq!(
            fetch(address, "/readyz").await?,
            (
                "HTTP/1.1 503 Service Unavailable".to_owned(),
                r#"{"status":"not ready","parts":[{"name":"okta acme","ready":false,"why":"Okta cannot be reached"}]}"#
                    .to_owned()
            )
        );
        assert_eq!(fetch(address, "/healthz").await?.0, "HTTP/1.1 200 OK");

        okta.ready();
        assert_eq!(fetch(address, "/readyz").await?.0, "HTTP/1.1 200 OK");

        okta.alive(Duration::ZERO);
        let (status, body) = fetch(address, "/healthz").await?;
        assert_eq!(status, "HTTP/1.1 503 Service Unavailable");
        assert!(body.contains("it gives no sign of life"), "{body}");

        metrics.discord_request("message", Some(200));
        let (_, body) = fetch(address, "/metrics").await?;
        assert!(body.contains(r#"provost_discord_requests_total{route="message",status="200"} 1"#), "{body}");

        stop.cancel();
        server.await??;
        Ok(())
    }
}
