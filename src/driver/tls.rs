//! The HTTP port's connections: TLS with a certificate that is loaded again when its files change,
//! or plain ones on loopback.
//!
//! Handshakes run beside each other and are bounded in number and time: a peer that never finishes
//! its own keeps nobody else waiting.

use super::kept::Kept;
use anyhow::Context;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waiter, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::server::TlsStream;

/// Connections at once. A room has a hundred; each costs some tens of kilobytes under TLS.
const CONNECTIONS_MAX: usize = 2048;
/// A handshake that takes longer is a broken network or a flood.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// After an accept that failed (no descriptors left): at once would spin.
const ACCEPT_AGAIN: Duration = Duration::from_millis(200);

/// Who we are under TLS.
pub struct Identity(Arc<Kept<ServerConfig>>);

impl Identity {
    /// Reads certificate chain and private key (PEM).
    ///
    /// # Errors
    /// What is wrong with which file, in words for the operator.
    pub fn load(certificate: &Path, key: &Path) -> anyhow::Result<Arc<Identity>> {
        let (certificate, key) = (certificate.to_owned(), key.to_owned());
        let files = vec![certificate.clone(), key.clone()];
        Ok(Arc::new(Identity(Kept::load(files, Box::new(move || read(&certificate, &key)))?)))
    }

    /// Reads the files again if they have changed. Connections that stand keep what they have.
    ///
    /// # Errors
    /// As [`Identity::load`]; the certificate before stays in use.
    pub fn look(&self) -> anyhow::Result<bool> {
        self.0.look()
    }
}

/// A certificate chain and its private key out of two PEM files.
///
/// # Errors
/// Which file is none.
pub(super) fn pem(
    certificate: &Path,
    key: &Path,
) -> anyhow::Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)> {
    let cannot = |path: &Path| format!("cannot use `{}`: it must be PEM", path.display());
    let chain = certificates(certificate)?;
    let private = PrivateKeyDer::from_pem_file(key).with_context(|| cannot(key))?;
    Ok((chain, private))
}

/// Every certificate of a PEM file.
///
/// # Errors
/// When it is none.
pub(super) fn certificates(file: &Path) -> anyhow::Result<Vec<CertificateDer<'static>>> {
    CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot use `{}`: it must be PEM", file.display()))
}

fn read(certificate: &Path, key: &Path) -> anyhow::Result<Arc<ServerConfig>> {
    let (chain, private) = pem(certificate, key)?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)
        .with_context(|| format!("`{}` and `{}` do not fit", certificate.display(), key.display()))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Source(pub(super) SocketAddr);

impl Connected<IncomingStream<'_, Connections>> for Source {
    fn connect_info(stream: IncomingStream<'_, Connections>) -> Source {
        Source(*stream.remote_addr())
    }
}

/// Connections whose handshake is done.
pub(super) struct Connections {
    ready: mpsc::Receiver<(Connection, SocketAddr)>,
    address: SocketAddr,
}

impl Connections {
    /// Takes connections of this listener from here on.
    pub(super) fn of(listener: TcpListener, identity: Option<Arc<Identity>>) -> io::Result<Connections> {
        let address = listener.local_addr()?;
        let (done, ready) = mpsc::channel(1);
        if let Some(identity) = &identity {
            tokio::spawn(Arc::clone(&identity.0).keep_looking());
        }
        tokio::spawn(take(listener, identity, done));
        Ok(Connections { ready, address })
    }
}

async fn take(
    listener: TcpListener,
    identity: Option<Arc<Identity>>,
    done: mpsc::Sender<(Connection, SocketAddr)>,
) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        // Never closed: the semaphore is ours.
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = done.closed() => return,
        };
        let Ok((stream, from)) = accepted else {
            tokio::time::sleep(ACCEPT_AGAIN).await;
            continue;
        };
        let _ = stream.set_nodelay(true); // offers are small and urgent; without it they are only later
        let (identity, done) = (identity.clone(), done.clone());
        tokio::spawn(async move {
            let line = match identity {
                None => Line::Plain(stream),
                Some(identity) => {
                    let handshake = TlsAcceptor::from(identity.0.current()).accept(stream);
                    match tokio::time::timeout(HANDSHAKE_WITHIN, handshake).await {
                        Ok(Ok(stream)) => Line::Tls(Box::new(stream)),
                        Ok(Err(_)) | Err(_) => return, // the peer's fault, and its only
                    }
                }
            };
            let _ = done.send((Connection { line, _room: permit }, from)).await; // nobody serves any more
        });
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            None => std::future::pending().await, // the taking task ends only with this receiver
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// One connection, and its share of the room.
pub(super) struct Connection {
    line: Line,
    _room: OwnedSemaphorePermit,
}

enum Line {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Waiter<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Line::Tls(stream) => Pin::new(stream).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Waiter<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Line::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Waiter<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Line::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Waiter<'_>) -> Poll<io::Result<()>> {
        match &mut self.line {
            Line::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Line::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
