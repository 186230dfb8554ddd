//! A caller behind the carrier: sends its INVITE until it is heard, acknowledges, gives up, hangs up,
//! or goes dead. Written from RFC 3261's tables, not from the stack under test.

use super::house::ENGINE;
use super::scenario::CallerScript;
use super::sip::{Sip, sdp};
use std::net::SocketAddr;
use std::time::Duration;

/// What a peer wants done.
pub enum Do {
    Send(String),
    /// Comes back with the number after so long.
    Wake(Duration, u32),
}

/// RFC 3261 §17: T1, T2 and 64*T1.
pub const T1: Duration = Duration::from_millis(500);
pub const T2: Duration = Duration::from_secs(4);
pub const GIVE_UP: Duration = Duration::from_secs(32);

/// A request or response that is sent again until it is answered.
pub struct Resend {
    pub text: String,
    /// Doubles up to [`T2`]; an INVITE's goes on doubling.
    pub every: Duration,
    pub spent: Duration,
    pub method: &'static str,
}

pub struct Caller {
    pub script: CallerScript,
    pub id: String,
    pub at: SocketAddr,
    to: String,
    target: String,
    cseq: u32,
    provisional: bool,
    pub answered: bool,
    leaving: bool,
    pub over: bool,
    /// Its line is dead: it hears nothing and says nothing.
    pub dead: bool,
    /// We hung up on it.
    pub released: bool,
    resend: Option<Resend>,
    generation: u32,
}

impl Caller {
    pub fn new(script: CallerScript, at: SocketAddr) -> Caller {
        let called = format!("sip:{}@{ENGINE}", script.called);
        Caller {
            id: format!("call-{}@{at}", script.nth),
            to: format!("<{called}>"),
            target: called,
            script,
            at,
            cseq: 1,
            provisional: false,
            answered: false,
            leaving: false,
            over: false,
            dead: false,
            released: false,
            resend: None,
            generation: 0,
        }
    }

    fn request(&self, method: &str, cseq: u32, branch: &str, body: &str) -> String {
        let (at, id, to) = (self.at, &self.id, &self.to);
        let number = format!("+336{:08}", self.script.number);
        let (target, kind) =
            (&self.target, if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" });
        format!(
            "{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-{}-{branch}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{number}@{at}>;tag=c{}\r\nTo: {to}\r\nCall-ID: {id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:{number}@{at}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            self.script.nth,
            self.script.nth,
            body.len()
        )
    }

    pub fn start(&mut self) -> Vec<Do> {
        let text = self.request("INVITE", 1, "1", &sdp(30_000, "8 0", "sendrecv"));
        self.transact("INVITE", text)
    }

    fn transact(&mut self, method: &'static str, text: String) -> Vec<Do> {
        self.generation += 1;
        self.resend = Some(Resend { text: text.clone(), every: T1, spent: Duration::ZERO, method });
        vec![Do::Send(text), Do::Wake(T1, self.generation)]
    }

    /// A timer of an earlier transaction means nothing.
    pub fn woken(&mut self, generation: u32) -> Vec<Do> {
        let Some(resend) = self.resend.as_mut().filter(|_| generation == self.generation) else {
            return Vec::new();
        };
        resend.spent += resend.every;
        if resend.spent >= GIVE_UP {
            self.resend = None;
            self.over = true;
            return Vec::new();
        }
        resend.every *= 2;
        if resend.method != "INVITE" {
            resend.every = resend.every.min(T2);
        }
        vec![Do::Send(resend.text.clone()), Do::Wake(resend.every, generation)]
    }

    pub fn hangs_up(&mut self) -> Vec<Do> {
        if self.over || self.leaving || self.dead {
            return Vec::new();
        }
        self.leaving = true;
        self.leaves()
    }

    fn leaves(&mut self) -> Vec<Do> {
        let busy = self.resend.as_ref().is_some_and(|resend| resend.method != "INVITE");
        if busy {
            return Vec::new();
        }
        if self.answered {
            self.cseq += 1;
            let text = self.request("BYE", self.cseq, "bye", "");
            return self.transact("BYE", text);
        }
        if self.provisional {
            let text = self.request("CANCEL", 1, "1", "");
            return self.transact("CANCEL", text);
        }
        Vec::new()
    }

    fn stop(&mut self, method: &str) {
        self.resend.take_if(|resend| resend.method == method);
    }

    pub fn hears(&mut self, sip: &Sip) -> Vec<Do> {
        match (sip.method(), sip.code()) {
            (Some(_), _) => self.asked(sip),
            (None, Some(code)) => self.answered(sip, code),
            _ => Vec::new(),
        }
    }

    fn answered(&mut self, sip: &Sip, code: u16) -> Vec<Do> {
        let mut todo = Vec::new();
        match (sip.about(), code) {
            ("INVITE", 100..200) => {
                self.provisional = true;
                self.stop("INVITE");
                if self.leaving && !self.answered && !self.over {
                    todo = self.leaves();
                }
            }
            ("INVITE", 200..300) => {
                self.stop("INVITE");
                self.stop("CANCEL");
                let first = !self.answered;
                self.answered = true;
                (self.to, self.target) = (sip.header("to").to_owned(), sip.contact());
                todo.push(Do::Send(self.request("ACK", 1, "ack", "")));
                if first && (self.leaving || self.over) {
                    todo.extend(self.leaves());
                }
            }
            ("INVITE", _) => {
                self.stop("INVITE");
                self.stop("CANCEL");
                self.over = true;
                let to = std::mem::replace(&mut self.to, sip.header("to").to_owned());
                todo.push(Do::Send(self.request("ACK", 1, "1", "")));
                self.to = to;
            }
            ("CANCEL", _) => self.stop("CANCEL"),
            ("BYE", 200..) => {
                self.stop("BYE");
                self.over = true;
            }
            _ => {}
        }
        todo
    }

    fn asked(&mut self, sip: &Sip) -> Vec<Do> {
        let body = if sip.method() == Some("INVITE") { sdp(30_000, "8", "sendrecv") } else { String::new() };
        match sip.method() {
            Some("ACK") => return Vec::new(),
            Some("BYE") => {
                self.released |= !self.over && !self.leaving;
                self.over = true;
                self.resend = None;
            }
            _ => {}
        }
        let contact = format!("Contact: <sip:x@{}>\r\n", self.at);
        vec![Do::Send(sip.response("200 OK", "c", &contact, &body))]
    }

    /// Nothing of it is left.
    pub fn at_rest(&self) -> bool {
        self.over || self.dead
    }
}
