//! A user agent that is none of ours. It says what our endpoint never says of its own accord (an INVITE
//! without an offer, offers in PRACK and UPDATE, the CANCEL of a re-INVITE, a BYE before the answer, two
//! forks that speak reliably, a 200 that describes nothing), keeps RFC 3261, 3262, 3264 and 3311 to the
//! letter, and notes the first rule that is broken towards it.

use super::Wish;
use crate::wire::{A, OFFER, short, tag, value};
use sip::time::Instant;
use std::collections::VecDeque;
use std::time::Duration;

const T1: Duration = Duration::from_millis(500);
const T2: Duration = Duration::from_secs(4);
const PATIENCE: Duration = Duration::from_secs(32);

/// How it goes about the call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manner {
    /// Its INVITE brings no offer: ours comes in the 183 or the 200.
    pub offerless: bool,
    /// Its first PRACK brings another offer.
    pub prack_offers: bool,
    /// Its 200 describes nothing when a reliable 183 has; otherwise it repeats what that said.
    pub bare: bool,
    /// It answers a re-INVITE when it is told to.
    pub slow: bool,
}

/// Where a dialog stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Early,
    Standing,
    Over,
}

#[derive(Clone)]
struct Fork {
    ours: String,
    theirs: String,
    phase: Phase,
    /// CSeq of our last request, and of theirs.
    said: u32,
    heard: u32,
    /// Of the last reliable response heard.
    rseq: u32,
    /// An offer of ours that waits for its answer, behind the key of what brings it.
    offer: Option<(String, String)>,
    /// What our first answer was, and that its PRACK has come.
    first: Option<String>,
    is_acknowledged: bool,
    /// Our description in force.
    force: Option<String>,
}

/// What is said again until it is answered.
#[derive(Clone)]
struct Repeated {
    /// What answers it.
    key: String,
    text: String,
    /// `None`: a provisional response has come.
    next: Option<Instant>,
    pause: Duration,
    until: Instant,
}

#[derive(Clone)]
pub struct Foreign {
    side: usize,
    manner: Manner,
    at: Instant,
    /// Branches and descriptions made.
    made: u32,
    /// The INVITE of the call, ours or theirs, and its own offer.
    invite: String,
    offer: Option<String>,
    /// It has its final response.
    is_settled: bool,
    forks: Vec<Fork>,
    repeated: Vec<Repeated>,
    /// What is said again to a copy: the last answer by request, the ACK by INVITE and tag.
    answered: Vec<(String, String)>,
    /// A re-INVITE that is thought about.
    pondered: Option<String>,
    out: VecDeque<String>,
    broken: Option<String>,
}

impl Foreign {
    pub fn new(side: usize, manner: Manner, at: Instant) -> Foreign {
        Foreign {
            side,
            manner,
            at,
            made: 0,
            invite: String::new(),
            offer: None,
            is_settled: false,
            forks: Vec::new(),
            repeated: Vec::new(),
            answered: Vec::new(),
            pondered: None,
            out: VecDeque::new(),
            broken: None,
        }
    }

    pub fn invite(&mut self) {
        self.offer = (!self.manner.offerless).then(|| self.description());
        let body = self.offer.clone().unwrap_or_default();
        let branch = self.branch();
        self.invite = self.request("INVITE", 1, &branch, ("caller", ""), "Supported: 100rel\r\n", &body);
        self.ask(self.invite.clone());
    }

    pub fn poll_transmit(&mut self) -> Option<String> {
        self.out.pop_front()
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.repeated.iter().filter_map(|it| it.next).min()
    }

    /// The first rule broken towards it.
    pub fn broken(&mut self) -> Option<String> {
        self.broken.take()
    }

    /// Calls that stand in its view.
    pub fn standing(&self) -> usize {
        self.forks.iter().filter(|fork| fork.phase == Phase::Standing).count()
    }

    /// What it has described last, in the call that stands.
    pub fn force(&self) -> Option<&str> {
        self.forks.iter().find(|fork| fork.phase == Phase::Standing)?.force.as_deref()
    }

    pub fn is_idle(&self) -> bool {
        self.repeated.is_empty() && self.standing() == 0
    }

