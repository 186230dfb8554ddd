//! The engine: one owner of every centre's calls, queues and log. Inputs in, outputs out.
//!
//! It knows one endpoint (SIP), one floor per centre (who takes what), and the calls between them.
//! Two children never talk to each other: what one reports is read here and told to the other, until
//! nobody has anything left to say; then the step is over.

use crate::alarm::{Alarm, Alarms};
use crate::call::Call;
use crate::call::event::{Entry, Event};
use crate::call::leg::{Leg, LegState};
use crate::call::snapshot::CallSnapshot;
use crate::centre::Centre;
use crate::id::{AgentId, CallId, CentreId, LegId, MajorId};
use crate::io::{Counter, Input, Output};
use crate::media::MediaCommand;
use crate::page::Pages;
use crate::queue::{Fact, Step};
use crate::site::{Phone, Site, Strangers};
use crate::stock::Stock;
use crate::time::{Instant, Now};
use crate::trunks::Trunks;
use sip::endpoint::{self, Account, DialogId, Endpoint};
use sip::sdp::KeySource;
use sip::transport::{Flow, Peer};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::net::SocketAddr;

/// Everything one process serves. No lock, no clock, no socket: the driver hands it what happened
/// and carries out what it answers.
pub struct Engine {
    pub(crate) site: Site,
    pub(crate) now: Now,
    pub(crate) endpoint: Endpoint,
    pub(crate) centres: Vec<Centre>,
    pub(crate) calls: HashMap<CallId, Call>,
    /// What a dialog is to us.
    pub(crate) lines: HashMap<DialogId, Line>,
    /// Whose a leg of the media plane is.
    pub(crate) legs: HashMap<LegId, CallId>,
    /// Calls for our services from phones of our own, and which phone's.
    pub(crate) of_phones: BTreeMap<CallId, SocketAddr>,
    /// Phones hearing the tone that confirms a feature code.
    pub(crate) tones: HashMap<LegId, DialogId>,
    /// What agents speak with when it is a page.
    pub(crate) pages: Pages,
    pub(crate) stock: Stock,
    /// How the carriers stand.
    pub(crate) trunks: Trunks,
    /// Keys for audio that is enciphered.
    pub(crate) keys: KeySource,
    pub(crate) alarms: Alarms,
    /// Agents who were not rung because no media port was free.
    pub(crate) short: BTreeSet<AgentId>,
    outputs: VecDeque<Output>,
    changed: BTreeSet<CallId>,
    changed_majors: BTreeSet<MajorId>,
}

/// What a dialog is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A party's signalling.
    Party(CallId, LegId),
    /// A phone that dialled a feature code.
    Tone(LegId),
}

impl Engine {
    /// An engine at rest. `seed` feeds tags, branches and nonces; the driver takes it from the
    /// operating system, tests choose it.
    pub fn new(site: Site, seed: u64) -> Engine {
        let mut endpoint = Endpoint::new(signalling(&site), seed);
        for &(transport, sent_by) in &site.listeners {
            endpoint.listens(transport, sent_by);
        }
        let ids = (0u16..).map(CentreId);
        let centres = ids.zip(&site.centres).map(|(id, it)| Centre::new(id, site.epoch, it)).collect();
        Engine {
            endpoint,
            centres,
            now: Now { at: Instant::ZERO, utc: std::time::SystemTime::UNIX_EPOCH },
            calls: HashMap::new(),
            lines: HashMap::new(),
            legs: HashMap::new(),
            of_phones: BTreeMap::new(),
            tones: HashMap::new(),
            pages: Pages::default(),
            stock: Stock::default(),
            trunks: Trunks::new(&site),
            keys: KeySource::new([0; 32]),
            alarms: Alarms::default(),
            short: BTreeSet::new(),
            outputs: VecDeque::new(),
            changed: BTreeSet::new(),
            changed_majors: BTreeSet::new(),
            site,
        }
    }

    /// Audio is enciphered with keys made of this from here on: 32 bytes of chance in service.
    /// Without it, keys are those of every other replay.
    pub fn keyed(mut self, secret: [u8; 32]) -> Engine {
        self.keys = KeySource::new(secret);
        self
    }

