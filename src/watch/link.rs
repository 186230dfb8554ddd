//! The line to the engine: one WebSocket after another, each begun when the last one failed.

use anyhow::Context;
use engine::live::wire::{ClientMessage, ServerMessage};
use futures_util::{SinkExt, StreamExt};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderValue, header};
use tokio_tungstenite::tungstenite::{Error, Message};

/// First pause before another try; doubled up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(500);
/// Longest pause: a board on a wall should be back before anybody notices.
const RETRY_MAX: Duration = Duration::from_secs(5);
/// The engine pings every 2 s: a line silent for so long is dead.
const SILENCE_MAX: Duration = Duration::from_secs(7);

/// The handshake that opens the line.
pub(super) type Request = tokio_tungstenite::tungstenite::handshake::client::Request;

/// What the line says.
#[derive(Debug)]
pub(super) enum Heard {
    /// It stands: say hello.
    Up,
    /// The engine said something.
    Message(Box<ServerMessage>),
    /// It broke; another try follows.
    Down(String),
    /// The engine does not want us; no other try follows.
    Refused(String),
}

/// The handshake for `url` with its bearer token.
pub(super) fn request(url: &str, token: &str) -> anyhow::Result<Request> {
    let mut request =
        url.into_client_request().with_context(|| format!("`{url}` is no address of a feed"))?;
    let value =
        HeaderValue::from_str(&format!("Bearer {token}")).context("the token is not one line of text")?;
    request.headers_mut().insert(header::AUTHORIZATION, value);
    Ok(request)
}

/// Keeps a line up; it ends when the receiver is dropped.
pub(super) fn start(request: Request) -> (mpsc::Receiver<Heard>, mpsc::Sender<ClientMessage>) {
    let (tell, heard) = mpsc::channel(64);
    let (say, said) = mpsc::channel(64);
    tokio::spawn(keep(request, tell, said));
    (heard, say)
}

async fn keep(request: Request, tell: mpsc::Sender<Heard>, mut said: mpsc::Receiver<ClientMessage>) {
    let mut pause = RETRY_MIN;
    while !tell.is_closed() {
        let ended = match tokio_tungstenite::connect_async(request.clone()).await {
            Ok((socket, _)) => {
                pause = RETRY_MIN;
                while said.try_recv().is_ok() {} // meant for the line before
                talk(socket, &tell, &mut said).await
            }
            Err(Error::Http(response)) if response.status().is_client_error() => {
                let _ = tell.send(Heard::Refused(format!("refused with {}", response.status()))).await;
                return;
            }
            Err(error) => error.to_string(),
        };
        if tell.send(Heard::Down(ended)).await.is_err() {
            return;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(RETRY_MAX);
    }
}

type Socket = tokio_tungstenite::WebSocketStream<tokio_tungstenite::MaybeTlsStream<tokio::net::TcpStream>>;

/// Until the line breaks; why.
async fn talk(
    mut socket: Socket,
    tell: &mpsc::Sender<Heard>,
    said: &mut mpsc::Receiver<ClientMessage>,
) -> String {
    if tell.send(Heard::Up).await.is_err() {
        return String::new();
    }
    loop {
        tokio::select! {
            message = tokio::time::timeout(SILENCE_MAX, socket.next()) => {
                let text = match message {
                    Err(_) => return "silent".to_owned(),
                    Ok(None) => return "closed".to_owned(),
                    Ok(Some(Err(error))) => return error.to_string(),
                    Ok(Some(Ok(Message::Text(text)))) => text,
                    Ok(Some(Ok(_))) => continue,
                };
                match serde_json::from_str(&text) {
                    Ok(message) => if tell.send(Heard::Message(Box::new(message))).await.is_err() {
                        return String::new();
                    },
                    Err(error) => return format!("the engine speaks another protocol: {error}"),
                }
            }
            Some(message) = said.recv() => {
                let sent = match serde_json::to_string(&message) {
                    Ok(text) => socket.send(Message::text(text)).await,
                    Err(error) => return error.to_string(),
                };
                if let Err(error) = sent {
                    return error.to_string();
                }
            }
        }
    }
}