    pub fn handle_due(&mut self, at: Instant) {
        self.at = at;
        for place in 0..self.repeated.len() {
            let repeated = &mut self.repeated[place];
            let Some(next) = repeated.next.filter(|next| *next <= at) else { continue };
            if at >= repeated.until {
                let rule = format!("nobody answers {}", short(&repeated.text));
                return self.breaks(rule);
            }
            repeated.pause = (repeated.pause * 2).min(T2);
            repeated.next = Some(next + repeated.pause);
            self.out.push_back(repeated.text.clone());
        }
    }

    /// Whether it is in a place to do that.
    pub fn may(&self, wish: Wish) -> bool {
        match wish {
            Wish::Second(wish) => self.may_by(1, *wish),
            wish => self.may_by(0, wish),
        }
    }

    pub fn wish(&mut self, at: Instant, wish: Wish) {
        self.at = at;
        match wish {
            Wish::Second(wish) => self.wish_by(1, *wish),
            wish => self.wish_by(0, wish),
        }
    }

    fn may_by(&self, nth: usize, wish: Wish) -> bool {
        let fork = self.forks.iter().position(|fork| fork.ours == self.name(nth));
        let phase = fork.map(|fork| self.forks[fork].phase);
        let is_free = fork.is_some_and(|fork| self.forks[fork].offer.is_none());
        let rings = !self.invite.is_empty() && !self.is_settled;
        // RFC 3262 §3: what describes waits for its PRACK.
        let acknowledged =
            fork.is_none_or(|fork| self.forks[fork].first.is_none() || self.forks[fork].is_acknowledged);
        match wish {
            Wish::EarlyMedia => rings && phase.is_none() && self.standing() == 0,
            // One fork's answer keeps no other from answering.
            Wish::Answer => {
                (rings || self.standing() > 0)
                    && phase.is_none_or(|phase| phase == Phase::Early)
                    && acknowledged
            }
            // RFC 3311 §5.1.
            Wish::Update => is_free && self.is_agreed(nth) && acknowledged && !self.is_changing(),
            Wish::Reoffer => is_free && phase == Some(Phase::Standing) && !self.is_changing(),
            Wish::CancelOffer => self.reinvite().is_some_and(|it| it.next.is_none()),
            Wish::Accept => self.pondered.is_some(),
            // §15: the called side waits for the ACK; the caller may, before the answer, too.
            Wish::End if self.side == A => phase.is_some_and(|phase| phase != Phase::Over),
            Wish::End => phase == Some(Phase::Standing) && !self.waits(&format!("ack 1 {}", self.name(nth))),
            _ => false,
        }
    }

    fn wish_by(&mut self, nth: usize, wish: Wish) {
        let invite = self.invite.clone();
        let name = self.name(nth);
        match wish {
            Wish::EarlyMedia => {
                let answer = self.description();
                let fork = self.fork(&name, tag(&value(&invite, "From")));
                (fork.first, fork.force) = (Some(answer.clone()), Some(answer.clone()));
                let more = format!("Require: 100rel\r\nRSeq: 1\r\nContact: <sip:{name}@192.0.2.2>\r\n");
                let said = self.answer(&invite, "183 Session Progress", &name, &more, &answer);
                self.repeat(format!("prack {name}"), said);
            }
            Wish::Answer => self.answer_invite(&invite, &name),
            Wish::Update | Wish::Reoffer => {
                let (method, offer) =
                    (if wish == Wish::Update { "UPDATE" } else { "INVITE" }, self.description());
                let Some(at) = self.forks.iter().position(|fork| fork.ours == name) else { return };
                self.offer_within(at, method, "", offer);
            }
            Wish::CancelOffer => {
                let Some(text) = self.reinvite().map(|it| it.text.clone()) else { return };
                self.ask(derived(&text, "CANCEL"));
            }
            Wish::Accept => {
                if let Some(reinvite) = self.pondered.take() {
                    self.accept(&reinvite);
                }
            }
            Wish::End => {
                let Some(at) = self.forks.iter().position(|fork| fork.ours == name) else { return };
                self.forks[at].phase = Phase::Over;
                self.ask_within(at, "BYE", "", "");
            }
            _ => {}
        }
    }