    /// Takes one thing that happened. Cannot fail: what a peer gets wrong ends in an [`Output`].
    pub fn handle_input(&mut self, now: Now, input: Input<'_>) {
        self.now = now;
        match input {
            Input::Sip { flow, peer, bytes } => {
                // Its responses answer what we ask; what it asks shows that it is up by itself.
                if let Peer::Trunk(trunk) = peer
                    && !bytes.starts_with(b"SIP/")
                {
                    self.trunks.heard(now.at, trunk, flow.remote.ip());
                }
                self.endpoint.handle_message(now, flow, peer, bytes);
            }
            Input::Unframed { flow, peer, head, error } => {
                self.endpoint.handle_unframed(flow, peer, head, error);
            }
            Input::Resolved { trunk, targets } => self.trunks.resolved(&self.site, trunk, &targets),
            Input::FlowFailed(flow) => {
                self.trunks.broke(now.at, flow);
                self.endpoint.handle_flow_failed(now, flow);
            }
            Input::Media(event) => self.heard_from_media(event),
            Input::Command(command) => self.obey(command),
            Input::Page { agent, open } => self.page_open(agent, open),
            Input::PageOffer { agent, sdp } => self.page_offers(agent, sdp),
            Input::PagePresent { agent } => self.is_there(agent),
            Input::PageAudio { agent, fit, why: _ } => {
                self.tell_floor(agent.centre, Fact::PageFit { agent, fit });
            }
            Input::Plan(centre, plan) => self.change_plan(centre, plan),
            Input::LeftBehind(left) => self.go_on_with(*left),
            Input::Due => self.endpoint.handle_due(now),
        }
        // What has come is read before the clock: a phone answered at the last instant is answered.
        self.settle();
        self.ring_alarms();
        self.follow_trunks();
        self.settle();
        self.journal();
    }

