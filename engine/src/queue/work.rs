//! What waits, and its place in the order.

use super::arrival::{Arrival, Others, Owner, WorkKind};
use super::audience::{AudienceId, Stand};
use super::deadline::Due;
use super::overflow::{Enrolment, RuleId};
use super::{Exit, Fact, Floor};
use crate::call::event::{Actor, Event, OfferEnd, Trigger};
use crate::dialplan::{Class, ClassId, SkillNeed};
use crate::id::{CallId, OfferId, Serial, WorkId};
use crate::time::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

/// The one order, least first: fence, then arrival + target, then arrival, then who was given a
/// number first. Time lifts items among themselves and never across the fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// `false` sorts first: confirmed vital.
    pub(super) unfenced: bool,
    /// Arrival plus target; behind the fence the arrival itself.
    pub(super) due: Instant,
    /// When it came, earlier by what was waited in an earlier call.
    pub(super) arrived: Instant,
    /// The item's own number: names it, and decides the last ties.
    pub(super) serial: Serial,
}

impl Rank {
    /// The place of an item that came at `arrived` and brings `credit` from an earlier call: who
    /// really stayed that long came earlier still, or has the lower number.
    pub(super) fn new(class: Option<&Class>, arrived: Instant, credit: Duration, serial: Serial) -> Rank {
        let arrived = arrived - credit;
        Rank { unfenced: true, due: arrived, arrived, serial }.reclassed(class)
    }

    /// The same item in another class.
    pub(super) fn reclassed(self, class: Option<&Class>) -> Rank {
        let fenced = class.is_some_and(|class| class.fence);
        let target = class.filter(|_| !fenced).map_or(Duration::ZERO, |class| class.target);
        Rank { unfenced: !fenced, due: self.arrived + target, ..self }
    }
}

/// One work item.
#[derive(Debug)]
pub(super) struct Item {
    /// The call behind it.
    pub(super) call: CallId,
    /// What it is.
    pub(super) kind: WorkKind,
    /// How often somebody has tried to reach the person.
    pub(super) attempts: u32,
    /// Its queue's place.
    pub(super) queue: usize,
    /// Its class.
    pub(super) class: ClassId,
    /// Its place in the order.
    pub(super) rank: Rank,
    /// When its INVITE came.
    pub(super) arrived: Instant,
    /// Since when it could be offered in this queue.
    pub(super) offered: Instant,
    /// Until when nobody is asked: a callback is planned, or is left alone after an attempt; an
    /// overflow that asks nobody here is under way.
    pub(super) sleeps_until: Option<Instant>,
    /// Who is asked as well, from the start.
    pub(super) add: Vec<SkillNeed>,
    /// Who speaks this is preferred.
    pub(super) language: Option<String>,
    /// Who is asked first.
    pub(super) owner: Option<Owner>,
    /// Who is asked beside the owner.
    pub(super) others: Others,
    /// The owner is asked, and nobody else.
    pub(super) alone: bool,
    /// Who is never asked, in order.
    pub(super) barred: Vec<usize>,
    /// It may take what a queue reserves.
    pub(super) partner: bool,
    /// It came from another centre.
    pub(super) visiting: bool,
    /// Queues where it is offered beside its own.
    pub(super) beyond: Vec<usize>,
    /// Rules of queues that have fired for it: each does once.
    pub(super) fired: Vec<RuleId>,
    /// Rules that may yet fire for it.
    pub(super) enrolled: Vec<Enrolment>,
    /// Rules whose attempt came to nothing, and until when they rest.
    pub(super) turned_back: Vec<(RuleId, Instant)>,
    /// The exclusive offers that hold it: the first, and those beside it.
    pub(super) rings: Vec<OfferId>,
    /// Agents whose invitation names it.
    pub(super) invited: BTreeSet<usize>,
    /// When those invited, behind the fence, have had the time to press the key.
    pub(super) unclaimed_at: Option<Instant>,
    /// They have had it, and nobody has: whoever is busy is told as well.
    pub(super) unclaimed: bool,
    /// Agents who are called upon for it: alerts, and joins at pages.
    pub(super) summoned: BTreeSet<usize>,
    /// How many pages are invited for it at the moment.
    pub(super) limit: usize,
    /// Agents who did not take it, and until when they are left alone with it. Few: one entry per
    /// agent it rang at.
    tried: Vec<(usize, Instant)>,
    /// Whose it is, while somebody could be asked.
    pub(super) audience: Option<AudienceId>,
    /// Where it stands in that audience.
    pub(super) stand: Stand,
    /// Where its retry deadline stands.
    pub(super) retry_at: Option<Instant>,
    /// Where the deadline stands at which more agents are asked.
    pub(super) stage_at: Option<Instant>,
}