    pub fn hear(&mut self, at: Instant, text: &str) {
        self.at = at;
        match text.strip_prefix("SIP/2.0 ").and_then(|rest| rest.get(..3)?.parse().ok()) {
            Some(code) => self.hear_response(code, text),
            None => self.hear_request(text),
        }
    }

    fn hear_request(&mut self, text: &str) {
        let (method, number, fork) = (short(text), number(text), tag(&value(text, "To")).to_owned());
        if method == "ACK" {
            return self.settle(&format!("ack {number} {fork}"));
        }
        if let Some((_, said)) = self.answered.iter().find(|(of, _)| *of == key(text)) {
            return self.out.push_back(said.clone());
        }
        if method == "CANCEL" {
            return self.cancelled(text);
        }
        let place = self.forks.iter().position(|it| it.ours == fork);
        match place {
            None if method == "INVITE" && fork.is_empty() => {
                (self.invite, self.offer) = (text.to_owned(), None);
                self.answer(text, "100 Trying", "", "", "");
                return;
            }
            None => return self.breaks(format!("{method} to a dialog nobody has made")),
            Some(place) => {
                let heard = &mut self.forks[place].heard;
                if number == *heard {
                    return self.breaks(format!("{method} under the number of another request"));
                }
                if number < *heard {
                    self.answer(text, "500 Overtaken", &fork, "", "");
                    return;
                }
                *heard = number;
                if !text.starts_with(&format!("{method} sip:{fork}@")) {
                    return self.breaks(format!("{method} to another fork's Contact"));
                }
            }
        }
        let is_over = place.is_some_and(|place| self.forks[place].phase == Phase::Over);
        match method.as_str() {
            "BYE" => {
                place.into_iter().for_each(|place| self.forks[place].phase = Phase::Over);
                self.answer(text, "200 OK", &fork, "", "");
            }
            _ if is_over => drop(self.answer(text, "481 Gone", &fork, "", "")),
            "PRACK" if value(text, "RAck") != "1 1 INVITE" => self.breaks("a PRACK of nothing".to_owned()),
            "PRACK" => {
                self.settle(&format!("prack {fork}"));
                place.into_iter().for_each(|place| self.forks[place].is_acknowledged = true);
                self.answer(text, "200 OK", &fork, "", "");
            }
            "INVITE" | "UPDATE" if !body(text).is_empty() => self.hear_offer(text, place.unwrap_or(0)),
            _ => drop(self.answer(text, "200 OK", &fork, "", "")),
        }
    }

    /// A re-INVITE or an UPDATE with an offer (RFC 3261 §14.2, RFC 3311 §5.2).
    fn hear_offer(&mut self, text: &str, place: usize) {
        let fork = self.forks[place].ours.clone();
        if self.forks[place].offer.is_some() || self.pondered.is_some() {
            self.answer(text, "491 Request Pending", &fork, "", "");
        } else if self.manner.slow {
            self.answer(text, "100 Trying", &fork, "", "");
            self.pondered = Some(text.to_owned());
        } else {
            self.accept(text);
        }
    }

    fn accept(&mut self, offer: &str) {
        let (name, answer) = (tag(&value(offer, "To")).to_owned(), self.description());
        let contact = format!("Contact: <sip:{name}@192.0.2.{}>\r\n", self.side + 1);
        if let Some(fork) = self.forks.iter_mut().find(|fork| fork.ours == name) {
            fork.force = Some(answer.clone());
        }
        let said = self.answer(offer, "200 OK", &name, &contact, &answer);
        if short(offer) == "INVITE" {
            self.repeat(format!("ack {} {name}", number(offer)), said);
        }
    }

    fn answer_invite(&mut self, invite: &str, name: &str) {
        let fresh = self.description();
        let bare = self.manner.bare;
        let fork = self.fork(name, tag(&value(invite, "From")));
        fork.phase = Phase::Standing;
        let answer = match &fork.first {
            Some(_) if bare => String::new(),
            Some(first) => first.clone(),
            None => {
                fork.force = Some(fresh.clone());
                fresh
            }
        };
        self.is_settled = true;
        self.repeated.retain(|it| !it.key.starts_with("prack "));
        let contact = format!("Contact: <sip:{name}@192.0.2.2>\r\n");
        let said = self.answer(invite, "200 OK", name, &contact, &answer);
        self.repeat(format!("ack 1 {name}"), said);
    }

