//! The HTTP port: metrics, health, readiness, the command API, and the live feed's upgrade.
//!
//! Deliberately absent: TLS and pages. Until both come, it listens on loopback only.

use super::agents::{self, TEXT_MAX};
use super::feed::Feeds;
use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::{HeaderMap, Request, Response, StatusCode, Uri, header};
use axum::routing::{get, post};
use engine::id::CentreId;
use engine::live::view::Viewer;
use engine::live::wire::{ServerMessage, WireVerb};
use prometheus::TextEncoder;
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// A command's outcome is known within the core's step; one that takes longer means a core that
/// hangs, and the sender should know.
const OUTCOME_WITHIN: Duration = Duration::from_secs(5);

/// One account: a bearer token and what it opens. Only the token's SHA-256 is kept.
#[derive(Clone, Debug)]
pub struct Access {
    /// Whose centre.
    pub centre: CentreId,
    /// Who, and what they may do.
    pub viewer: Viewer,
    /// SHA-256 of the bearer token.
    pub token_sha256: [u8; 32],
}

impl Access {
    /// The account that opens with `token`.
    pub fn with_token(centre: CentreId, viewer: Viewer, token: &str) -> Access {
        Access { centre, viewer, token_sha256: Sha256::digest(token.as_bytes()).into() }
    }
}

/// Says whether calls can be served; the error is a short code for the operator.
pub type Readiness = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What the HTTP port serves from.
#[derive(Clone)]
pub struct HttpState {
    /// Everything `/metrics` prints.
    pub registry: prometheus::Registry,
    /// `/readyz`.
    pub ready: Readiness,
    /// Who may connect to `/live` and post commands.
    pub access: Arc<Vec<Access>>,
    /// Origins of pages that may open `/live` besides our own (`http://host:port`).
    pub origins: Arc<Vec<String>>,
    /// The feed task.
    pub feeds: Feeds,
}

/// Serves until the listener fails. Refuses a listener outside loopback: this port is plain http.
pub async fn serve(listener: TcpListener, state: HttpState) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    anyhow::ensure!(address.ip().is_loopback(), "{address}: plain http is served on loopback only");
    axum::serve(listener, router(state)).await?;
    Ok(())
}

fn router(state: HttpState) -> Router {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .route("/live", get(live))
        .route("/api/v1/commands", post(command))
        .layer(DefaultBodyLimit::max(TEXT_MAX))
        .with_state(state)
}

async fn metrics(State(state): State<HttpState>) -> Response<Body> {
    match TextEncoder::new().encode_to_string(&state.registry.gather()) {
        Ok(text) => answer(StatusCode::OK, "text/plain; version=0.0.4", text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be printed");
            answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", "metrics cannot be printed\n".to_owned())
        }
    }
}

async fn readiness(State(state): State<HttpState>) -> Response<Body> {
    match (state.ready)() {
        Ok(()) => answer(StatusCode::OK, "text/plain", "ready\n".to_owned()),
        Err(why) => answer(StatusCode::SERVICE_UNAVAILABLE, "text/plain", format!("{why}\n")),
    }
}

async fn live(State(state): State<HttpState>, request: Request<Body>) -> Response<Body> {
    match admit(&state, request.headers(), request.uri().query()) {
        Ok(access) => agents::upgrade(request, state.feeds, access.centre, access.viewer),
        Err(refusal) => refusal.response(),
    }
}

/// The body of a posted command: as on the feed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    id: String,
    verb: WireVerb,
}

async fn command(
    State(state): State<HttpState>,
    uri: Uri,
    headers: HeaderMap,
    body: String,
) -> Response<Body> {
    let access = match admit(&state, &headers, uri.query()) {
        Ok(access) => access,
        Err(refusal) => return refusal.response(),
    };
    let Posted { id, verb } = match serde_json::from_str(&body) {
        Ok(posted) => posted,
        Err(error) => {
            let code = if error.is_data() { "bad_message" } else { "bad_json" };
            return error_answer(StatusCode::BAD_REQUEST, code, &error.to_string());
        }
    };
    let outcome = state.feeds.request(access.centre, access.viewer, id, verb);
    let message = match tokio::time::timeout(OUTCOME_WITHIN, outcome).await {
        Ok(Some(message)) => message,
        Ok(None) => return error_answer(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the engine stops"),
        Err(_) => return error_answer(StatusCode::GATEWAY_TIMEOUT, "late", "send it again with the same id"),
    };
    let status = match &message {
        ServerMessage::Outcome { refusal: None, .. } => StatusCode::OK,
        ServerMessage::Error { code, .. } if code == "forbidden" => StatusCode::FORBIDDEN,
        ServerMessage::Error { code, .. } if code == "unknown" => StatusCode::NOT_FOUND,
        ServerMessage::Error { .. } => StatusCode::BAD_REQUEST,
        _ => StatusCode::CONFLICT, // understood, and without effect
    };
    match serde_json::to_string(&message) {
        Ok(text) => answer(status, "application/json", text),
        Err(error) => error_answer(StatusCode::INTERNAL_SERVER_ERROR, "unprintable", &error.to_string()),
    }
}

/// Why a request is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotAdmitted {
    /// A page of another site sent it.
    Origin,
    /// No bearer token, or one nobody has.
    Token,
}

impl NotAdmitted {
    fn response(self) -> Response<Body> {
        match self {
            NotAdmitted::Origin => {
                error_answer(StatusCode::FORBIDDEN, "origin", "pages of this origin may not connect")
            }
            NotAdmitted::Token => {
                let mut response =
                    error_answer(StatusCode::UNAUTHORIZED, "token", "a bearer token is needed");
                response
                    .headers_mut()
                    .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
                response
            }
        }
    }
}

/// The account a request comes with. One token may open several centres: `?centre=1` says which,
/// else it is the first.
fn admit(state: &HttpState, headers: &HeaderMap, query: Option<&str>) -> Result<Access, NotAdmitted> {
    // Programs send no Origin; a browser always does, and cannot be made to lie about it.
    if let Some(origin) = headers.get(header::ORIGIN) {
        let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
        let origin = origin.to_str().map_err(|_| NotAdmitted::Origin)?;
        let is_own = host.is_some_and(|host| origin == format!("http://{host}"));
        if !is_own && !state.origins.iter().any(|allowed| allowed == origin) {
            return Err(NotAdmitted::Origin);
        }
    }
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let (scheme, token) = value.and_then(|value| value.split_once(' ')).ok_or(NotAdmitted::Token)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(NotAdmitted::Token);
    }
    let given: [u8; 32] = Sha256::digest(token.trim().as_bytes()).into();
    let centre =
        query.into_iter().flat_map(|query| query.split('&')).find_map(|one| one.strip_prefix("centre="));
    let is_asked = |access: &Access| centre.is_none_or(|asked| access.centre.0.to_string() == asked);
    // Every account is compared, in full: the time taken tells nothing.
    let same = state.access.iter().map(|access| is_same(&access.token_sha256, &given)).collect::<Vec<_>>();
    let mut opened = state.access.iter().zip(same).filter(|(access, same)| *same && is_asked(access));
    opened.next().map(|(access, _)| access.clone()).ok_or(NotAdmitted::Token)
}

/// Equal or not, in the same time whatever differs.
fn is_same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    let differs = one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b));
    std::hint::black_box(differs) == 0
}

fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}

fn error_answer(status: StatusCode, code: &str, why: &str) -> Response<Body> {
    let body = serde_json::json!({"type": "error", "code": code, "params": {"why": why}});
    answer(status, "application/json", body.to_string())
}
