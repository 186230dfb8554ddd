//! A call comes in: which centre, which facts, which route; its caller is held, its work waits.
//!
//! The item is queued in the step of the INVITE. What the caller hears runs meanwhile, and a free
//! agent's phone gets its INVITE before the step ends.

use crate::alarm::Alarm;
use crate::call::event::{Actor, Cause, Event, Private};
use crate::call::leg::{Leg, LegState, LocalSdp};
use crate::call::record::Record;
use crate::call::{Call, Purpose};
use crate::caller::{Caller, called, is_test, service_urn};
use crate::dialplan::{ClassId, Dialplan, Facts, HoldMode, Room, State};
use crate::engine::{Engine, Line};
use crate::id::{CallId, CentreId, LegId, QueueId, WorkId};
use crate::io::{Counter, Output};
use crate::media::{Codec, MediaCommand, MediaPort, Program, Stream};
use crate::negotiate::{self, Offer};
use crate::queue::{Arrival, Fact, Others, Owner};
use crate::returning::Earlier;
use crate::site::Srtp;
use crate::time::Instant;
use sip::endpoint::{DialogId, Invite};
use sip::header::name_addr::NameAddr;
use sip::sdp::OurKeys;
use sip::transport::Peer;
use std::sync::Arc;
use std::time::Duration;

/// How long a test call hears itself at most. RFC 6881 asks for a few packets; longer lets a
/// technician listen, and costs a port.
const TEST_LASTS: Duration = Duration::from_secs(60);

/// What a carrier is told to wait when we are out of room, in seconds: long enough for calls to end,
/// short enough that it does not take us for dead.
const RETRY_AFTER: u32 = 5;

/// The part of `calls_max` that calls of our own phones may have, one in so many. People of ours who need
/// help ring now and then; more would let phones gone mad stand where callers should.
const PHONES_SHARE: usize = 8;

/// Calls of one phone for our services at once: as many as its lines, and some. More are a phone gone
/// mad, or somebody who forges its address: agents would answer nobody all night.
const LINES_MAX: usize = 8;

impl Engine {
    /// An INVITE opens a dialog: 100 is sent, nothing else decided.
    pub(crate) fn invited(&mut self, dialog: DialogId, invite: &Invite) {
        match invite.peer {
            Peer::Trunk(index) => {
                let trunk = self.site.trunks.get(usize::from(index));
                if let Some(account) = trunk.and_then(|trunk| trunk.reach.account.clone()) {
                    self.endpoint.prove_with(dialog, account);
                }
                self.arrive(dialog, invite, Some(index));
            }
            Peer::Phone => self.phone_dials(dialog, invite),
            Peer::Stranger => self.endpoint.refuse(self.now, dialog, 403, None),
        }
    }

    /// A call for a service, over a trunk or (`None`) from one of our own phones.
    pub(crate) fn arrive(&mut self, dialog: DialogId, invite: &Invite, trunk: Option<u16>) {
        let dialled = self.dialled_over(trunk, invite);
        let urn = service_urn(invite);
        let centre = self.centre_of(&dialled, urn.as_deref(), trunk);
        let caller = Caller::of(invite, self.identity_of(trunk));
        let test = urn.as_deref().is_some_and(is_test);
        let trunk_name = trunk.and_then(|index| self.site.trunks.get(usize::from(index)));
        let trunk_name = trunk_name.map_or_else(|| "internal".to_owned(), |trunk| trunk.name.clone());
        let Some(found) = self.centre_mut(centre) else {
            return self.endpoint.refuse(self.now, dialog, 503, Some(RETRY_AFTER));
        };
        let plan = Arc::clone(&found.plan);
        let (id, leg) = (found.call_id(), found.leg_id());
        let arrived = Event::Arrived {
            call: id,
            leg,
            trunk: trunk_name.clone(),
            called: dialled.clone(),
            service: service(&plan, &dialled, urn.as_deref(), test).to_owned(),
            caller: Private(caller.number.clone().unwrap_or_default()),
            caller_name: caller.name.clone().map(Private),
            withheld: caller.withheld,
            sip_call_id: Private(invite.call_id.clone()),
        };
        let Some(record) = self.log_apart(centre, arrived).as_ref().and_then(Record::open) else {
            return self.endpoint.refuse(self.now, dialog, 503, Some(RETRY_AFTER));
        };

        let offer = negotiate::read_offer(invite.sdp.as_deref());
        if matches!(offer, Offer::Unusable) {
            return self.turn_away(dialog, record, 488);
        }
        let Some(port) = self.room_for_a_call() else { return self.turn_away(dialog, record, 503) };
        let Some((local, stream)) =
            first_words(leg, port, (invite, &offer), (self.srtp_of(invite.peer), self.keys.draw()))
        else {
            self.stock.put([port]);
            return self.turn_away(dialog, record, 488);
        };
        self.lines.insert(dialog, Line::Party(id, leg));
        self.legs.insert(leg, id);
        self.media(MediaCommand::Open { leg, port, stream });
        let line = leg;
        let leg = Leg::ringing(leg, vec![dialog], port, stream, local);
        let purpose = if test { Purpose::Test } else { Purpose::Help };
        self.calls.insert(id, Call::new(record, leg, purpose));
        if trunk.is_none() {
            self.of_phones.insert(id, invite.flow.remote);
        }
        self.read_signs(id, invite, &dialled);
        self.tell_amiss(id, line);
        if test {
            return self.echo(id);
        }

        let earlier = self.earlier_call(centre, &caller);
        let repeat = earlier.as_ref().map(|earlier| earlier.for_plan(self.now.at));
        let queues = self.stand(centre, &plan);
        let crisis = self.centre(centre).is_some_and(|centre| centre.majors.is_any_open());
        let facts = Facts {
            called: &dialled,
            urn: urn.as_deref(),
            trunk: &trunk_name,
            caller: caller.number.as_deref(),
            withheld: caller.withheld,
            utc: self.now.utc,
            repeat,
            headers: &invite.headers,
            location: Facts::location_in(&invite.headers),
            room: Room { crisis, queues: &queues.0, whole: queues.1 },
        };
        self.place(id, &plan, &facts, earlier);
    }

