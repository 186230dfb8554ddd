//! A desk phone: rings, is answered or not, refuses, hangs up, loses its cable.

use super::caller::{Do, GIVE_UP, Resend, T1, T2};
use super::sip::{Sip, sdp};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ring {
    Ringing,
    /// 200 sent, no ACK yet.
    Answered,
    Up,
    Over,
}

struct Dialog {
    invite: Sip,
    state: Ring,
    last: String,
}

pub struct Phone {
    pub at: SocketAddr,
    pub unplugged: bool,
    /// The telephones of many, behind one carrier: never busy.
    pub many: bool,
    dialogs: BTreeMap<String, Dialog>,
    /// By the number of the wake-up that continues it.
    resends: BTreeMap<u32, (String, Resend)>,
    next: u32,
    /// New INVITEs seen so far.
    pub rung: u64,
}

impl Phone {
    pub fn new(at: SocketAddr) -> Phone {
        let (dialogs, resends) = (BTreeMap::new(), BTreeMap::new());
        Phone { at, unplugged: false, many: false, dialogs, resends, next: 0, rung: 0 }
    }

    /// The cable is out: what it knew is forgotten when it is back.
    pub fn unplug(&mut self) {
        self.unplugged = true;
        self.dialogs.clear();
        self.resends.clear();
    }

    fn in_state(&self, wanted: &[Ring]) -> Option<&String> {
        self.dialogs.iter().find(|(_, dialog)| wanted.contains(&dialog.state)).map(|(id, _)| id)
    }

    /// Rings, talks, or waits for the ACK of its answer.
    pub fn is_busy(&self) -> bool {
        self.busy_with().is_some()
    }

    /// Where it does so, in which dialog, and how far that is.
    pub fn busy_with(&self) -> Option<(SocketAddr, &str, Ring)> {
        let id = self.in_state(&[Ring::Ringing, Ring::Answered, Ring::Up])?;
        Some((self.at, id, self.state(id)?))
    }

    /// The dialog it rings in.
    pub fn ringing(&self) -> Option<String> {
        self.in_state(&[Ring::Ringing]).cloned()
    }

    pub fn state(&self, id: &str) -> Option<Ring> {
        self.dialogs.get(id).map(|dialog| dialog.state)
    }

    fn tag(&self) -> String {
        format!("p{}", self.at.port())
    }

    fn respond(&mut self, id: &str, status: &str, state: Ring, body: &str) -> Vec<Do> {
        let contact = format!("Contact: <sip:phone@{}>\r\n", self.at);
        let tag = self.tag();
        let Some(dialog) = self.dialogs.get_mut(id) else { return Vec::new() };
        let text = dialog.invite.response(status, &tag, &contact, body);
        (dialog.state, dialog.last) = (state, text.clone());
        if status.starts_with('1') {
            return vec![Do::Send(text)];
        }
        self.resend(id, "INVITE", text)
    }

    fn resend(&mut self, id: &str, method: &'static str, text: String) -> Vec<Do> {
        self.next += 1;
        let resend = Resend { text: text.clone(), every: T1, spent: Duration::ZERO, method };
        self.resends.insert(self.next, (id.to_owned(), resend));
        vec![Do::Send(text), Do::Wake(T1, self.next)]
    }

    pub fn woken(&mut self, number: u32) -> Vec<Do> {
        let Some((id, resend)) = self.resends.get_mut(&number) else { return Vec::new() };
        resend.spent += resend.every;
        let (id, method) = (id.clone(), resend.method);
        if resend.spent < GIVE_UP {
            resend.every = (resend.every * 2).min(T2);
            return vec![Do::Send(resend.text.clone()), Do::Wake(resend.every, number)];
        }
        self.resends.remove(&number);
        // A 200 nobody acknowledges: the phone ends what it began (RFC 3261 §13.3.1.4).
        match self.state(&id) {
            Some(Ring::Answered) if method == "INVITE" => self.bye(&id),
            _ => Vec::new(),
        }
    }

    /// The receiver is lifted.
    pub fn answer(&mut self, id: &str) -> Vec<Do> {
        match self.state(id) {
            Some(Ring::Ringing) => self.respond(id, "200 OK", Ring::Answered, &sdp(40_000, "8", "sendrecv")),
            _ => Vec::new(),
        }
    }