impl Item {
    /// An item that has just come, to a queue and behind a rank.
    fn new(now: Instant, arrival: Arrival, queue: usize, rank: Rank, barred: Vec<usize>) -> Item {
        Item {
            call: arrival.call,
            kind: arrival.kind,
            attempts: 0,
            queue,
            class: arrival.class,
            rank,
            arrived: arrival.arrived,
            offered: now,
            sleeps_until: arrival.not_before.filter(|until| *until > now),
            add: arrival.add,
            language: arrival.language,
            alone: arrival.owner.is_some(),
            owner: arrival.owner,
            others: arrival.others,
            barred,
            partner: arrival.partner,
            visiting: arrival.visiting,
            beyond: Vec::new(),
            fired: Vec::new(),
            enrolled: Vec::new(),
            turned_back: Vec::new(),
            rings: Vec::new(),
            invited: BTreeSet::new(),
            summoned: BTreeSet::new(),
            limit: usize::MAX,
            tried: Vec::new(),
            audience: None,
            stand: Stand::default(),
            retry_at: None,
            unclaimed_at: None,
            unclaimed: false,
            stage_at: None,
        }
    }

    /// Whether it slept, and does so no longer.
    pub(super) fn wakes(&self, now: Instant) -> bool {
        self.sleeps_until.is_some_and(|until| until <= now)
    }

    /// An agent accepts before anybody is dialled.
    pub(super) fn is_previewed(&self) -> bool {
        matches!(self.kind, WorkKind::Callback | WorkKind::Kept)
    }

    /// Remembers that this agent did not take it.
    pub(super) fn passed_by(&mut self, agent: usize, until: Instant) {
        self.tried.retain(|(who, _)| *who != agent);
        self.tried.push((agent, until));
    }

    /// Whether it rang at this agent before.
    pub(super) fn was_tried(&self, agent: usize) -> bool {
        self.tried.iter().any(|(who, _)| *who == agent)
    }

    /// Since when, or until when, this agent was left alone with it; `None`: never rung.
    pub(super) fn tried_at(&self, agent: usize) -> Option<Instant> {
        self.tried.iter().find(|(who, _)| *who == agent).map(|(_, until)| *until)
    }

    /// Whether this agent is still left alone with it.
    pub(super) fn is_spared(&self, agent: usize, now: Instant) -> bool {
        self.tried.iter().any(|(who, until)| *who == agent && *until > now)
    }

    /// No page is invited for it, or none of them has claimed it in the time a phone would have rung.
    pub(super) fn is_shown_to_nobody(&self) -> bool {
        self.invited.is_empty() || self.unclaimed
    }

    /// When the next agent who did not take it may be asked again; `None`: no agent is left alone.
    pub(super) fn next_retry(&self, now: Instant) -> Option<Instant> {
        self.tried.iter().map(|(_, until)| *until).filter(|until| *until > now).min()
    }
}

impl Floor {
    /// A fact about work that [`Floor::allows`].
    pub(super) fn move_work(&mut self, now: Instant, fact: Fact) {
        self.after = Trigger::Change;
        match fact {
            Fact::Enter(arrival) => self.enter(now, *arrival),
            Fact::Gone { work } => {
                self.release(now, work.serial, &OfferEnd::CallerGone);
                self.withdraw(now, work, None);
            }
            Fact::Leave { work, exit } => {
                self.release(now, work.serial, &OfferEnd::AnsweredElsewhere);
                self.withdraw(now, work, Some(exit));
            }
            Fact::Keep { work, kind } => self.keep(now, work.serial, kind),
            Fact::Class { work, class } => self.reclass(now, work.serial, class),
            Fact::MoveTo { work, queue, by } => {
                let Some(to) = self.place_of(queue) else { return };
                self.move_to(now, work.serial, to, by);
            }
            _ => {}
        }
    }

