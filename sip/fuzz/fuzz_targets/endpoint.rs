//! Any order of messages, wishes of ours and time: the endpoint never panics, prints nothing but
//! messages, and comes to rest once everybody has let go (I23).
//!
//! The input is a script of letters, so that a corpus can be read: capitals are what the peer sends,
//! small letters what the owner of the calls wants, digits what the peer answers to our last request.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sip::auth::{Claim, respond};
use sip::endpoint::{Account, Config, DialogId, Endpoint, Event, Outgoing};
use sip::header::auth::Algorithm;
use sip::message::{Message, Name, StartLine};
use sip::time::{Instant, Now};
use sip::transaction::Timers;
use sip::transport::{Flow, Peer, Transport};
use std::time::{Duration, SystemTime};

const SDP: &str = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
const CODES: [&str; 10] =
    ["200 OK", "100 Trying", "180 Ringing", "183 Reliable", "481 Gone", "486 Busy", "407 Prove", "422 Small", "491 Pending", "202 Accepted"];
const METHODS: [(u8, &str); 9] = [
    (b'A', "ACK"), (b'B', "BYE"), (b'C', "CANCEL"), (b'U', "UPDATE"), (b'P', "PRACK"),
    (b'R', "INVITE"), (b'F', "REFER"), (b'N', "NOTIFY"), (b'O', "OPTIONS"),
];

struct Stage {
    endpoint: Endpoint,
    at: Instant,
    dialogs: Vec<DialogId>,
    /// To lines of our answers to the peer's INVITEs, by call.
    tags: Vec<String>,
    /// Our last requests.
    asked: Vec<Vec<u8>>,
    peer: Peer,
    transport: Transport,
    sent: u32,
    rseq: u32,
    challenge: String,
}

fn config() -> Config {
    let ha1 = |algorithm| sip::auth::ha1(algorithm, "nour", "samu", "geheim");
    Config {
        product: "bandeau".to_owned(),
        contact: ([192, 0, 2, 1], 5060).into(),
        realm: "samu".to_owned(),
        accounts: vec![Account {
            user: "nour".to_owned(),
            ha1_md5: ha1(Algorithm::Md5),
            ha1_sha256: ha1(Algorithm::Sha256),
        }],
        timers: Timers::default(),
        strangers_forbid: true,
    }
}

impl Stage {
    fn new(kind: u8) -> Stage {
        let transport = if kind & 4 == 0 { Transport::Udp } else { Transport::Tcp };
        let peer = [Peer::Trunk(0), Peer::Phone, Peer::Stranger, Peer::Trunk(1)][usize::from(kind & 3)];
        Stage {
            endpoint: Endpoint::new(config(), 7),
            at: Instant::ZERO + Duration::from_secs(1),
            dialogs: Vec::new(),
            tags: Vec::new(),
            asked: Vec::new(),
            peer,
            transport,
            sent: 0,
            rseq: 0,
            challenge: String::new(),
        }
    }

    fn now(&self) -> Now {
        Now { at: self.at, utc: SystemTime::UNIX_EPOCH }
    }

    fn flow(&self) -> Flow {
        let (local, remote) = (([192, 0, 2, 1], 5060).into(), ([192, 0, 2, 9], 5060).into());
        Flow { transport: self.transport, local, remote, connection: 0 }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.endpoint.handle_message(self.now(), self.flow(), self.peer, bytes);
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(event) = self.endpoint.poll_event() {
            if let Event::Invited { dialog, .. } = event {
                self.dialogs.push(dialog);
            }
        }
        while let Some(transmit) = self.endpoint.poll_transmit() {
            let message = Message::scan(&transmit.bytes).expect("what we print is a message");
            // What refuses the unreadable gives back what came of it.
            let is_refused = message.code().is_some_and(|code| matches!(code, 400 | 513));
            let is_whole = message.inspect().is_ok() || is_refused;
            assert!(is_whole, "and whole: {}", String::from_utf8_lossy(&transmit.bytes));
            match message.start {
                StartLine::Request { token, .. } if token != "ACK" => self.asked.push(transmit.bytes.to_vec()),
                StartLine::Request { .. } => {}
                StartLine::Response { .. } => {
                    let to = String::from_utf8_lossy(message.header(Name::To).unwrap_or_default()).into_owned();
                    let call = message.call_id().ok().and_then(|id| id.strip_prefix("call").and_then(|n| n.parse::<usize>().ok()));
                    if let Some(slot) = call.and_then(|call| self.tags.get_mut(call)) {
                        *slot = to;
                    }
                    if let Some(challenge) = message.headers(Name::WwwAuthenticate).next() {
                        self.challenge = String::from_utf8_lossy(challenge).into_owned();
                    }
                }
            }
        }
    }

