//! An agent: what the person wants, whether the phone can be rung, and what follows from both.
//!
//! Occupation is derived from the call in the ear, the reservation and the wrap-up deadline. What
//! the log was last told is kept only to tell it no more than changes.

use super::Floor;
use super::arrival::Duty;
use super::pool::Membership;
use super::work::Rank;
use crate::call::event::{Intent, Occupation};
use crate::dialplan::SkillNeed;
use crate::id::{AgentId, CallId, OfferId, QueueId, Serial};
use crate::site::{AgentSite, Phone};
use crate::time::Instant;
use std::collections::BTreeSet;
use std::time::Duration;

/// How far an agent's phone is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Health {
    /// Nothing against it.
    Sound,
    /// It failed when it was last rung: chosen after the sound ones.
    Doubtful,
    /// It rang out, and the person has shown no life since: chosen for confirmed vital, or when
    /// the queue has nobody else.
    Rona,
}

/// Where the pools have an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    /// In none of their sets.
    Away,
    /// Could be rung, or invited.
    Free {
        health: Health,
        idle: Instant,
        /// Time with calls in this shift.
        occupied: Duration,
        page: bool,
        invited: Invited,
        /// As `invited`, for what the agent is called upon for.
        called: Invited,
    },
    /// Rings by decision of the match for an item that could do without: it stands before the fence,
    /// or rings at somebody else too (`spare`).
    Ringing { health: Health, rank: Rank, spare: bool, page: bool },
    /// At a page, and with a call or wrapping up: can be called upon.
    Busy { summoned: Summoned },
}

/// Whether a busy agent is called upon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Summoned {
    /// For nothing.
    No,
    /// For an item of this rank, which has others too or is a colleague's question: may be called upon for
    /// another.
    Beside(Rank),
    /// For an item that has nobody else.
    Alone,
}

/// What an agent at a page is invited to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Invited {
    /// Nothing.
    No,
    /// An item before the fence: one behind it may have the agent all the same.
    Lower,
    /// An item behind the fence.
    Vital,
}

/// What the log says of an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) occupation: Occupation,
    pub(super) call: Option<CallId>,
    pub(super) until: Option<Instant>,
    pub(super) reachable: bool,
}

/// One agent.
#[derive(Debug)]
pub(super) struct Agent {
    pub(super) id: AgentId,
    pub(super) usual_position: String,
    pub(super) position: String,
    pub(super) skills: Vec<String>,
    /// The same, read.
    pub(super) held: Vec<SkillNeed>,
    /// Of those, the languages somebody was asked for.
    pub(super) tongues: Vec<(String, u8)>,
    /// Which queues the agent serves.
    pub(super) duty: Duty,
    /// Pools the agent is in.
    pub(super) pools: Vec<Membership>,
    /// Queues whose own the agent is.
    pub(super) lines: Vec<usize>,
    /// Queues that may ask the agent, the last relaxation included.
    pub(super) reaches: Vec<usize>,
    /// Items that ask this agent alone for the moment.
    pub(super) owned: BTreeSet<Serial>,
    pub(super) always_ready: bool,
    pub(super) wrap_up: Duration,
    pub(super) intent: Intent,
    pub(super) phone: bool,
    /// The phone is the page: it can be rung when the page is open, its connection stands and its
    /// microphone and speakers are fit.
    pub(super) by_page: bool,
    pub(super) page: bool,
    pub(super) up: bool,
    pub(super) fit: bool,
    /// Why the phone can, or cannot, be rung.
    pub(super) why: String,
    pub(super) ear: Option<CallId>,
    /// Since when, and of which queue.
    pub(super) ear_since: Instant,
    pub(super) ear_of: Option<usize>,
    /// Time with calls in this shift; who begins one stands level with the least occupied.
    pub(super) occupied: Duration,
    /// The one exclusive reservation, and the call it is for.
    pub(super) reserved: Option<(OfferId, CallId)>,
    pub(super) wrap_until: Option<Instant>,
    /// Since when nothing was heard, for the longest-idle rule. Failed offers and pauses leave it
    /// alone, so nobody gets to the end of the list with two keys.
    pub(super) idle_since: Instant,
    pub(super) rona: bool,
    /// Consecutive failures of the phone.
    pub(super) failures: u32,
    /// Consecutive rejections.
    pub(super) rejections: u32,
    /// When the person last showed by a key, or in a conversation a key had begun, that they are there.
    /// One proof puts one call through.
    pub(super) present_at: Option<Instant>,
    /// What is in the ear was put through by itself, and no key was touched since.
    pub(super) unproved: bool,
    /// Wants confirmed-vital calls put through without a key.
    pub(super) auto_answer: bool,
    pub(super) rest_until: Option<Instant>,
    /// Counts reservations.
    pub(super) epoch: u64,
    pub(super) invitation: Option<OfferId>,
    /// What the agent is invited to stands behind the fence.
    pub(super) invited: Invited,
    /// An alert, or a join at a page.
    pub(super) summons: Option<OfferId>,
    /// What the agent is called upon for stands behind the fence.
    pub(super) called: Invited,
    pub(super) seat: Seat,
    pub(super) staffing: bool,
    pub(super) signed_in: bool,
    pub(super) told: Told,
}