    fn cancelled(&mut self, text: &str) {
        self.answer(text, "200 OK", "", "", "");
        let same = |invite: &String| branch_of(invite) == branch_of(text);
        let open = match self.pondered.take_if(|it| same(it)) {
            Some(reinvite) => reinvite,
            None if !self.is_settled && same(&self.invite) => {
                self.is_settled = true;
                self.forks.iter_mut().for_each(|fork| fork.phase = Phase::Over);
                self.repeated.retain(|it| !it.key.starts_with("prack "));
                self.invite.clone()
            }
            None => return,
        };
        let name = Some(tag(&value(&open, "To")).to_owned()).filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| self.name(0));
        let said = self.answer(&open, "487 Request Terminated", &name, "", "");
        self.repeat(format!("ack {} {name}", number(&open)), said);
    }

    fn hear_response(&mut self, code: u16, text: &str) {
        let (key, theirs) = (key(text), tag(&value(text, "To")).to_owned());
        let ack_key = format!("{key} {theirs}");
        if let Some((_, ack)) = self.answered.iter().find(|(of, _)| *of == ack_key && code >= 200) {
            return self.out.push_back(ack.clone());
        }
        let Some(asked) = self.repeated.iter_mut().find(|it| it.key == key) else { return };
        let said = asked.text.clone();
        if code < 200 {
            asked.next = None;
        } else {
            self.settle(&key);
        }
        let is_first = number(text) == 1 && self.side == A;
        match (short(&said).as_str(), code) {
            ("INVITE", 101..=199) if is_first => self.hear_progress(&theirs, text),
            ("INVITE", 200..=299) if is_first => self.hear_answer(&theirs, text, ack_key),
            ("INVITE", 200..) => {
                if is_first {
                    self.is_settled = true;
                    self.forks.iter_mut().for_each(|fork| fork.phase = Phase::Over);
                }
                self.hear_decision(code, text);
                let ack = match code {
                    200..=299 => self.ack(tag(&value(text, "From")), &theirs, number(text), ""),
                    // §17.1.1.3: the To of the refusal.
                    _ => derived(&said, "ACK").replace(&value(&said, "To"), &value(text, "To")),
                };
                self.answered.push((ack_key, ack.clone()));
                self.out.push_back(ack);
            }
            (_, 200..) => self.hear_decision(code, text),
            (_, _) => {}
        }
    }

    /// A reliable response of theirs: its PRACK brings the answer, or another offer.
    fn hear_progress(&mut self, theirs: &str, text: &str) {
        let (ours, rseq) = (self.name(0), value(text, "RSeq"));
        let fresh = self.description();
        let (offer, offers) = (self.offer.clone(), self.manner.prack_offers);
        let describes = !body(text).is_empty();
        let fork = self.fork(&ours, theirs);
        let Ok(rseq) = rseq.parse::<u32>() else { return };
        if fork.phase != Phase::Early || (fork.rseq != 0 && rseq != fork.rseq + 1) {
            return;
        }
        fork.rseq = rseq;
        let rack = format!("RAck: {rseq} 1 INVITE\r\n");
        if !describes || fork.force.is_some() {
            return self.ask_within(0, "PRACK", &rack, "");
        }
        match offer {
            None => {
                fork.force = Some(fresh.clone());
                self.ask_within(0, "PRACK", &rack, &fresh);
            }
            Some(offer) => {
                fork.force = Some(offer);
                if offers {
                    self.offer_within(0, "PRACK", &rack, fresh);
                } else {
                    self.ask_within(0, "PRACK", &rack, "");
                }
            }
        }
    }

    fn hear_answer(&mut self, theirs: &str, text: &str, ack_key: String) {
        let (ours, fresh, offer) = (self.name(0), self.description(), self.offer.clone());
        self.is_settled = true;
        let describes = !body(text).is_empty();
        let fork = self.fork(&ours, theirs);
        let mut brought = String::new();
        let mut undescribed = false;
        match (&fork.force, offer) {
            (Some(_), _) => {}
            (None, _) if !describes => undescribed = true,
            (None, Some(offer)) => fork.force = Some(offer),
            (None, None) => (fork.force, brought) = (Some(fresh.clone()), fresh),
        }
        if fork.phase == Phase::Early {
            fork.phase = Phase::Standing;
        }
        if undescribed {
            self.breaks("I3: an answer that describes nothing".to_owned());
        }
        let ack = self.ack(&ours, theirs, 1, &brought);
        self.answered.push((ack_key, ack.clone()));
        self.out.push_back(ack);
    }

    /// An offer of ours is decided.
    fn hear_decision(&mut self, code: u16, text: &str) {
        let (ours, describes) = (tag(&value(text, "From")).to_owned(), !body(text).is_empty());
        let Some(fork) = self.forks.iter_mut().find(|fork| fork.ours == ours) else { return };
        let offer = fork.offer.take_if(|(of, _)| *of == key(text));
        let Some((_, offer)) = offer.filter(|_| code < 300) else { return };
        fork.force = Some(offer);
        if !describes {
            self.breaks(format!("an offer without an answer: {}", short(text)));
        }
    }
}