    /// How the centre's queues stand, and all of them together. Counted for plans that ask, no other.
    fn stand(&self, centre: CentreId, plan: &Dialplan) -> (Vec<State>, Option<State>) {
        match self.centre(centre) {
            Some(centre) if plan.reads_room() => {
                let (queues, whole) = centre.floor.stand(self.now.at);
                (queues, Some(whole))
            }
            _ => (Vec::new(), None),
        }
    }

    /// The number chooses the centre, before its plan is asked: among those that take this trunk's
    /// calls, the one whose plan names the number, else the first.
    fn centre_of(&self, called: &str, urn: Option<&str>, trunk: Option<u16>) -> CentreId {
        let named = self.centres.iter().filter(|centre| centre.takes(trunk)).find(|centre| {
            let plan = &centre.plan;
            plan.service(called).is_some() || urn.is_some_and(|urn| plan.service(urn).is_some())
        });
        let first = || self.centres.iter().find(|centre| centre.takes(trunk));
        named.or_else(first).map_or(CentreId(0), |centre| centre.id)
    }

    /// What was dialled. A carrier we are registered at sends its calls to the Contact we gave, by our account's
    /// name; the number stands beside it, in P-Called-Party-ID (RFC 7315 §4.2) or in To. Which of them counts is
    /// for the plans to say: To is the caller's own word, or what was dialled before a diversion, and a site
    /// may list its account's number itself.
    fn dialled_over(&self, trunk: Option<u16>, invite: &Invite) -> String {
        let sent_to = called(invite);
        let reach =
            trunk.and_then(|index| self.site.trunks.get(usize::from(index))).map(|trunk| &trunk.reach);
        let reach = reach.filter(|reach| reach.registered.is_some());
        let account = reach.and_then(|reach| reach.account.as_ref()).map(|account| account.user.as_str());
        if account != Some(sent_to.as_str()) {
            return sent_to;
        }
        let told = invite.headers.iter().find(|(name, _)| name == "P-Called-Party-ID");
        let told = told.and_then(|(_, value)| NameAddr::read(value.as_bytes())?.uri.number());
        let (told, to) = (told.unwrap_or_default(), invite.to.number.clone().unwrap_or_default());
        let takers = || self.centres.iter().filter(|centre| centre.takes(trunk));
        let is_named = |number: &str| takers().any(|centre| centre.plan.service(number).is_some());
        let counts = [&told, &sent_to, &to].into_iter().find(|number| is_named(number));
        let beside = || [&told, &to].into_iter().find(|number| !number.is_empty());
        counts.or_else(beside).unwrap_or(&sent_to).clone()
    }

    /// True when one of our centres names what a phone of ours dialled.
    pub(crate) fn is_service(&self, called: &str) -> bool {
        self.centres.iter().any(|centre| centre.plan.service(called).is_some())
    }

