//! From a request on the wire to an answer on the wire: faults, headers, compression, the ledger.

use std::io::{self, Write};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::write::GzEncoder;
use futures_util::stream;
use url::form_urlencoded;

use super::exchange::{Answer, Call, ERROR_ID};
use super::faults::Fault;
use super::limits::bucket;
use super::line::Handle;
use super::time::http_date;
use super::{Asked, Org};
use crate::ledger::Exchange;

/// More than any request of the product has.
const LARGEST_REQUEST: usize = 1 << 20;

/// The ledger does not keep what proves who asked.
const SECRET_HEADERS: [&str; 3] = ["authorization", "dpop", "cookie"];

pub(super) fn router(org: Arc<Org>) -> Router {
    Router::new().fallback(serve).with_state(org)
}

async fn serve(
    State(org): State<Arc<Org>>,
    ConnectInfo(line): ConnectInfo<Handle>,
    request: Request,
) -> Response {
    let Some(call) = read(request).await else {
        line.cut();
        return Response::default();
    };
    let fault = org.faults.take(&call.target());
    if fault == Some(Fault::Drop) {
        org.note(&call, &Answer::empty(0).spoilt());
        line.cut();
        return Response::default();
    }

    let answer = org.answer(&call, fault.as_ref());
    org.note(&call, &answer);
    match &fault {
        Some(Fault::Slow(time)) => tokio::time::sleep(*time).await,
        Some(Fault::DropAfterDoing) => line.cut(),
        _ => {}
    }
    let zips = call.header("accept-encoding").is_some_and(|accepted| accepted.contains("gzip"));
    render(answer, fault.as_ref(), zips)
}

async fn read(request: Request) -> Option<Call> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, LARGEST_REQUEST).await.ok()?;
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Some(Call {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

impl Org {
    /// Decides on a call and does it. Who asks is settled first, so that a proof is spent even where the answer
    /// is "too many requests", as at Okta.
    fn answer(&self, call: &Call, fault: Option<&Fault>) -> Answer {
        let mut world = self.world();
        world.tick();
        let asks = world.authenticate(call);
        let instead = fault.and_then(|fault| fault.instead(world.now()));
        let now = world.now();
        let answer = match instead {
            Some(answer) => answer,
            None => {
                let left = world.limits.spend(bucket(&call.path), now);
                if left.violates {
                    world.log_rate_limit_violation();
                }
                let answer = if left.exceeded {
                    Answer::too_many_requests()
                } else {
                    asks.and_then(|asks| world.route(call, &asks)).unwrap_or_else(|refusal| refusal)
                };
                answer
                    .with("x-rate-limit-limit", left.limit.to_string())
                    .with("x-rate-limit-remaining", left.remaining.to_string())
                    .with("x-rate-limit-reset", left.reset.to_string())
            }
        };
        let mut answer = match fault {
            Some(fault) if fault.instead(now).is_none() => fault.spoil(answer),
            _ => answer,
        };
        answer.body = answer.body.replace(ERROR_ID, &world.ids.letters("oae", 24));
        let request = world.ids.letters("", 26);
        answer.with("x-okta-request-id", request).with("date", http_date(now))
    }

    fn note(&self, call: &Call, answer: &Answer) {
        let at = self.world().now();
        let Call { method, path, query, headers, body } = call.clone();
        self.asked().push(Asked {
            method: method.clone(),
            path: path.clone(),
            query: query.clone(),
            status: answer.status,
            at,
        });
        let is_public = |(name, _): &(String, String)| !SECRET_HEADERS.contains(&&**name);
        let answer_headers = answer.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
        self.ledger.note(Exchange {
            request_headers: headers.into_iter().filter(is_public).collect(),
            request_body: if path == "/oauth2/v1/token" { without_assertion(&body) } else { body },
            method,
            path,
            query,
            status: answer.status,
            answer_headers: answer_headers.collect(),
            answer_body: answer.body.clone(),
            spoilt: answer.spoilt,
        });
    }
}

/// The form as it came, but for what proves who asked.
fn without_assertion(form: &str) -> String {
    let mut public = form_urlencoded::Serializer::new(String::new());
    for (name, value) in form_urlencoded::parse(form.as_bytes()) {
        public.append_pair(&name, if name == "client_assertion" { "" } else { &value });
    }
    public.finish()
}

fn render(answer: Answer, fault: Option<&Fault>, zips: bool) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in &answer.headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }

    let bytes = answer.body.into_bytes();
    let (bytes, zipped) = match fault {
        Some(Fault::GzipBomb(size)) => (bomb(*size), true),
        _ if zips && !bytes.is_empty() => (zip(&bytes), true),
        _ => (bytes, false),
    };
    if zipped {
        headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    }
    if fault == Some(&Fault::WrongLength) {
        headers.insert("content-length", HeaderValue::from(bytes.len() / 2));
    }
    *response.body_mut() = match fault {
        Some(Fault::CutBody) => {
            let half = Bytes::copy_from_slice(&bytes[..bytes.len() / 2]);
            Body::from_stream(stream::iter([Ok(half), Err(io::Error::from(io::ErrorKind::ConnectionReset))]))
        }
        Some(Fault::WrongLength) => Body::from_stream(stream::iter([Ok::<_, io::Error>(Bytes::from(bytes))])),
        _ => Body::from(bytes),
    };
    response
}

/// Compression into memory cannot fail; if it did, the client would see an empty body.
fn zip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let written = encoder.write_all(bytes);
    written.and_then(|()| encoder.finish()).unwrap_or_default()
}

/// A small body that unpacks to `size` bytes.
fn bomb(size: usize) -> Vec<u8> {
    let blank = vec![b' '; 1 << 16];
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let mut left = size;
    while left > 0 {
        let part = left.min(blank.len());
        if encoder.write_all(&blank[..part]).is_err() {
            break;
        }
        left -= part;
    }
    encoder.finish().unwrap_or_default()
}