    /// What to do next, in order, until `None`.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// When to come back with [`Input::Due`] if nothing else happens.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let floors = self.centres.iter().filter_map(|centre| centre.floor.poll_timeout());
        floors
            .chain(self.endpoint.poll_timeout())
            .chain(self.alarms.next())
            .chain(self.trunks.poll_timeout())
            .min()
    }

    /// True when nothing lives: no call, dialog, offer, tone or deadline of ours. Registrations of
    /// phones stay.
    pub fn is_idle(&self) -> bool {
        self.calls.is_empty()
            && self.lines.is_empty()
            && self.legs.is_empty()
            && self.of_phones.is_empty()
            && self.tones.is_empty()
            && self.alarms.is_empty()
            && self.centres.iter().all(|centre| {
                centre.floor.is_idle() && centre.works.is_empty() && centre.callbacks.is_at_rest()
            })
    }

    /// Whether anything here may hang on this connection.
    pub fn has_met(&self, flow: Flow) -> bool {
        self.endpoint.has_met(flow)
    }

    /// Whether this is the path of a registered phone.
    pub fn is_phone(&self, flow: Flow) -> bool {
        self.endpoint.registered_at(flow).is_some()
    }

    /// Calls that are not over, callbacks that have reached nobody left out.
    pub fn live_calls(&self) -> usize {
        self.calls.len().saturating_sub(self.resting())
    }

    /// True when no dialog is left in the endpoint, and nothing that names one.
    pub fn has_no_dialog(&self) -> bool {
        self.endpoint.has_no_dialog()
    }

    /// What it serves.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Carries every report to whom it concerns until nobody has one left.
    fn settle(&mut self) {
        loop {
            let mut quiet = true;
            while let Some(event) = self.endpoint.poll_event() {
                quiet = false;
                self.heard_from_endpoint(event);
            }
            for centre in 0..self.centres.len() {
                quiet &= !self.follow_floor(centre);
            }
            while let Some(transmit) = self.endpoint.poll_transmit() {
                self.outputs.push_back(Output::Transmit(transmit));
            }
            if quiet {
                return;
            }
        }
    }

    /// Does what a centre's floor has decided; true when it had decided anything.
    fn follow_floor(&mut self, centre: usize) -> bool {
        let mut any = false;
        while let Some(step) = self.centres.get_mut(centre).and_then(|it| it.floor.poll()) {
            any = true;
            match step {
                Step::Ring(decision) => self.ring(&decision),
                Step::Stop { offer, agent: _, work, end } => self.stop_ringing(offer, work, &end),
                Step::Take { offer } => self.take_on_page(offer),
                Step::Overflow(overflowing) => self.overflow(&overflowing),
                Step::Event(event) => self.log_at(centre, event),
            }
        }
        any
    }

    /// Tells a centre's floor a fact and does at once what follows from it.
    pub(crate) fn tell_floor(&mut self, centre: CentreId, fact: Fact) {
        let index = usize::from(centre.0);
        if let Some(centre) = self.centres.get_mut(index) {
            centre.floor.handle(self.now.at, fact);
            self.follow_floor(index);
        }
    }

    fn ring_alarms(&mut self) {
        let now = self.now.at;
        for centre in &mut self.centres {
            if centre.floor.poll_timeout().is_some_and(|due| due <= now) {
                centre.floor.handle(now, Fact::Due);
            }
        }
        while let Some(alarm) = self.alarms.pop_due(now) {
            match alarm {
                Alarm::AnswerBy(call) => self.answer_waiting(call),
                Alarm::TestOver(call) => self.end_test(call),
                Alarm::LossRings(call) => self.ring_elsewhere(call),
                Alarm::LossOpens(call) => self.offer_lost_to_all(call),
                Alarm::LossLeaves(leg) => self.lost_for_good(leg),
                Alarm::Recall(call) => self.recall(call),
                Alarm::ConsultBy(call) => self.consult_unanswered(call),
                Alarm::AskedUntil(work) => self.asked_long_enough(work),
                Alarm::RingsUntil(leg) => self.rang_long_enough(leg),
                Alarm::Probe(leg) => self.probe(leg),
                Alarm::Recontact(call) => self.recontact(call),
                Alarm::CallbackUnanswered(call) => self.callback_unanswered(call),
                Alarm::CallbackOver(call) => self.callback_over(call),
                Alarm::OutletUnanswered(leg) => self.outlet_unanswered(leg),
                Alarm::ToneOver(leg) => self.end_tone(leg),
            }
        }
    }

    fn heard_from_endpoint(&mut self, event: endpoint::Event) {
        use endpoint::Event as Told;
        match event {
            Told::Invited { dialog, invite } => self.invited(dialog, &invite),
            Told::Confirmed { dialog, sdp } => self.confirmed(dialog, sdp.as_deref()),
            Told::Progress { dialog, .. } => self.alerting(dialog),
            Told::Unheard { dialog } => self.unheard(dialog),
            Told::Answered { dialog, sdp } => self.agent_answered(dialog, sdp.as_deref()),
            Told::Reoffered { dialog, sdp } => self.reoffered(dialog, sdp.as_deref()),
            Told::ReofferDone { dialog, sdp } | Told::Acknowledged { dialog, sdp } => {
                self.renegotiated(dialog, sdp.as_deref());
            }
            Told::Cancelled { dialog, reason } | Told::Released { dialog, reason } => {
                self.reasoned(dialog, reason);
                self.hung_up(dialog);
            }
            Told::Unconfirmed { dialog } => self.unconfirmed(dialog),
            Told::Lost { dialog, code } => self.lost(dialog, code),
            Told::Failed { dialog, code, reason, moved } => {
                self.reasoned(dialog, reason);
                self.sent_elsewhere(dialog, moved);
                self.ringing_failed(dialog, code);
            }
            Told::Registered { user, reachable } => self.registered(&user, reachable),
            Told::Counted(counter) => self.count(counted(counter)),
            Told::ErrandDone { errand, end } => self.trunks.answered(self.now.at, errand, &end),
            Told::Alive { dialog } => self.alive(dialog),
            Told::Referred { dialog, refer } => self.referred(dialog, &refer),
            Told::Info { dialog, content_type, body } => self.key_told(dialog, &content_type, &body),
            Told::ReferProgress { dialog, code } => self.carrier_joins(dialog, code),
            // The session goes on as it was, and so do two whom a carrier does not want to join.
            Told::ReofferFailed { .. } | Told::ReferAnswered { .. } => {}
        }
    }

    /// Writes one line of a centre's log, and takes it into the record of the call it belongs to.
    pub(crate) fn log(&mut self, centre: CentreId, event: Event) {
        self.log_at(usize::from(centre.0), event);
    }

    /// Writes one line about a call where it is served: those who have it in the ear, or on their list,
    /// follow that log.
    pub(crate) fn log_call(&mut self, id: CallId, event: Event) {
        let centre = self.calls.get(&id).map_or(id.centre, Call::served_at);
        self.log(centre, event);
    }

    fn log_at(&mut self, centre: usize, event: Event) {
        let Some(centre) = self.centres.get_mut(centre) else { return };
        let of = centre.call_of(&event);
        let entry = centre.entry(self.now, event);
        if let Some(call) = of.and_then(|id| self.calls.get_mut(&id)) {
            call.record.apply(&entry);
            let id = call.id;
            self.changed.insert(id);
            self.count_for_major(id, &entry.event);
        }
        self.outputs.push_back(Output::Logged(entry));
    }

    /// Writes a line whose call is not one of ours yet, or no longer.
    pub(crate) fn log_apart(&mut self, centre: CentreId, event: Event) -> Option<Entry> {
        let entry = self.centres.get_mut(usize::from(centre.0))?.entry(self.now, event);
        self.outputs.push_back(Output::Logged(entry.clone()));
        Some(entry)
    }

    pub(crate) fn put(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub(crate) fn media(&mut self, command: MediaCommand) {
        self.outputs.push_back(Output::Media(command));
    }

    pub(crate) fn count(&mut self, counter: Counter) {
        self.outputs.push_back(Output::Counted(counter));
    }

    /// The journal needs this call's state of the end of this step.
    pub(crate) fn mark(&mut self, call: CallId) {
        self.changed.insert(call);
    }

    /// The same of a major event.
    pub(crate) fn mark_major(&mut self, event: MajorId) {
        self.changed_majors.insert(event);
    }

    fn journal(&mut self) {
        for event in std::mem::take(&mut self.changed_majors) {
            if let Some(snapshot) = self.major_snapshot(event) {
                self.outputs.push_back(Output::JournalMajor(Box::new(snapshot)));
            }
        }
        for id in std::mem::take(&mut self.changed) {
            if let Some(call) = self.calls.get(&id) {
                let name = |agent: AgentId| Some(self.centre(agent.centre)?.agent(agent)?.name.clone());
                let dialog = |dialog| self.endpoint.snapshot(dialog);
                let snapshot = CallSnapshot::of(call, self.now.at, dialog, name);
                self.outputs.push_back(Output::Journal(Box::new(snapshot)));
            }
        }
    }

    pub(crate) fn centre(&self, id: CentreId) -> Option<&Centre> {
        self.centres.get(usize::from(id.0))
    }

    pub(crate) fn centre_mut(&mut self, id: CentreId) -> Option<&mut Centre> {
        self.centres.get_mut(usize::from(id.0))
    }

    /// Ends a leg: its signalling by whatever fits (nothing, when the peer ended it), its audio, its
    /// deadlines. The party must be out of its call, or its call about to be.
    pub(crate) fn drop_leg(&mut self, leg: &Leg, reason: Option<&str>) {
        for dialog in &leg.dialogs {
            if self.lines.remove(dialog).is_some() {
                self.endpoint.end(self.now, *dialog, reason);
            }
        }
        self.legs.remove(&leg.id);
        self.alarms.clear(Alarm::Probe(leg.id));
        self.alarms.clear(Alarm::LossLeaves(leg.id));
        self.alarms.clear(Alarm::RingsUntil(leg.id));
        if leg.state != LegState::NotDialled {
            self.media(MediaCommand::Close { leg: leg.id });
        }
    }
}