/// Its words.
impl Foreign {
    fn breaks(&mut self, rule: String) {
        self.broken.get_or_insert(rule);
    }

    /// The tag of its nth fork: the caller has one.
    fn name(&self, nth: usize) -> String {
        if self.side == A { "caller".to_owned() } else { format!("fork{nth}") }
    }

    fn fork(&mut self, ours: &str, theirs: &str) -> &mut Fork {
        let place = self.forks.iter().position(|fork| fork.ours == ours).unwrap_or_else(|| {
            // The INVITE has used the first number of its side.
            let (said, heard) = if self.side == A { (1, 0) } else { (0, 1) };
            let (ours, theirs) = (ours.to_owned(), theirs.to_owned());
            let (phase, rseq) = (Phase::Early, 0);
            self.forks.push(Fork {
                ours,
                theirs,
                phase,
                said,
                heard,
                rseq,
                offer: None,
                first: None,
                is_acknowledged: false,
                force: None,
            });
            self.forks.len() - 1
        });
        &mut self.forks[place]
    }

    /// Descriptions have been exchanged with this fork.
    fn is_agreed(&self, nth: usize) -> bool {
        let fork = self.forks.iter().find(|fork| fork.ours == self.name(nth));
        fork.is_some_and(|fork| fork.phase != Phase::Over && fork.force.is_some())
    }

    fn waits(&self, key: &str) -> bool {
        self.repeated.iter().any(|it| it.key == key)
    }

    fn reinvite(&self) -> Option<&Repeated> {
        self.repeated.iter().find(|it| short(&it.text) == "INVITE" && it.text != self.invite)
    }

    /// Something is under way that describes, or may.
    fn is_changing(&self) -> bool {
        let describes = |it: &Repeated| it.text != self.invite && !body(&it.text).is_empty();
        self.repeated.iter().any(|it| it.key.starts_with("ack ") || describes(it))
    }

    fn description(&mut self) -> String {
        self.made += 1;
        String::from_utf8_lossy(OFFER).replace("4000", &(6000 + 2 * self.made).to_string())
    }

    fn branch(&mut self) -> String {
        self.made += 1;
        format!("z9hG4bKforeign{}", self.made)
    }