    pub fn refuse(&mut self, id: &str, status: &str) -> Vec<Do> {
        match self.state(id) {
            Some(Ring::Ringing) => self.respond(id, status, Ring::Over, ""),
            _ => Vec::new(),
        }
    }

    /// The receiver is put down in whatever conversation it is.
    pub fn hang_up(&mut self) -> Vec<Do> {
        let Some(id) = self.in_state(&[Ring::Up]).cloned() else { return Vec::new() };
        self.bye(&id)
    }

    /// The same, in this conversation.
    pub fn leaves(&mut self, id: &str) -> Vec<Do> {
        if self.state(id) == Some(Ring::Up) { self.bye(id) } else { Vec::new() }
    }

    fn bye(&mut self, id: &str) -> Vec<Do> {
        let (at, tag) = (self.at, self.tag());
        let Some(dialog) = self.dialogs.get_mut(id) else { return Vec::new() };
        dialog.state = Ring::Over;
        let invite = &dialog.invite;
        let text = format!(
            "BYE {} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-bye-{id}\r\nMax-Forwards: 70\r\n\
             From: {};tag={tag}\r\nTo: {}\r\nCall-ID: {id}\r\nCSeq: 900 BYE\r\nContent-Length: 0\r\n\r\n",
            invite.contact(),
            invite.header("to"),
            invite.header("from"),
        );
        self.resend(id, "BYE", text)
    }

    pub fn hears(&mut self, sip: &Sip) -> Vec<Do> {
        let id = sip.call_id().to_owned();
        let known = self.dialogs.contains_key(&id);
        let plain = |status: &str| vec![Do::Send(sip.response(status, &self.tag(), "", ""))];
        match sip.method() {
            None => {
                if sip.about() == "BYE" && sip.code() >= Some(200) {
                    self.resends.retain(|_, (of, resend)| *of != id || resend.method != "BYE");
                }
                Vec::new()
            }
            Some("INVITE") if !sip.header("to").contains(";tag=") => self.rings(sip),
            Some("INVITE") if known => {
                let contact = format!("Contact: <sip:phone@{}>\r\n", self.at);
                let body = sdp(40_000, "8", "sendrecv");
                vec![Do::Send(sip.response("200 OK", &self.tag(), &contact, &body))]
            }
            Some("ACK") => {
                self.resends.retain(|_, (of, resend)| *of != id || resend.method != "INVITE");
                if let Some(dialog) = self.dialogs.get_mut(&id).filter(|it| it.state == Ring::Answered) {
                    dialog.state = Ring::Up;
                }
                Vec::new()
            }
            Some("CANCEL") if known => {
                let mut todo = plain("200 OK");
                if self.state(&id) == Some(Ring::Ringing) {
                    todo.extend(self.respond(&id, "487 Request Terminated", Ring::Over, ""));
                }
                todo
            }
            Some("BYE") if known => {
                let todo = plain("200 OK");
                self.resends.retain(|_, (of, _)| *of != id);
                if let Some(dialog) = self.dialogs.get_mut(&id) {
                    dialog.state = Ring::Over;
                }
                todo
            }
            Some("OPTIONS") if known || !sip.header("to").contains(";tag=") => plain("200 OK"),
            Some(_) if known => plain("200 OK"),
            Some(_) => plain("481 Call/Transaction Does Not Exist"),
        }
    }

    fn rings(&mut self, sip: &Sip) -> Vec<Do> {
        let id = sip.call_id().to_owned();
        if let Some(dialog) = self.dialogs.get(&id) {
            return vec![Do::Send(dialog.last.clone())];
        }
        let busy = self.is_busy() && !self.many;
        let fresh = Dialog { invite: sip.clone(), state: Ring::Ringing, last: String::new() };
        self.dialogs.insert(id.clone(), fresh);
        self.rung += 1;
        if busy {
            return self.respond(&id, "486 Busy Here", Ring::Over, "");
        }
        self.respond(&id, "180 Ringing", Ring::Ringing, "")
    }
}
