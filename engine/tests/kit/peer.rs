//! Callers behind a trunk, and desk phones: what each does when told to, and what each does by itself
//! (answering BYE, CANCEL and OPTIONS, acknowledging refusals).

use super::sip::{Sip, sdp};
use super::{ENGINE, Room, phone_at, trunk_at};
use std::net::SocketAddr;

/// A caller, by the Call-ID of the INVITE.
#[derive(Clone, Debug)]
pub struct Caller {
    pub id: String,
    pub number: String,
    pub called: String,
    pub at: SocketAddr,
    cseq: u32,
    port: u16,
}

/// How a caller calls.
pub struct Dial<'a> {
    pub number: &'a str,
    pub uri: String,
    pub trunk: u16,
    pub sdp: Option<String>,
    pub extra: &'a str,
}

impl Room {
    /// A caller dials a number over the first trunk.
    pub fn dial(&mut self, number: &str, called: &str) -> Caller {
        let uri =
            if called.starts_with("urn:") { called.to_owned() } else { format!("sip:{called}@{ENGINE}") };
        let sdp = Some(sdp(30_000, "8 0", "sendrecv"));
        self.dial_with(&Dial { number, uri, trunk: 0, sdp, extra: "" })
    }

    /// A caller dials and acknowledges the 200 it is answered with.
    pub fn dial_and_ack(&mut self, number: &str, called: &str) -> Caller {
        let mut caller = self.dial(number, called);
        self.ack(&mut caller);
        caller
    }

    /// A caller dials in a way of its own.
    pub fn dial_with(&mut self, dial: &Dial<'_>) -> Caller {
        self.count += 1;
        let at = trunk_at(dial.trunk);
        let id = format!("call-{}@{at}", self.count);
        let (number, uri) = (dial.number.to_owned(), dial.uri.clone());
        let caller = Caller { id, number, called: uri, at, cseq: 1, port: 30_000 };
        let text = self.request(&caller, "INVITE", 1, dial.extra, dial.sdp.as_deref());
        self.send(at, &text);
        caller
    }

