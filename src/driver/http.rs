//! The HTTP port: metrics, health, readiness, the command API, and the live feed's upgrade.

use super::feed::Feeds;
use engine::id::CentreId;
use engine::live::view::Viewer;
use std::sync::Arc;
use tokio::net::TcpListener;

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
    let _ = state;
    anyhow::ensure!(listener.local_addr()?.ip().is_loopback(), "plain http is served on loopback only");
    axum::serve(listener, axum::Router::new()).await?;
    Ok(())
}
