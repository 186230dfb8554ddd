//! The HTTP port: pages, sign-in, the command API, the live feed's upgrade, metrics and health.
//!
//! Under TLS anywhere, without it on loopback only: passwords and callers' numbers pass here.

use super::agents::{self, TEXT_MAX};
use super::assets;
use super::door::{self, Door, admit};
use super::feed::Feeds;
use super::tls::{Connections, Identity, Source};
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
pub(super) const OUTCOME_WITHIN: Duration = Duration::from_secs(5);

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
    /// Origins of pages that may come in besides our own (`https://host:port`).
    pub origins: Arc<Vec<String>>,
    /// Accounts and sessions.
    pub door: Arc<Door>,
    /// Who we are under TLS; without it plain http, on loopback only.
    pub tls: Option<Arc<Identity>>,
    /// The feed task.
    pub feeds: Feeds,
}

/// Serves until the listener fails. Refuses a listener outside loopback without TLS.
pub async fn serve(listener: TcpListener, state: HttpState) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let is_safe = state.tls.is_some() || address.ip().is_loopback();
    anyhow::ensure!(is_safe, "{address}: plain http is served on loopback only");
    let connections = Connections::of(listener, state.tls.clone())?;
    let sweep = Arc::clone(&state.door).sweep();
    let service = router(state).into_make_service_with_connect_info::<Source>();
    tokio::select! {
        served = axum::serve(connections, service) => served?,
        () = sweep => {}
    }
    Ok(())
}

fn router(state: HttpState) -> Router {
    let session = get(door::who_am_i).post(door::sign_in).delete(door::sign_out);
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(readiness))
        .route("/live", get(live))
        .route("/api/v1/commands", post(command))
        .route("/api/v1/session", session)
        .fallback(assets::page)
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
        Ok(guest) => agents::upgrade(request, state.feeds, state.door, guest),
        Err(refusal) => refusal.response(&state.door),
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
    let guest = match admit(&state, &headers, uri.query()) {
        Ok(guest) => guest,
        Err(refusal) => return refusal.response(&state.door),
    };
    let Posted { id, verb } = match serde_json::from_str(&body) {
        Ok(posted) => posted,
        Err(error) => {
            let code = if error.is_data() { "bad_message" } else { "bad_json" };
            return error_answer(StatusCode::BAD_REQUEST, code, &error.to_string());
        }
    };
    let outcome = state.feeds.request(guest.centre, guest.viewer, id, verb);
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

pub(super) fn answer(status: StatusCode, kind: &'static str, text: String) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    headers.insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, header::HeaderValue::from_static("nosniff"));
    response
}

pub(super) fn error_answer(status: StatusCode, code: &str, why: &str) -> Response<Body> {
    let body = serde_json::json!({"type": "error", "code": code, "params": {"why": why}});
    answer(status, "application/json", body.to_string())
}