    fn earlier_call(&self, centre: CentreId, caller: &Caller) -> Option<Earlier> {
        // A withheld number is not one person (`product.md`).
        let number = caller.number.as_deref().filter(|_| !caller.withheld)?;
        self.centre(centre)?.returning.of(self.now.at, number)
    }

    /// A port for one more call; `None` when the process is out of room.
    fn room_for_a_call(&mut self) -> Option<MediaPort> {
        if self.live_calls() >= self.site.calls_max {
            return None;
        }
        self.stock.take(None)
    }

    /// Whether phones of ours may have one place more: they never take the last ones, which are the
    /// trunks', nor more than their share of all.
    fn has_room_for_phones(&self) -> bool {
        let share = self.phones_share();
        let theirs = self.of_phones.len() + self.tones.len();
        theirs < share && self.live_calls() + share < self.site.calls_max
    }

    /// A port for the tone of a feature code, which lasts a second and a half. Where phones have no place left it
    /// still has one that no call can need: a hand that signs in on a busy night is told that it has worked.
    pub(crate) fn room_for_a_tone(&mut self) -> Option<MediaPort> {
        let is_few = self.tones.len() < self.phones_share();
        let is_spare = self.stock.len() > self.site.calls_max.saturating_sub(self.live_calls());
        let has_room = self.has_room_for_phones() || (is_few && is_spare);
        has_room.then(|| self.stock.take(None)).flatten()
    }

    /// Places calls of our own phones may have.
    fn phones_share(&self) -> usize {
        (self.site.calls_max / PHONES_SHARE).max(1)
    }

    /// Whether this phone may call one of our services.
    ///
    /// # Errors
    /// What it is told instead.
    pub(crate) fn room_for_a_phone(&self, invite: &Invite) -> Result<(), u16> {
        let of_it = self.of_phones.values().filter(|phone| **phone == invite.flow.remote);
        match self.has_room_for_phones() {
            _ if of_it.count() >= LINES_MAX => Err(486),
            false => Err(503),
            true => Ok(()),
        }
    }

    /// Answers a phone's call that has no place. It is counted, and writes no record: one gone mad would fill
    /// the disk with them.
    pub(crate) fn out_of_room(&mut self, dialog: DialogId, code: u16) {
        self.count(Counter::PhoneRefused(code));
        self.endpoint.refuse(self.now, dialog, code, (code == 503).then_some(RETRY_AFTER));
    }

    /// Answers what cannot be served at all (`edges.md`), with its record all the same.
    fn turn_away(&mut self, dialog: DialogId, mut record: Record, code: u16) {
        self.endpoint.refuse(self.now, dialog, code, (code == 503).then_some(RETRY_AFTER));
        let ended = Event::Ended { call: record.call, by: Actor::System, cause: Cause::Refused };
        if let Some(entry) = self.log_apart(record.call.centre, ended) {
            record.apply(&entry);
        }
        self.put(Output::Record(Box::new(record)));
    }

    /// The plan decides; the caller hears something and the item waits.
    fn place(&mut self, id: CallId, plan: &Dialplan, facts: &Facts<'_>, earlier: Option<Earlier>) {
        let routed = plan.route(facts);
        self.log(
            id.centre,
            Event::Routed {
                call: id,
                route: routed.route.to_owned(),
                modifiers: routed.modifiers.iter().map(|&name| name.to_owned()).collect(),
                queue: plan.queue_name(routed.queue).to_owned(),
                class: plan.class(routed.class).map(|class| class.name.clone()).unwrap_or_default(),
                plan: plan.version.clone(),
            },
        );
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let Some(class) = plan.class(routed.class) {
            call.class.clone_from(&class.name);
            call.fenced = class.fence;
        }
        call.hold_sound = routed.hold_sound.to_owned();
        call.credit = routed.credit;
        call.hold = routed.hold;
        let leg = call.caller().id;
        match routed.hold {
            // A key can only be pressed on a line that has been answered.
            _ if routed.menu.is_some() => self.answer_caller(id),
            HoldMode::Answered => self.answer_caller(id),
            HoldMode::Early { answer_within } => self.give_early_media(id, answer_within),
        }
        let program =
            Program::Hold { announce: routed.announce.to_vec(), hold: routed.hold_sound.to_owned() };
        self.media(MediaCommand::Play { leg, program });
        let queue = self.begin_course(id, plan, &routed, facts, earlier.as_ref());
        let Some(centre) = self.centres.get_mut(usize::from(id.centre.0)) else { return };
        let work = centre.work_id();
        centre.works.insert(work, id);
        let name = usize::try_from(queue.index).ok().and_then(|place| centre.plan.queues.get(place));
        let name = name.map(|queue| queue.name.clone()).unwrap_or_default();
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.queue = name;
        call.work = Some(work);
        let class = centre.plan.class_named(&call.class).unwrap_or(routed.class);
        let arrival = Arrival {
            owner: call.course.owner.map(|agent| Owner { agent, alone: routed.alone }),
            ..call.arrival(work, queue, class, call.came())
        };
        self.tell_floor(id.centre, Fact::Enter(Box::new(arrival)));
    }