/// What is known of an agent's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PageFacts {
    /// It follows the feed.
    pub(super) open: bool,
    /// Its connection for audio stands.
    pub(super) up: bool,
    /// Its microphone and speakers are fit.
    pub(super) fit: bool,
}

impl Agent {
    /// An agent of the roster, before anything happened.
    pub(super) fn new(id: AgentId, site: &AgentSite, centre_wrap_up: Duration) -> Agent {
        let fixed = matches!(site.phone, Phone::Static { .. });
        Agent {
            id,
            usual_position: site.position.clone(),
            position: site.position.clone(),
            skills: site.skills.clone(),
            held: read(&site.skills),
            tongues: Vec::new(),
            duty: Duty::BySkill,
            pools: Vec::new(),
            lines: Vec::new(),
            reaches: Vec::new(),
            owned: BTreeSet::new(),
            always_ready: site.always_ready,
            wrap_up: site.wrap_up.unwrap_or(centre_wrap_up),
            intent: Intent::SignedOut,
            phone: fixed,
            by_page: matches!(site.phone, Phone::Page),
            page: false,
            up: false,
            fit: false,
            why: String::from(match site.phone {
                Phone::Static { .. } => "fixed-address",
                Phone::Registered { .. } => "not-registered",
                Phone::Page => "no-page",
            }),
            ear: None,
            ear_since: Instant::ZERO,
            ear_of: None,
            occupied: Duration::ZERO,
            reserved: None,
            wrap_until: None,
            idle_since: Instant::ZERO,
            rona: false,
            failures: 0,
            rejections: 0,
            present_at: None,
            unproved: false,
            auto_answer: false,
            rest_until: None,
            epoch: 0,
            invitation: None,
            invited: Invited::No,
            summons: None,
            called: Invited::No,
            seat: Seat::Away,
            staffing: false,
            signed_in: false,
            told: Told { occupation: Occupation::Free, call: None, until: None, reachable: false },
        }
    }

    /// What the agent does.
    pub(super) fn occupation(&self) -> Occupation {
        match (self.ear, self.reserved, self.wrap_until) {
            (Some(_), _, _) => Occupation::Talking,
            (None, Some(_), _) => Occupation::Offered,
            (None, None, Some(_)) => Occupation::WrapUp,
            (None, None, None) => Occupation::Free,
        }
    }

    /// With which call.
    pub(super) fn call(&self) -> Option<CallId> {
        self.ear.or(self.reserved.map(|(_, call)| call))
    }

    /// Whether the phone is there, as far as it is known.
    pub(super) fn is_reachable(&self) -> bool {
        self.phone && self.failures == 0
    }

    /// Whether a call could be put into the ear at this moment: always at a desk phone, which says
    /// itself when it is not there.
    pub(super) fn has_line(&self) -> bool {
        !self.by_page || (self.page && self.up)
    }