/// What the endpoint is told about itself and who may register.
fn signalling(site: &Site) -> endpoint::Config {
    let roster = site.centres.iter().flat_map(|centre| &centre.agents);
    let phones = roster.flat_map(|agent| [Some(&agent.phone), agent.fallback.as_ref()]).flatten();
    let accounts = phones.filter_map(|phone| match phone {
        Phone::Registered { user, ha1_md5, ha1_sha256 } => {
            Some(Account { user: user.clone(), ha1_md5: ha1_md5.clone(), ha1_sha256: ha1_sha256.clone() })
        }
        Phone::Static { .. } | Phone::Page => None,
    });
    endpoint::Config {
        product: site.product.clone(),
        contact: site.contact,
        realm: site.realm.clone(),
        accounts: accounts.collect(),
        timers: sip::transaction::Timers::default(),
        strangers_forbid: site.strangers == Strangers::Forbid,
    }
}

fn counted(counter: endpoint::Counter) -> Counter {
    match counter {
        endpoint::Counter::ParseError(rule) => Counter::ParseError(rule),
        endpoint::Counter::Repaired(what) => Counter::Repaired(what),
        endpoint::Counter::TrunkRefused(code) => Counter::TrunkRefused(code),
        endpoint::Counter::StrangerRefused(code) => Counter::StrangerRefused(code),
        endpoint::Counter::UnknownHost(host) => Counter::UnknownHost(host),
        endpoint::Counter::Retransmission => Counter::Retransmission,
    }
}
