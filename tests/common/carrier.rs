//! A carrier by hand: raw SIP over datagrams, TCP and TLS, one call at a time.
#![allow(clippy::disallowed_methods, reason = "a peer outside the engine has a clock of its own")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, crypto::ring};

/// How it reaches the engine.
pub enum Line {
    Udp(UdpSocket),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

pub struct Carrier {
    line: Line,
    local: SocketAddr,
    engine: SocketAddr,
    buffer: String,
    calls: u32,
}

/// One call as its caller keeps it.
pub struct Call {
    pub call_id: String,
    pub invite: String,
    /// The 200, once it has come.
    pub answer: String,
}

impl Carrier {
    pub fn udp(local: SocketAddr, engine: SocketAddr) -> Carrier {
        let socket = UdpSocket::bind(local).unwrap();
        socket.connect(engine).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let local = socket.local_addr().unwrap();
        Carrier::new(Line::Udp(socket), local, engine)
    }

    pub fn tcp(engine: SocketAddr) -> Carrier {
        Carrier::over(TcpStream::connect(engine).unwrap())
    }

    /// Over a connection that somebody has opened.
    pub fn over(stream: TcpStream) -> Carrier {
        let engine = stream.peer_addr().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let local = stream.local_addr().unwrap();
        Carrier::new(Line::Tcp(stream), local, engine)
    }