    /// A request of the peer: `flags` chooses its odd parts.
    fn request(&mut self, method: &str, call: usize, number: u32, flags: u8, branch: u32) {
        let to = self.tags.get(call).cloned().unwrap_or_else(|| "<sip:15@192.0.2.1>".to_owned());
        let mut more = String::new();
        if flags & 1 != 0 {
            more.push_str("Require: 100rel\r\n");
        }
        if flags & 2 != 0 {
            more.push_str("Supported: timer, 100rel, replaces\r\nSession-Expires: 90;refresher=uas\r\nMin-SE: 90\r\n");
        }
        if flags & 4 != 0 {
            more.push_str("Session-Expires: 20\r\nAllow: INVITE, UPDATE, ACK\r\n");
        }
        if flags & 8 != 0 {
            let last = self.tags.last().and_then(|to| to.rsplit_once("tag=")).map_or("x", |(_, tag)| tag);
            more.push_str(&format!(
                "Refer-To: <sip:17@192.0.2.9?Replaces=call0%3Bto-tag%3D{last}%3Bfrom-tag%3Dp0>\r\nReferred-By: <sip:a@b>\r\n\
                 Replaces: call0;to-tag={last};from-tag=p0\r\n"
            ));
        }
        if method == "PRACK" {
            more.push_str(&format!("RAck: {} {number} INVITE\r\n", 1 + u32::from(flags >> 6)));
        }
        if method == "NOTIFY" {
            more.push_str("Event: refer\r\nSubscription-State: active\r\nContent-Type: message/sipfrag\r\n");
        }
        let body = match (method, flags & 16 != 0) {
            ("NOTIFY", _) => "SIP/2.0 200 OK\r\n",
            (_, true) => SDP,
            _ => "",
        };
        if body == SDP {
            more.push_str("Content-Type: application/sdp\r\n");
        }
        let text = format!(
            "{method} sip:15@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bK{branch};rport\r\n\
             Max-Forwards: 70\r\nFrom: <sip:0612@192.0.2.9>;tag=p{call}\r\nTo: {to}\r\nCall-ID: call{call}\r\n\
             CSeq: {number} {method}\r\nContact: <sip:192.0.2.9:5060>\r\n{more}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.hear(text.as_bytes());
    }

    /// The peer's answer to our last request, or to one before.
    fn answer(&mut self, code: &str, back: u8, flags: u8) {
        let Some(place) = self.asked.len().checked_sub(1 + usize::from(back & 3)) else { return };
        let request = self.asked[place].clone();
        let message = Message::scan(&request).expect("we wrote it");
        let line = |name| String::from_utf8_lossy(message.header(name).unwrap_or_default()).into_owned();
        let mut to = line(Name::To);
        if !to.contains(";tag=") && !code.starts_with("100") {
            to.push_str(&format!(";tag=fork{}", flags & 1));
        }
        let mut more = String::new();
        if code.starts_with("183") {
            self.rseq += u32::from(flags & 2 == 0);
            more.push_str(&format!("Require: 100rel\r\nRSeq: {}\r\n", self.rseq));
        }
        if code.starts_with("407") {
            more.push_str("Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n");
        }
        if code.starts_with("422") {
            more.push_str("Min-SE: 1900\r\n");
        }
        if code.starts_with("200") && flags & 4 != 0 {
            more.push_str("Require: timer\r\nSession-Expires: 90;refresher=uac\r\nAllow: UPDATE\r\n");
        }
        let body = if flags & 8 != 0 { SDP } else { "" };
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        let text = format!(
            "SIP/2.0 {code}\r\nVia: {}\r\nFrom: {}\r\nTo: {to}\r\nCall-ID: {}\r\nCSeq: {}\r\n\
             Contact: <sip:192.0.2.9:5060>\r\n{more}{kind}Content-Length: {}\r\n\r\n{body}",
            line(Name::Via), line(Name::From), line(Name::CallId), line(Name::CSeq), body.len()
        );
        self.hear(text.as_bytes());
    }

    fn register(&mut self, flags: u8) {
        self.sent += 1;
        let n = self.sent;
        let proof = sip::header::auth::Challenge::read(self.challenge.as_bytes()).map(|challenge| {
            let (user, uri, nc) = ("nour", "sip:samu", u32::from(flags >> 4));
            let password = if flags & 1 == 0 { "geheim" } else { "guess" };
            respond(&challenge, &Claim { user, password, method: "REGISTER", uri, cnonce: "c", nc })
        });
        let proof = proof.map(|proof| format!("Authorization: {proof}\r\n")).unwrap_or_default();
        let contact = ["<sip:nour@192.0.2.9>;expires=90;reg-id=1;+sip.instance=\"<urn:x>\"", "*", "<sip:nour@192.0.2.8>;expires=0"];
        let contact = contact[usize::from(flags >> 1 & 3) % 3];
        let text = format!(
            "REGISTER sip:samu SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKreg{n}\r\nFrom: <sip:nour@samu>;tag=r\r\n\
             To: <sip:nour@samu>\r\nCall-ID: reg\r\nCSeq: {n} REGISTER\r\nContact: {contact}\r\nSupported: outbound, path\r\n\
             {proof}Content-Length: 0\r\n\r\n"
        );
        self.hear(text.as_bytes());
    }

    fn call(&mut self) {
        let outgoing = Outgoing {
            flow: self.flow(),
            uri: "sip:0145@192.0.2.9".to_owned(),
            from: "<sip:samu@192.0.2.1>".to_owned(),
            to: "<sip:0145@192.0.2.9>".to_owned(),
            headers: Vec::new(),
            sdp: SDP.as_bytes().to_vec(),
            credentials: Some(sip::endpoint::Credentials { user: "u".to_owned(), password: "p".to_owned() }),
        };
        let dialog = self.endpoint.invite(self.now(), outgoing);
        self.dialogs.push(dialog);
        self.collect();
    }

    fn pass(&mut self, time: Duration) {
        let until = self.at + time;
        let mut steps = 0;
        while let Some(at) = self.endpoint.poll_timeout().filter(|at| *at <= until) {
            self.at = self.at.max(at);
            self.endpoint.handle_due(self.now());
            self.collect();
            steps += 1;
            assert!(steps < 20_000, "time goes on");
        }
        self.at = until;
    }

    fn wish(&mut self, op: u8, dialog: DialogId) {
        let (now, sdp) = (self.now(), SDP.as_bytes());
        match op {
            b'r' => self.endpoint.ring(now, dialog, 183, Some(sdp)),
            b'q' => self.endpoint.ring(now, dialog, 180, None),
            b'a' => self.endpoint.answer(now, dialog, sdp),
            b'f' => self.endpoint.refuse(now, dialog, 486, None),
            b'e' => self.endpoint.end(now, dialog, Some("Q.850;cause=16")),
            b'o' => self.endpoint.reoffer(now, dialog, sdp),
            b'c' => _ = self.endpoint.accept(now, dialog, sdp),
            b'd' => self.endpoint.decline(now, dialog, 488),
            _ => self.endpoint.probe(now, dialog),
        }
        self.collect();
    }
}

fuzz_target!(|script: &[u8]| {
    let mut bytes = script.iter().copied().take(400);
    let Some(kind) = bytes.next() else { return };
    let mut stage = Stage::new(kind);
    while let Some(op) = bytes.next() {
        let mut take = || bytes.next().unwrap_or_default();
        match op {
            b'I' => {
                let (call, flags) = (stage.tags.len(), take());
                if call < 6 {
                    stage.tags.push("<sip:15@192.0.2.1>".to_owned());
                    stage.request("INVITE", call, 1, flags, 1000 + u32::try_from(call).unwrap_or(0));
                }
            }
            b'G' => stage.register(take()),
            b'X' => {
                stage.endpoint.handle_flow_failed(stage.now(), stage.flow());
                stage.collect();
            }
            b'0'..=b'9' => {
                let (back, flags) = (take(), take());
                stage.answer(CODES[usize::from(op - b'0')], back, flags);
            }
            b'i' => stage.call(),
            b't' => stage.pass(Duration::from_millis(u64::from(take()) * 50)),
            b'T' => stage.pass(Duration::from_secs(u64::from(take()))),
            b'M' => {
                let length = usize::from(take());
                let raw: Vec<u8> = bytes.by_ref().take(length).collect();
                stage.hear(&raw);
            }
            _ => {
                if let Some((_, method)) = METHODS.iter().find(|(letter, _)| *letter == op) {
                    let (call, flags) = (usize::from(take() & 7), take());
                    stage.sent += 1;
                    let number = if matches!(op, b'A' | b'C') { 1 } else { stage.sent + 1 };
                    let branch = if op == b'C' { 1000 + u32::try_from(call).unwrap_or(0) } else { stage.sent };
                    stage.request(method, call, number, flags, branch);
                } else if let Some(dialog) = stage.dialogs.get(usize::from(take() & 7)).copied() {
                    stage.wish(op, dialog);
                }
            }
        }
    }
    for dialog in stage.dialogs.clone() {
        stage.endpoint.end(stage.now(), dialog, None);
        stage.collect();
    }
    stage.pass(Duration::from_secs(4000));
    assert!(stage.endpoint.is_idle(), "everything is forgotten in the end");
});
