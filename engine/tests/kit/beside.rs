//! What is beside talking: numbers rung outside, callbacks, and the words of the log about them.

use super::sip::{Sip, sdp};
use super::{Room, agent, trunk_at};
use engine::call::event::{Actor, Beside, Event};
use engine::id::{CallId, QueueId};
use engine::io::{Outcome, Verb};
use std::net::SocketAddr;

/// The trunk that rings outside for us.
const OUT: u16 = 1;

impl Room {
    /// The INVITE that rings outside, if one has come and is not over.
    pub fn rings_outside(&self) -> Option<Sip> {
        self.rings_out_at(trunk_at(OUT))
    }

    /// The same, at one address of a carrier.
    pub fn rings_out_at(&self, at: SocketAddr) -> Option<Sip> {
        let invite = self.wire.iter().rev().find(|sent| {
            sent.to == at && sent.sip.method() == Some("INVITE") && !sent.sip.header("to").contains(";tag=")
        })?;
        let id = invite.sip.call_id();
        let over = |sip: &Sip| matches!(sip.method(), Some("CANCEL" | "BYE" | "ACK"));
        if self.last(&at, id, over).is_some() { None } else { Some(invite.sip.clone()) }
    }

    /// Whoever rings outside answers, or does not; the INVITE it is about.
    pub fn out_says(&mut self, status: &str) -> Sip {
        self.out_says_at(trunk_at(OUT), status)
    }

    /// The same, at one address of a carrier.
    pub fn out_says_at(&mut self, at: SocketAddr, status: &str) -> Sip {
        let invite = self.rings_out_at(at).expect("somebody rings outside");
        let contact = format!("Contact: <sip:out@{at}>\r\n");
        let body = if status.starts_with('2') { sdp(50_000, "8", "sendrecv") } else { String::new() };
        let text = invite.response(status, "out", &contact, &body);
        self.send(at, &text);
        invite
    }

    /// Whoever was rung outside hangs up.
    pub fn out_bye(&mut self, invite: &Sip) {
        let at = trunk_at(OUT);
        let (from, to, id) = (invite.header("to"), invite.header("from"), invite.call_id());
        let text = format!(
            "BYE {} SIP/2.0\r\nVia: SIP/2.0/UDP {at};branch=z9hG4bK-out-{}\r\nMax-Forwards: 70\r\n\
             From: {from};tag=out\r\nTo: {to}\r\nCall-ID: {id}\r\nCSeq: 900 BYE\r\nContent-Length: 0\r\n\r\n",
            invite.contact(),
            self.count
        );
        self.send(at, &text);
    }

    /// True when the engine has hung up on whoever was rung outside.
    pub fn out_hung_up(&self, invite: &Sip) -> bool {
        self.last(&trunk_at(OUT), invite.call_id(), |sip| sip.method() == Some("BYE")).is_some()
    }

    /// What the log says beside talking, in order.
    pub fn beside(&self) -> Vec<&Beside> {
        let all = self.log.iter().filter_map(|(_, entry)| match &entry.event {
            Event::Beside(beside) => Some(beside),
            _ => None,
        });
        all.collect()
    }

    /// The callbacks that began, in order.
    pub fn callbacks(&self) -> Vec<CallId> {
        let all = self.beside().into_iter().filter_map(|beside| match beside {
            Beside::CallbackOpened { call, .. } => Some(*call),
            _ => None,
        });
        all.collect()
    }

    /// The class a call has by the latest word of the log.
    pub fn class_of(&self, call: CallId) -> String {
        let mut all = self.log.iter().rev();
        all.find_map(|(_, entry)| match &entry.event {
            Event::Queued { call: of, class, .. } | Event::Qualified { call: of, class, .. }
                if *of == call =>
            {
                Some(class.clone())
            }
            _ => None,
        })
        .expect("it has a class")
    }

    /// The queue of that name in the plan of the first centre.
    pub fn queue(&self, name: &str) -> QueueId {
        let centre = agent(0).centre;
        let plan = &self.engine.site().centre(centre).expect("a centre").plan;
        QueueId { centre, index: plan.queue_named(name).expect("a queue of the plan") }
    }

    /// The call an agent has in the ear.
    pub fn ear(&self, index: u32) -> CallId {
        self.connected(index).last().expect("connected").0
    }

    /// A supervisor commands.
    pub fn chief(&mut self, verb: Verb) -> Outcome {
        self.command(Actor::User("chief".to_owned()), verb)
    }

    /// Work without a caller is ended by a person's word.
    pub(crate) fn dismiss_callbacks(&mut self) {
        let over: Vec<CallId> = self.records.iter().map(|record| record.call).collect();
        for call in self.callbacks().into_iter().filter(|call| !over.contains(call)) {
            self.chief(Verb::DismissCallback { call, reason: "the test is over".to_owned() });
        }
    }
}