    /// Why the page cannot be rung, or that it can.
    pub(super) fn page_code(&self) -> &'static str {
        match (self.page, self.up, self.fit) {
            (false, ..) => "no-page",
            (_, false, _) => "no-audio",
            (.., false) => "audio-unfit",
            (true, true, true) => "page",
        }
    }

    pub(super) fn health(&self) -> Health {
        match (self.rona, self.failures) {
            (true, _) => Health::Rona,
            (false, 0) => Health::Sound,
            (false, _) => Health::Doubtful,
        }
    }

    /// Sits nowhere: the pools have been made anew.
    pub(super) fn unseat(&mut self) {
        (self.seat, self.staffing, self.signed_in) = (Seat::Away, false, false);
        (self.lines, self.reaches) = (Vec::new(), Vec::new());
    }

    /// The queues of a plan have other places in the next one.
    pub(super) fn requeue(&mut self, places: &[Option<usize>]) {
        let new = |place: usize| places.get(place).copied().flatten();
        self.ear_of = self.ear_of.and_then(new);
        let renamed = |ids: &[QueueId]| {
            let places = ids.iter().filter_map(|id| {
                let index = u32::try_from(new(id.index as usize)?).ok()?;
                Some(QueueId { index, ..*id })
            });
            places.collect::<Vec<_>>()
        };
        self.duty = match &self.duty {
            Duty::BySkill => Duty::BySkill,
            Duty::Only(ids) => match renamed(ids) {
                // The event's queue is no more: back to what the agent can do.
                none if none.is_empty() => Duty::BySkill,
                some => Duty::Only(some),
            },
            Duty::Except(ids) => Duty::Except(renamed(ids)),
        };
    }

    /// Nothing is against the phone or the person.
    pub(super) fn is_sound(&self) -> bool {
        self.health() == Health::Sound
    }

    /// There is a phone, as far as it is known.
    pub(super) fn has_phone(&self) -> bool {
        self.phone
    }

    /// One of those a queue counts on, busy or not.
    pub(super) fn is_staff(&self) -> bool {
        self.can_be_rung() && self.is_sound()
    }

    /// Free and sound: one of those a reserve counts.
    pub(super) fn is_idle(seat: Seat) -> bool {
        matches!(seat, Seat::Free { health: Health::Sound, .. })
    }

    /// How well an agent meets one of these needs; `None`: not at all.
    pub(super) fn level_for(&self, needs: &[SkillNeed]) -> Option<u8> {
        let met = self.held.iter().filter(|held| needs.iter().any(|need| held.covers(need)));
        met.map(|held| held.level).max()
    }

    /// The languages of the agent among those somebody was asked for.
    pub(super) fn tongues_of(&self, known: &BTreeSet<String>) -> Vec<(String, u8)> {
        let spoken = self.held.iter().filter(|held| known.contains(&held.name));
        spoken.map(|held| (held.name.clone(), held.level)).collect()
    }

    /// Names of everything the agent can answer.
    pub(super) fn skill_names(&self) -> impl Iterator<Item = &String> {
        self.held.iter().map(|held| &held.name)
    }

    /// Whether the person showed a moment ago that they are there.
    pub(super) fn is_present(&self, now: Instant) -> bool {
        self.present_at.is_some_and(|at| now.since(at) <= Floor::PRESENT_WITHIN)
    }

    /// Whether the agent wants a desk phone to answer by itself. It answers for an empty chair, too: the
    /// person is asked for a key then. Of several phones that ring at once none does so.
    pub(super) fn lifts_by_itself(&self) -> bool {
        self.auto_answer && !self.by_page
    }

    /// Where the pools should have the agent; `ringing` is the item of a reservation that could do
    /// without, and whether it rings at somebody else too; `beside` what the agent is called upon for
    /// while it has others.
    pub(super) fn proper_seat(&self, ringing: Option<(Rank, bool)>, beside: Option<Rank>) -> Seat {
        let wanted = self.can_be_rung() && self.rest_until.is_none();
        let (health, page, summoned) = (self.health(), self.page, self.summons.is_some());
        match (self.occupation(), ringing) {
            (Occupation::Free, _) if wanted => {
                let (idle, occupied) = (self.idle_since, self.occupied);
                Seat::Free { health, idle, occupied, page, invited: self.invited, called: self.called }
            }
            (Occupation::Offered, Some((rank, spare))) if self.can_be_rung() => {
                Seat::Ringing { health, rank, spare, page }
            }
            (Occupation::Talking | Occupation::WrapUp, _) if self.can_be_rung() && page => {
                let called = || beside.map_or(Summoned::Alone, Summoned::Beside);
                Seat::Busy { summoned: if summoned { called() } else { Summoned::No } }
            }
            _ => Seat::Away,
        }
    }
}

/// Skills as they are written, read. What cannot be read is held at level 1 under its whole name: a
/// slip of the pen takes no skill away.
pub(super) fn read(skills: &[String]) -> Vec<SkillNeed> {
    let held =
        |text: &String| SkillNeed::parse(text).unwrap_or_else(|| SkillNeed { name: text.clone(), level: 1 });
    skills.iter().map(held).collect()
}