    fn enter(&mut self, now: Instant, arrival: Arrival) {
        self.after = Trigger::Work;
        let (work, call, class, arrived) = (arrival.work, arrival.call, arrival.class, arrival.arrived);
        let again = arrival.again;
        // An id of an earlier plan waits in the first queue rather than nowhere.
        let queue = self.place_of(arrival.queue).unwrap_or(0);
        let rank = Rank::new(self.rules.class(class), arrived, arrival.credit, work.serial);
        let mut barred: Vec<usize> =
            arrival.barred.iter().filter_map(|agent| self.agent_at(*agent)).collect();
        barred.sort_unstable();
        barred.dedup();
        if let Some(language) = &arrival.language {
            self.learn(language);
        }
        self.lines[queue].counts.entered += 1;
        self.items.insert(work.serial, Item::new(now, arrival, queue, rank, barred));
        self.join(now, work.serial, queue);
        let named = self.rules.class(class).map_or_else(String::new, |class| class.name.clone());
        let (queue, fenced, due) = (self.queue_id(queue), !rank.unfenced, rank.due);
        self.log(Event::Queued { work, call, queue, class: named, fenced, arrived, due, again });
    }

    /// Nobody is asked for an item any more, and nobody is to blame.
    pub(super) fn release(&mut self, now: Instant, serial: Serial, end: &OfferEnd) {
        while let Some(offer) = self.items.get(&serial).and_then(|item| item.rings.first()).copied() {
            self.fail(now, offer, end.clone(), true);
        }
        self.uninvite_from(serial, end);
        self.unsummon_from(serial, end);
    }

    fn withdraw(&mut self, now: Instant, work: WorkId, exit: Option<Exit>) {
        let Some(item) = self.leave(now, work.serial) else { return };
        let counts = &mut self.lines[item.queue].counts;
        match exit {
            None => counts.gone += 1,
            Some(Exit::Overflowed) => counts.overflowed += 1,
            Some(Exit::Transferred) => counts.transferred += 1,
            Some(Exit::Withdrawn) => counts.withdrawn += 1,
        }
        let waited = now.since(item.arrived);
        self.log(Event::Withdrawn { work, call: item.call, waited });
    }

    /// The caller is gone, the work stays where it is.
    fn keep(&mut self, now: Instant, serial: Serial, kind: WorkKind) {
        self.release(now, serial, &OfferEnd::CallerGone);
        let Some(item) = self.items.get_mut(&serial) else { return };
        item.kind = kind;
        // Its ways out of the centre close with the line.
        self.unenrol(serial);
        let Some(item) = self.items.get(&serial) else { return };
        let (place, arrived) = (item.queue, item.arrived);
        self.lines[place].arrivals.remove(&(arrived, serial));
        self.watch(now, place);
        self.address(now, serial);
    }

    pub(super) fn move_to(&mut self, now: Instant, serial: Serial, to: usize, by: Actor) {
        self.release(now, serial, &OfferEnd::Rescinded);
        self.part(now, serial);
        if let Some(item) = self.items.get_mut(&serial) {
            self.lines[item.queue].counts.moved_out += 1;
            self.lines[to].counts.moved_in += 1;
            (item.offered, item.alone, item.unclaimed) = (now, false, false);
            self.deadlines.put(Due::Unclaimed(serial), &mut item.unclaimed_at, None);
            if item.kind == WorkKind::Live {
                // An attempt elsewhere is of the queue it leaves. A callback keeps its time: it was
                // promised to the person, or they have just been tried.
                item.sleeps_until = None;
            }
            item.beyond.clear();
            // Along a chain of overflows each rule fires once, so that every chain ends.
            if by != Actor::Plan {
                item.fired.clear();
                item.turned_back.clear();
                // A person gives it to that queue's people.
                if item.kind != WorkKind::Join {
                    item.others = Others::Everybody;
                }
            }
        }
        self.join(now, serial, to);
        let (work, queue) = (WorkId { centre: self.centre, serial }, self.queue_id(to));
        self.log(Event::Moved { work, queue, by });
    }