    /// 200 to the caller, unless it has been sent.
    pub(crate) fn answer_caller(&mut self, id: CallId) {
        self.alarms.clear(Alarm::AnswerBy(id));
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.answer_by = None;
        let leg = call.caller_mut();
        if leg.is_anchored() {
            return;
        }
        leg.state = LegState::Answered;
        if let Some(dialog) = leg.dialog() {
            self.endpoint.answer(self.now, dialog, &leg.local.body);
        }
        self.log(id.centre, Event::Anchored { call: id, answered: true });
    }

    fn give_early_media(&mut self, id: CallId, answer_within: Duration) {
        let by = self.now.at + answer_within.min(HoldMode::EARLY_MAX);
        self.alarms.set(Alarm::AnswerBy(id), by);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.answer_by = Some(by);
        let leg = call.caller_mut();
        leg.state = LegState::Early;
        if let Some(dialog) = leg.dialog() {
            self.endpoint.ring(self.now, dialog, 183, Some(&leg.local.body));
        }
        self.log(id.centre, Event::Anchored { call: id, answered: false });
    }

    /// Early media has lasted long enough: networks give up a call that is never answered.
    pub(crate) fn answer_waiting(&mut self, id: CallId) {
        self.answer_caller(id);
    }

    /// A test call hears itself; no queue is touched (RFC 6881, testing).
    fn echo(&mut self, id: CallId) {
        self.answer_caller(id);
        self.alarms.set(Alarm::TestOver(id), self.now.at + TEST_LASTS);
        if let Some(leg) = self.calls.get(&id).map(|call| call.caller().id) {
            self.media(MediaCommand::Play { leg, program: Program::Echo });
        }
    }

    /// The caller's ACK has come, with its answer when our 2xx made the offer.
    pub(crate) fn caller_confirmed(&mut self, id: CallId, sdp: Option<&[u8]>) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let leg = call.caller_mut();
        if leg.state != LegState::Answered {
            return;
        }
        leg.state = LegState::Up;
        let leg = leg.id;
        self.mark(id);
        self.take_answer(id, leg, sdp);
        self.watch(leg);
        self.connect(id);
    }
}

impl Call {
    /// Its item, as it comes to wait: with what its route says of who is asked, the first time and
    /// whenever it comes back.
    pub(crate) fn arrival(&self, work: WorkId, queue: QueueId, class: ClassId, arrived: Instant) -> Arrival {
        let course = &self.course;
        Arrival {
            credit: self.credit,
            others: Others::led_by(&course.leads),
            add: course.add.clone(),
            language: course.language.clone(),
            partner: course.partner,
            ..Arrival::live(work, self.id, queue, class, arrived)
        }
    }
}

/// The service of a call: of its number, else of its URN.
fn service<'p>(plan: &'p Dialplan, called: &str, urn: Option<&str>, test: bool) -> &'p str {
    if test {
        return "test";
    }
    plan.service(called).or_else(|| plan.service(urn?)).unwrap_or(Dialplan::UNKNOWN)
}

/// What we say to a leg that opens: the answer to its offer, or an offer of ours. `None`: there is nothing
/// to agree on.
pub(crate) fn first_words(
    leg: LegId,
    port: MediaPort,
    (invite, offer): (&Invite, &Offer),
    (srtp, keys): (Srtp, OurKeys),
) -> Option<(LocalSdp, Stream)> {
    let mut local = LocalSdp::new(leg.serial.0);
    local.cipher(srtp, keys);
    let signalling = invite.flow.remote.ip();
    let stream = match offer {
        // A carrier's border may well send to an address of ours of another family than its own, and is
        // sent to where it sends from: a caller who may be heard is not refused.
        Offer::Made(sdp) if !matches!(invite.peer, Peer::Trunk(_)) && !negotiate::is_served(sdp, port) => {
            return None;
        }
        Offer::Made(sdp) => local.answer(sdp, local.ours_for(Some(sdp), port, signalling))?,
        // A-law first: what European carriers speak.
        Offer::Wanted => local.offer(port.told_to(signalling), Codec::Pcma),
        Offer::Unusable => return None,
    };
    Some((local, stream))
}