    /// Over TLS: believes `ca`, expects `name`, shows a certificate when given one.
    pub fn tls(engine: SocketAddr, name: &str, ca: &Path, shown: Option<(&Path, &Path)>) -> Option<Carrier> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(ca).unwrap()).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let config = match shown {
            None => builder.with_no_client_auth(),
            Some((certificate, key)) => builder
                .with_client_auth_cert(
                    vec![CertificateDer::from_pem_file(certificate).unwrap()],
                    PrivateKeyDer::from_pem_file(key).unwrap(),
                )
                .unwrap(),
        };
        let name = ServerName::try_from(name.to_owned()).unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = TcpStream::connect(engine).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        while client.is_handshaking() {
            client.complete_io(&mut stream).ok()?;
        }
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        let local = stream.local_addr().unwrap();
        Some(Carrier::new(Line::Tls(Box::new(StreamOwned::new(client, stream))), local, engine))
    }

    fn new(line: Line, local: SocketAddr, engine: SocketAddr) -> Carrier {
        Carrier { line, local, engine, buffer: String::new(), calls: 0 }
    }

    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// The certificate the engine showed.
    pub fn peer_certificate(&self) -> Option<Vec<u8>> {
        let Line::Tls(stream) = &self.line else { return None };
        stream.conn.peer_certificates()?.first().map(|certificate| certificate.to_vec())
    }

    fn token(&self) -> &'static str {
        match self.line {
            Line::Udp(_) => "UDP",
            Line::Tcp(_) => "TCP",
            Line::Tls(_) => "TLS",
        }
    }

    /// The same TCP connection, for somebody who writes while another reads.
    pub fn second_hand(&self) -> TcpStream {
        match &self.line {
            Line::Tcp(stream) => stream.try_clone().expect("a second descriptor"),
            Line::Udp(_) | Line::Tls(_) => panic!("only a TCP connection has a second hand"),
        }
    }

    pub fn send(&mut self, text: &str) {
        match &mut self.line {
            Line::Udp(socket) => drop(socket.send(text.as_bytes())),
            Line::Tcp(stream) => stream.write_all(text.as_bytes()).unwrap(),
            Line::Tls(stream) => {
                stream.write_all(text.as_bytes()).unwrap();
                stream.flush().unwrap();
            }
        }
    }

    /// What comes next, or nothing within `patience`. Keep-alives are passed over.
    pub fn receive(&mut self, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        loop {
            if let Some(message) = self.cut() {
                return Some(message);
            }
            if Instant::now() >= until {
                return None;
            }
            let mut bytes = [0; 8192];
            let got = match &mut self.line {
                Line::Udp(socket) => socket.recv(&mut bytes),
                Line::Tcp(stream) => stream.read(&mut bytes),
                Line::Tls(stream) => stream.read(&mut bytes),
            };
            match got {
                Ok(0) => return None,
                Ok(length) => self.buffer.push_str(&String::from_utf8_lossy(&bytes[..length])),
                Err(_) => {}
            }
        }
    }

    /// Whether the engine closes this connection within `patience`.
    pub fn is_closed(&mut self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        while Instant::now() < until {
            let mut bytes = [0; 8192];
            let got = match &mut self.line {
                Line::Udp(_) => return false,
                Line::Tcp(stream) => stream.read(&mut bytes),
                Line::Tls(stream) => stream.read(&mut bytes),
            };
            match got {
                Ok(0) => return true,
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return true,
                _ => {}
            }
        }
        false
    }

    fn cut(&mut self) -> Option<String> {
        let start = self.buffer.len() - self.buffer.trim_start_matches(['\r', '\n']).len();
        self.buffer.drain(..start);
        let head = self.buffer.find("\r\n\r\n")? + 4;
        let length: usize = value(&self.buffer[..head], "Content-Length").parse().unwrap_or(0);
        if self.buffer.len() < head + length {
            return None;
        }
        let rest = self.buffer.split_off(head + length);
        Some(std::mem::replace(&mut self.buffer, rest))
    }

    /// The next final response of this call; provisional ones and others' messages are passed over.
    pub fn final_response(&mut self, call_id: &str, patience: Duration) -> Option<String> {
        let until = Instant::now() + patience;
        loop {
            let message = self.receive(until.saturating_duration_since(Instant::now()))?;
            let code = message.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse::<u16>().ok());
            if code.is_some_and(|code| code >= 200) && value(&message, "Call-ID") == call_id {
                return Some(message);
            }
        }
    }

    /// The text of a request outside any dialog.
    pub fn request(&mut self, method: &str, uri: &str, more: &str, body: &str) -> (String, String) {
        self.calls += 1;
        let (local, token) = (self.local, self.token());
        let call_id = format!("{}-{}-{token}", self.calls, local.port());
        let transport = token.to_lowercase();
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/{token} {local};branch=z9hG4bK{call_id};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:+33612345678@{local}>;tag=c{call_id}\r\nTo: <{uri}>\r\nCall-ID: {call_id}\r\nCSeq: 1 {method}\r\n\
             Contact: <sip:carrier@{local};transport={transport}>\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        (call_id, text)
    }

    /// Calls 15, and waits for the answer.
    pub fn call(&mut self, patience: Duration) -> Option<Call> {
        self.call_with("", patience)
    }

    /// The same with further headers.
    pub fn call_with(&mut self, more: &str, patience: Duration) -> Option<Call> {
        let ip = self.local.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let sdp = format!(
            "v=0\r\no=- 1 1 IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\nm=audio 9 RTP/AVP 8\r\n"
        );
        let uri = format!("sip:15@{}", self.engine);
        let more = format!("Content-Type: application/sdp\r\n{more}");
        let (call_id, invite) = self.request("INVITE", &uri, &more, &sdp);
        self.send(&invite);
        let answer = self.final_response(&call_id, patience)?;
        assert!(answer.starts_with("SIP/2.0 200 "), "{answer}");
        let call = Call { call_id, invite, answer };
        self.send(&within(&call, "ACK", 1));
        Some(call)
    }

    /// Hangs up, and waits for the 200.
    pub fn hang_up(&mut self, call: &Call) -> bool {
        self.send(&within(call, "BYE", 2));
        self.final_response(&call.call_id, Duration::from_secs(5)).is_some()
    }
}

/// A request within a call's dialog.
pub fn within(call: &Call, method: &str, cseq: u32) -> String {
    let target = value(&call.answer, "Contact").trim_matches(['<', '>']).to_owned();
    let via = value(&call.invite, "Via").replace("branch=z9hG4bK", &format!("branch=z9hG4bK{method}"));
    format!(
        "{method} {target} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {}\r\nTo: {}\r\nCall-ID: {}\r\n\
         CSeq: {cseq} {method}\r\nContent-Length: 0\r\n\r\n",
        value(&call.invite, "From"),
        value(&call.answer, "To"),
        call.call_id,
    )
}

/// The first value of a header.
pub fn value<'t>(text: &'t str, name: &str) -> &'t str {
    let is_it = |line: &&str| line.get(..name.len()).is_some_and(|word| word.eq_ignore_ascii_case(name));
    let line = text.lines().find(|line| is_it(line) && line[name.len()..].trim_start().starts_with(':'));
    line.and_then(|line| line.split_once(':')).map_or("", |(_, value)| value.trim())
}