    /// A callback was accepted and the person was not reached: the agent has done what could be done.
    pub(super) fn attempted(&mut self, now: Instant, id: OfferId, again: Option<Duration>) {
        let Some(offer) = self.offers.get(&id.serial) else { return };
        let (ix, work) = (offer.agent, offer.work);
        let serial = work.serial;
        self.agents[ix].idle_since = now;
        self.fail(now, id, OfferEnd::Rescinded, false);
        let Some(again) = again else {
            self.release(now, serial, &OfferEnd::Rescinded);
            return self.withdraw(now, work, Some(Exit::Withdrawn));
        };
        if let Some(item) = self.items.get_mut(&serial) {
            item.attempts += 1;
            item.sleeps_until = Some(now + again).filter(|until| *until > now);
        }
        self.address(now, serial);
    }

    /// Somebody said how urgent it is: the item changes its place and keeps its arrival.
    fn reclass(&mut self, now: Instant, serial: Serial, class: ClassId) {
        self.unstand(serial);
        self.unenrol(serial);
        let Some(item) = self.items.get_mut(&serial) else { return };
        let was = item.rank;
        item.class = class;
        item.rank = was.reclassed(self.rules.class(class));
        if !item.rank.unfenced && item.kind == WorkKind::Live {
            // An attempt elsewhere goes on, and leaves nobody here in peace meanwhile.
            item.sleeps_until = None;
        }
        if item.rank.unfenced != was.unfenced {
            // What is shown of it would say too much or too little: whoever is to see it sees it anew.
            self.uninvite_from(serial, &OfferEnd::Rescinded);
            self.unsummon_from(serial, &OfferEnd::Rescinded);
        }
        self.address(now, serial);
        let Some(item) = self.items.get(&serial) else { return };
        let rung = item.rings.iter().filter_map(|offer| self.offers.get(&offer.serial));
        let asked: Vec<usize> = rung.map(|offer| offer.agent).chain(item.summoned.iter().copied()).collect();
        for ix in asked {
            self.settle(ix);
        }
    }

    /// An item leaves for good.
    pub(super) fn leave(&mut self, now: Instant, serial: Serial) -> Option<Item> {
        self.part(now, serial);
        let mut item = self.items.remove(&serial)?;
        self.led.remove(&serial);
        self.deadlines.put(Due::Retry(serial), &mut item.retry_at, None);
        self.deadlines.put(Due::Unclaimed(serial), &mut item.unclaimed_at, None);
        self.deadlines.put(Due::Stage(serial), &mut item.stage_at, None);
        Some(item)
    }

    /// Puts an item nobody is rung for into a queue.
    pub(super) fn join(&mut self, now: Instant, serial: Serial, place: usize) {
        let Some(item) = self.items.get_mut(&serial) else { return };
        item.queue = place;
        let line = &mut self.lines[place];
        line.items += 1;
        if item.kind == WorkKind::Live {
            line.arrivals.insert((item.arrived, serial));
        }
        self.counted.insert(place);
        self.address(now, serial);
        self.watch(now, place);
    }

    /// Takes an item out of its queue.
    fn part(&mut self, now: Instant, serial: Serial) {
        self.unaddress(serial);
        self.unenrol(serial);
        let Some(item) = self.items.get(&serial) else { return };
        if let Some(owner) = item.owner.as_ref().and_then(|owner| self.agent_at(owner.agent)) {
            self.agents[owner].owned.remove(&serial);
        }
        let (place, arrived) = (item.queue, item.arrived);
        let line = &mut self.lines[place];
        line.items -= 1;
        line.away.remove(&serial);
        line.arrivals.remove(&(arrived, serial));
        self.counted.insert(place);
        self.watch(now, place);
    }
}