    fn request(&self, caller: &Caller, method: &str, cseq: u32, extra: &str, body: Option<&str>) -> String {
        let Caller { id, number, called, at, .. } = caller;
        let answered = self.last(at, id, |sip| sip.about() == "INVITE" && sip.code() > Some(100));
        let to = answered.map_or_else(|| format!("<{called}>"), |sip| sip.header("to").to_owned());
        let within = !matches!(method, "INVITE" | "CANCEL") || cseq > 1;
        let ok = self.last(at, id, |sip| sip.about() == "INVITE" && sip.code() == Some(200));
        let uri = ok.filter(|_| within).map_or_else(|| called.clone(), Sip::contact);
        let to = if within { to } else { format!("<{called}>") };
        // CANCEL and the ACK of a refusal share the INVITE's branch (RFC 3261 §9.1).
        let shared = method == "CANCEL" || (method == "ACK" && ok.is_none());
        let branch =
            format!("z9hG4bK{}-{}", id.replace(['@', ':'], "-"), if shared { "INVITE" } else { method });
        let branch = if cseq > 1 && method != "CANCEL" { format!("{branch}-{cseq}") } else { branch };
        let kind = if body.is_some() { "Content-Type: application/sdp\r\n" } else { "" };
        let body = body.unwrap_or("");
        format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch={branch}\r\nMax-Forwards: 70\r\n\
             From: <sip:{number}@{at}>;tag=c\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:{number}@{at}>\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    /// The last message the engine sent to `to` in dialog `id` that fits.
    pub fn last(&self, to: &SocketAddr, id: &str, fits: impl Fn(&Sip) -> bool) -> Option<&Sip> {
        let sent = self.wire.iter().rev().filter(|sent| sent.to == *to && sent.sip.call_id() == id);
        sent.map(|sent| &sent.sip).find(|sip| fits(sip))
    }

    /// Status codes a caller's INVITE has got so far, retransmissions dropped.
    pub fn codes(&self, caller: &Caller) -> Vec<u16> {
        let mine = self.wire.iter().filter(|sent| sent.to == caller.at && sent.sip.call_id() == caller.id);
        let mut codes: Vec<u16> =
            mine.filter(|sent| sent.sip.about() == "INVITE").filter_map(|sent| sent.sip.code()).collect();
        codes.dedup();
        codes
    }

    /// True when the engine has hung up on this caller.
    pub fn has_bye(&self, caller: &Caller) -> bool {
        self.last(&caller.at, &caller.id, |sip| sip.method() == Some("BYE")).is_some()
    }

    pub fn ack(&mut self, caller: &mut Caller) {
        self.ack_with(caller, None);
    }

    /// ACK with an answer in it.
    pub fn ack_with(&mut self, caller: &mut Caller, body: Option<&str>) {
        let text = self.request(caller, "ACK", caller.cseq, "", body);
        self.send(caller.at, &text);
    }

    pub fn cancel(&mut self, caller: &Caller) {
        let text = self.request(caller, "CANCEL", 1, "", None);
        self.send(caller.at, &text);
    }

    pub fn bye(&mut self, caller: &mut Caller) {
        self.bye_with(caller, "");
    }

    /// The caller hangs up and says more.
    pub fn bye_with(&mut self, caller: &mut Caller, extra: &str) {
        caller.cseq += 1;
        let text = self.request(caller, "BYE", caller.cseq, extra, None);
        self.send(caller.at, &text);
    }

    /// The caller's line tells something within the dialog.
    pub fn info(&mut self, caller: &mut Caller, content_type: &str, body: &str) {
        caller.cseq += 1;
        let extra = format!("Content-Type: {content_type}\r\n");
        let text = self.request(caller, "INFO", caller.cseq, &extra, None);
        let (head, _) = text.split_once("Content-Length").expect("a length");
        let text = format!("{head}Content-Length: {}\r\n\r\n{body}", body.len());
        self.send(caller.at, &text);
    }

    /// The caller's line says how the call goes that it was asked to make.
    pub fn sipfrag(&mut self, caller: &mut Caller, line: &str) {
        caller.cseq += 1;
        let state = if line.contains(" 100 ") { "active;expires=60" } else { "terminated;reason=noresource" };
        let extra = format!(
            "Event: refer\r\nSubscription-State: {state}\r\nContent-Type: message/sipfrag;version=2.0\r\n"
        );
        let text = self.request(caller, "NOTIFY", caller.cseq, &extra, None);
        let (head, _) = text.split_once("Content-Length").expect("a length");
        let text = format!("{head}Content-Length: {}\r\n\r\n{line}\r\n", line.len() + 2);
        self.send(caller.at, &text);
    }

    /// The caller changes its audio, or asks for our offer, and has not acknowledged yet.
    pub fn reinvite_only(&mut self, caller: &mut Caller, body: Option<&str>) {
        caller.cseq += 1;
        let text = self.request(caller, "INVITE", caller.cseq, "", body);
        self.send(caller.at, &text);
    }

    /// The caller changes its audio.
    pub fn reinvite(&mut self, caller: &mut Caller, body: Option<&str>) {
        self.reinvite_only(caller, body);
        let ack = self.request(caller, "ACK", caller.cseq, "", None);
        self.send(caller.at, &ack);
    }

    // Phones.

    /// The INVITE that rings at phone `index`, if one has come and is not over: no CANCEL, BYE or
    /// answer of ours since.
    pub fn ringing(&self, index: u32) -> Option<Sip> {
        self.rings_at(phone_at(index))
    }

    /// The INVITE that rings at an address, a trunk's for instance.
    pub fn rings_at(&self, at: SocketAddr) -> Option<Sip> {
        let invite = self.wire.iter().rev().find(|sent| {
            sent.to == at && sent.sip.method() == Some("INVITE") && !sent.sip.header("to").contains(";tag=")
        })?;
        let id = invite.sip.call_id();
        let over = |sip: &Sip| matches!(sip.method(), Some("CANCEL" | "BYE" | "ACK"));
        if self.last(&at, id, over).is_some() { None } else { Some(invite.sip.clone()) }
    }

    /// The step in which phone `index` got its last INVITE.
    pub fn rang_in(&self, index: u32) -> Option<u64> {
        let at = phone_at(index);
        let invites = self.wire.iter().rev().filter(|sent| sent.to == at);
        invites.map(|sent| (sent.step, &sent.sip)).find(|it| it.1.method() == Some("INVITE")).map(|it| it.0)
    }

    /// Whose number phone `index` shows.
    pub fn shows(&self, index: u32) -> Option<String> {
        let from = self.ringing(index)?.header("from").to_owned();
        let number = from.split_once("<sip:")?.1.split('@').next()?.to_owned();
        Some(number)
    }

    pub fn phone_says(&mut self, index: u32, status: &str) {
        let invite = self.ringing(index).unwrap_or_else(|| panic!("phone {index} does not ring"));
        let contact = format!("Contact: <sip:{index}@{}>\r\n", phone_at(index));
        let body = if status.starts_with('2') { sdp(40_000, "8", "sendrecv") } else { String::new() };
        let text = invite.response(status, &tag(&invite), &contact, &body);
        self.send(phone_at(index), &text);
    }

    /// Somebody outside, reached over trunk `index`, says so about the INVITE that rings there.
    pub fn outside_says(&mut self, index: u16, status: &str) -> Sip {
        let at = trunk_at(index);
        let invite = self.rings_at(at).unwrap_or_else(|| panic!("nothing rings over trunk {index}"));
        let contact = format!("Contact: <sip:outside@{at}>\r\n");
        let body = if status.starts_with('2') { sdp(41_000, "8", "sendrecv") } else { String::new() };
        let text = invite.response(status, &tag(&invite), &contact, &body);
        self.send(at, &text);
        invite
    }

    /// The carrier at trunk `index` sends the INVITE that rings there on to this address.
    pub fn outside_redirects(&mut self, index: u16, uri: &str) {
        let at = trunk_at(index);
        let invite = self.rings_at(at).unwrap_or_else(|| panic!("nothing rings over trunk {index}"));
        let contact = format!("Contact: <{uri}>\r\n");
        self.send(at, &invite.response("302 Moved Temporarily", &tag(&invite), &contact, ""));
    }

    /// Somebody outside hangs up.
    pub fn outside_bye(&mut self, index: u16, invite: &Sip) {
        let at = trunk_at(index);
        let (from, to, id) = (invite.header("to"), invite.header("from"), invite.call_id());
        let (uri, tag) = (invite.contact(), tag(invite));
        let text = format!(
            "BYE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-out-{tag}\r\nMax-Forwards: 70\r\n\
             From: {from};tag={tag}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 900 BYE\r\nContent-Length: 0\r\n\r\n"
        );
        self.send(at, &text);
    }

    /// Phone `index` answers; the INVITE it answered.
    pub fn answer(&mut self, index: u32) -> Sip {
        let invite = self.ringing(index).unwrap_or_else(|| panic!("phone {index} does not ring"));
        self.phone_says(index, "200 OK");
        invite
    }

    /// A request of phone `index` within the dialog of `invite`.
    pub fn phone_request(&mut self, index: u32, invite: &Sip, method: &str, cseq: u32, body: Option<&str>) {
        self.phone_request_with(index, invite, (method, cseq), "", body);
    }

    /// The same with further headers.
    pub fn phone_request_with(
        &mut self,
        index: u32,
        invite: &Sip,
        (method, cseq): (&str, u32),
        extra: &str,
        body: Option<&str>,
    ) {
        let at = phone_at(index);
        let (from, to, id) = (invite.header("to"), invite.header("from"), invite.call_id());
        let (uri, tag) = (invite.contact(), tag(invite));
        let kind = if body.is_some() { "Content-Type: application/sdp\r\n" } else { "" };
        let body = body.unwrap_or("");
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-p{index}-{method}-{cseq}-{tag}\r\n\
             Max-Forwards: 70\r\nFrom: {from};tag={tag}\r\nTo: {to}\r\nCall-ID: {id}\r\n\
             CSeq: {cseq} {method}\r\nContact: <sip:{index}@{at}>\r\n{extra}{kind}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.send(at, &text);
    }

    pub fn phone_bye(&mut self, index: u32, invite: &Sip) {
        self.phone_request(index, invite, "BYE", 900, None);
    }

    /// Phone `index` dials something itself, for instance a feature code; the Call-ID.
    pub fn phone_dials(&mut self, index: u32, called: &str) -> String {
        self.phone_dials_with(index, called, "")
    }

    /// The same with further headers.
    pub fn phone_dials_with(&mut self, index: u32, called: &str, extra: &str) -> String {
        self.count += 1;
        let at = phone_at(index);
        let id = format!("code-{}@{at}", self.count);
        let body = sdp(40_000, "8 0", "sendrecv");
        let text = format!(
            "INVITE sip:{called}@{ENGINE} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-code-{}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:{index}@{at}>;tag=p\r\nTo: <sip:{called}@{ENGINE}>\r\n\
             Call-ID: {id}\r\nCSeq: 1 INVITE\r\nContact: <sip:{index}@{at}>\r\n{extra}\
             Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
            self.count,
            body.len()
        );
        self.send(at, &text);
        id
    }

    /// What the engine has answered phone `index` to its own INVITE, retransmissions dropped.
    pub fn phone_codes(&self, index: u32, id: &str) -> Vec<u16> {
        let at = phone_at(index);
        let mine = self.wire.iter().filter(|sent| sent.to == at && sent.sip.call_id() == id);
        let mut codes: Vec<u16> =
            mine.filter(|sent| sent.sip.about() == "INVITE").filter_map(|sent| sent.sip.code()).collect();
        codes.dedup();
        codes
    }

    /// A request of phone `index` within the call it has made itself.
    pub fn dialled_request(&mut self, index: u32, id: &str, (method, cseq): (&str, u32), extra: &str) {
        let at = phone_at(index);
        let said = self.last(&at, id, |sip| sip.about() == "INVITE" && sip.code() > Some(100));
        let said = said.expect("the call was answered, or rings");
        let (to, from, uri) = (said.header("to"), said.header("from"), said.contact());
        let text = format!(
            "{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-d-{method}-{cseq}-{id}\r\n\
             Max-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: {cseq} {method}\r\n\
             Contact: <sip:{index}@{at}>\r\n{extra}Content-Length: 0\r\n\r\n"
        );
        self.send(at, &text);
    }

    /// The CANCEL of a call that phone `index` has made itself and that rings.
    pub fn phone_cancel(&self, index: u32, id: &str) -> String {
        let said = self.last(&phone_at(index), id, |sip| sip.about() == "INVITE" && sip.code() > Some(100));
        let said = said.expect("the call rings");
        let (via, from) = (said.header("via"), said.header("from"));
        let to = said.header("to").split(";tag=").next().unwrap_or_default();
        let uri = to.trim_matches(['<', '>']);
        format!(
            "CANCEL {uri} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {from}\r\nTo: {to}\r\n\
             Call-ID: {id}\r\nCSeq: 1 CANCEL\r\nContent-Length: 0\r\n\r\n"
        )
    }

    /// A call that phone `index` has made itself, as it stands in a Replaces or, escaped, in a Refer-To:
    /// our tag is the To tag.
    pub fn dialled_as_replaces(&self, index: u32, id: &str) -> String {
        let said = self.last(&phone_at(index), id, |sip| sip.about() == "INVITE" && sip.code() > Some(100));
        let to = said.expect("the call was answered, or rings").header("to").to_owned();
        let ours = to.split_once(";tag=").expect("our tag").1.to_owned();
        format!("{id};to-tag={ours};from-tag=p")
    }

    /// A call that rings or stands at phone `index`, in the same way.
    pub fn taken_as_replaces(&self, invite: &Sip) -> String {
        let ours = invite.header("from").split_once(";tag=").expect("our tag").1;
        format!("{};to-tag={ours};from-tag={}", invite.call_id(), tag(invite))
    }

    /// True when the engine has hung up on phone `index` in the call with this Call-ID.
    pub fn phone_is_free(&self, index: u32, id: &str) -> bool {
        self.last(&phone_at(index), id, |sip| sip.method() == Some("BYE")).is_some()
    }

    /// What live peers do by themselves.
    pub(crate) fn react(&mut self, at: SocketAddr, sip: &Sip) {
        if self.dead.contains(&at) {
            return;
        }
        match (sip.method(), sip.code()) {
            (Some("BYE" | "OPTIONS"), _) => {
                let ok = sip.response("200 OK", &tag(sip), "", "");
                self.reply(at, ok);
            }
            // Asked within a call where its audio is, whoever it is has moved.
            (Some("INVITE"), _) if sip.header("to").contains(";tag=") => {
                let contact = format!("Contact: <sip:moved@{at}>\r\n");
                let ok = sip.response("200 OK", &tag(sip), &contact, &sdp(42_000, "8", "sendrecv"));
                self.reply(at, ok);
            }
            (Some("CANCEL"), _) => {
                let ok = sip.response("200 OK", &tag(sip), "", "");
                self.reply(at, ok);
                let rung = self.last(&at, sip.call_id(), |it| it.method() == Some("INVITE")).cloned();
                if let Some(invite) = rung {
                    let ended = invite.response("487 Request Terminated", &tag(&invite), "", "");
                    self.reply(at, ended);
                }
            }
            (_, Some(300..700)) if sip.about() == "INVITE" => {
                let via = sip.header("via");
                let (from, to, id) = (sip.header("from"), sip.header("to"), sip.call_id());
                let number = sip.header("cseq").split(' ').next().unwrap_or("1");
                let ack = format!(
                    "ACK sip:x@{ENGINE} SIP/2.0\r\nVia: {via}\r\nMax-Forwards: 70\r\nFrom: {from}\r\n\
                     To: {to}\r\nCall-ID: {id}\r\nCSeq: {number} ACK\r\nContent-Length: 0\r\n\r\n"
                );
                self.reply(at, ack);
            }
            // A feature code's answer.
            (_, Some(200)) if sip.about() == "INVITE" && sip.call_id().starts_with("code-") => {
                let (from, to, id) = (sip.header("from"), sip.header("to"), sip.call_id());
                let uri = sip.contact();
                let ack = format!(
                    "ACK {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-ack-{id}\r\nMax-Forwards: 70\r\n\
                     From: {from}\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n"
                );
                self.reply(at, ack);
            }
            _ => {}
        }
    }
}

/// The tag a phone answers with.
pub fn tag(sip: &Sip) -> String {
    let id: String = sip.call_id().chars().filter(char::is_ascii_alphanumeric).take(12).collect();
    format!("p{id}")
}
