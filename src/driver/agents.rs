//! One page's WebSocket: hyper's upgrade of a request, then texts both ways until either end leaves.

use super::door::{Door, Guest};
use super::feed::{Feeds, Page, PageOutput};
use axum::body::Body;
use axum::http::{HeaderMap, Request, Response, StatusCode, header};
use futures_util::{SinkExt, StreamExt};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

/// Longest text of a page: a hello with every topic is 3 kB. More only serves a flood.
pub const TEXT_MAX: usize = 32 * 1024;
/// A socket that takes nothing for so long is broken.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

/// Answers a request for the feed with 101 and carries the page from there on; 400 when it is no
/// WebSocket handshake (RFC 6455 §4.2.1).
pub(super) fn upgrade(
    mut request: Request<Body>,
    feeds: Feeds,
    door: Arc<Door>,
    guest: Guest,
) -> Response<Body> {
    let Some(key) = handshake_key(request.headers()) else {
        return answer(StatusCode::BAD_REQUEST, "a WebSocket handshake, version 13, is needed here\n");
    };
    let accept = derive_accept_key(key.as_bytes());
    let upgraded = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let Ok(upgraded) = upgraded.await else { return }; // left before the upgrade
        let config =
            WebSocketConfig::default().max_message_size(Some(TEXT_MAX)).max_frame_size(Some(TEXT_MAX));
        let socket =
            WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await;
        carry(socket, feeds, &door, guest).await;
    });
    let mut response = answer(StatusCode::SWITCHING_PROTOCOLS, "");
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, header::HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, header::HeaderValue::from_static("websocket"));
    if let Ok(accept) = header::HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

fn handshake_key(headers: &HeaderMap) -> Option<String> {
    let names = |name: header::HeaderName, token: &str| {
        let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(token))
    };
    let key = headers.get(header::SEC_WEBSOCKET_KEY)?.to_str().ok()?;
    let is_handshake = names(header::CONNECTION, "upgrade")
        && names(header::UPGRADE, "websocket")
        && names(header::SEC_WEBSOCKET_VERSION, "13");
    is_handshake.then(|| key.to_owned())
}

fn answer(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    response
}

type Socket = WebSocketStream<TokioIo<hyper::upgrade::Upgraded>>;

async fn carry(mut socket: Socket, feeds: Feeds, door: &Door, guest: Guest) {
    let Guest { centre, viewer, over } = guest;
    let Some(mut page) = feeds.open(centre, viewer).await else {
        return say_goodbye(&mut socket, CloseCode::Again, "no room").await;
    };
    let end = tokio::select! {
        end = converse(&mut socket, &mut page) => end,
        () = session_over(over) => Some((CloseCode::Policy, "signed out")),
    };
    if let Some((code, why)) = end {
        if matches!(code, CloseCode::Size | CloseCode::Unsupported | CloseCode::Invalid) {
            door.count("bad_frame");
        }
        say_goodbye(&mut socket, code, why).await;
    }
    page.close().await;
}

/// Until the session the page came in by is over; never, when it came by a token.
async fn session_over(over: Option<watch::Receiver<()>>) {
    match over {
        Some(mut over) => while over.changed().await.is_ok() {},
        None => std::future::pending().await,
    }
}

/// Until either end leaves; what to say in the close frame, if the page is still there to read it.
async fn converse(socket: &mut Socket, page: &mut Page) -> Option<(CloseCode, &'static str)> {
    loop {
        tokio::select! {
            output = page.next() => match output {
                Some(PageOutput::Frame(frame)) => {
                    let text = Utf8Bytes::try_from(frame).ok()?;
                    tokio::time::timeout(WRITE_WITHIN, socket.send(Message::Text(text))).await.ok()?.ok()?;
                    page.written().await;
                }
                Some(PageOutput::Close) => return Some((CloseCode::Policy, "closed")),
                None => return Some((CloseCode::Away, "stopping")),
            },
            message = socket.next() => match message? {
                Ok(Message::Text(text)) => page.say(text.as_str().to_owned()).await,
                Ok(Message::Binary(_)) => return Some((CloseCode::Unsupported, "texts only")),
                Ok(Message::Close(_)) => return None,
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {} // tungstenite answers pings
                Err(Error::Capacity(_)) => return Some((CloseCode::Size, "too long")),
                Err(Error::Utf8(_)) => return Some((CloseCode::Invalid, "not UTF-8")),
                Err(_) => return None,
            },
        }
    }
}

async fn say_goodbye(socket: &mut Socket, code: CloseCode, why: &'static str) {
    let frame = CloseFrame { code, reason: Utf8Bytes::from_static(why) };
    // Politeness only: the socket may be broken already.
    let _ = tokio::time::timeout(WRITE_WITHIN, socket.close(Some(frame))).await;
}