    fn request(
        &self,
        method: &str,
        number: u32,
        branch: &str,
        tags: (&str, &str),
        more: &str,
        body: &str,
    ) -> String {
        let (me, you) = (self.side + 1, 2 - self.side);
        let (ours, theirs) = tags;
        let to_tag = if theirs.is_empty() { String::new() } else { format!(";tag={theirs}") };
        let call_id = Some(value(&self.invite, "Call-ID")).filter(|id| !id.is_empty());
        let lines = format!(
            "Via: SIP/2.0/UDP 192.0.2.{me}:5060;branch={branch};rport\r\nMax-Forwards: 70\r\n\
             From: <sip:peer@192.0.2.{me}>;tag={ours}\r\nTo: <sip:15@192.0.2.{you}>{to_tag}\r\n\
             Call-ID: {}\r\nCSeq: {number} {method}\r\nContact: <sip:{ours}@192.0.2.{me}:5060>\r\n\
             Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, PRACK, UPDATE\r\n{more}",
            call_id.as_deref().unwrap_or("foreign")
        );
        whole(&format!("{method} sip:15@192.0.2.{you} SIP/2.0"), &lines, body)
    }

    /// Says a request, again and again until it is answered.
    fn ask(&mut self, text: String) {
        self.out.push_back(text.clone());
        self.repeat(key(&text), text);
    }

    fn ask_within(&mut self, place: usize, method: &str, more: &str, body: &str) {
        let branch = self.branch();
        let fork = &mut self.forks[place];
        fork.said += 1;
        let (number, ours, theirs) = (fork.said, fork.ours.clone(), fork.theirs.clone());
        self.ask(self.request(method, number, &branch, (&ours, &theirs), more, body));
    }

    fn offer_within(&mut self, place: usize, method: &str, more: &str, offer: String) {
        self.ask_within(place, method, more, &offer);
        let brings = self.repeated.last().map(|it| it.key.clone()).unwrap_or_default();
        self.forks[place].offer = Some((brings, offer));
    }

    fn ack(&mut self, ours: &str, theirs: &str, number: u32, body: &str) -> String {
        let branch = self.branch();
        self.request("ACK", number, &branch, (ours, theirs), "", body)
    }

    /// Answers a request; a copy of it is answered so, too.
    fn answer(&mut self, request: &str, status: &str, name: &str, more: &str, body: &str) -> String {
        let to = value(request, "To");
        let to_tag =
            if tag(&to).is_empty() && !name.is_empty() { format!(";tag={name}") } else { String::new() };
        let kept =
            ["Via", "From", "Call-ID", "CSeq"].map(|line| format!("{line}: {}\r\n", value(request, line)));
        let lines =
            format!("{}To: {to}{to_tag}\r\nAllow: INVITE, ACK, BYE, PRACK, UPDATE\r\n{more}", kept.concat());
        let text = whole(&format!("SIP/2.0 {status}"), &lines, body);
        self.answered.retain(|(of, _)| *of != key(request));
        self.answered.push((key(request), text.clone()));
        self.out.push_back(text.clone());
        text
    }

    fn repeat(&mut self, key: String, text: String) {
        let (next, until) = (Some(self.at + T1), self.at + PATIENCE);
        self.repeated.push(Repeated { key, text, next, pause: T1, until });
    }

    fn settle(&mut self, key: &str) {
        self.repeated.retain(|it| it.key != key);
    }
}

fn whole(first: &str, lines: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!("{first}\r\n{lines}{kind}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// The CANCEL of an INVITE, or the ACK of its refusal (§9.1, §17.1.1.3): the same branch and number.
fn derived(invite: &str, method: &str) -> String {
    let head = invite.split("\r\n\r\n").next().unwrap_or_default();
    let lines = head.split("\r\n").skip(1).filter(|line| !line.starts_with("Content-"));
    let lines: String = lines.map(|line| format!("{line}\r\n")).collect();
    let number = number(invite);
    let uri = invite.split(' ').nth(1).unwrap_or_default();
    let lines = lines.replace(&format!("{number} INVITE"), &format!("{number} {method}"));
    whole(&format!("{method} {uri} SIP/2.0"), &lines, "")
}

fn body(text: &str) -> &str {
    text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default()
}

fn number(text: &str) -> u32 {
    value(text, "CSeq").split(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn branch_of(text: &str) -> String {
    let via = value(text, "Via");
    let branch = via.split_once(";branch=").map(|(_, rest)| rest).unwrap_or_default();
    branch.split(';').next().unwrap_or_default().to_owned()
}

/// What a request and its responses share.
fn key(text: &str) -> String {
    format!("{} {}", branch_of(text), value(text, "CSeq"))
}
