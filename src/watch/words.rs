//! Every word the terminal board shows, in French and in English.

use engine::call::event::{AgentReason, Because, ItemReason, OfferEnd, Trigger};
use engine::live::row::{AgentRow, WhyNot};

/// One language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) calls: &'static str,
    pub(super) live: &'static str,
    pub(super) answered: &'static str,
    pub(super) abandoned: &'static str,
    pub(super) lost: &'static str,
    pub(super) queues: &'static str,
    pub(super) queue: &'static str,
    pub(super) waiting: &'static str,
    pub(super) longest: &'static str,
    pub(super) nobody_waits: &'static str,
    pub(super) class: &'static str,
    pub(super) classes: &'static str,
    pub(super) caller: &'static str,
    pub(super) waited: &'static str,
    pub(super) service: &'static str,
    pub(super) rings_at: &'static str,
    pub(super) agents: &'static str,
    pub(super) agent: &'static str,
    pub(super) state: &'static str,
    pub(super) since: &'static str,
    pub(super) call: &'static str,
    pub(super) decisions: &'static str,
    pub(super) trunks: &'static str,
    pub(super) alarm: &'static str,
    pub(super) keys: &'static str,
    pub(super) connecting: &'static str,
    pub(super) broken: &'static str,
    ready: &'static str,
    signed_out: &'static str,
    paused: &'static str,
    unreachable: &'static str,
    rona: &'static str,
    offered: &'static str,
    talking: &'static str,
    wrap_up: &'static str,
    fence: &'static str,
    deadline: &'static str,
    only_item: &'static str,
    of: &'static str,
    longest_idle: &'static str,
    only_agent: &'static str,
    claimed: &'static str,
    invited: &'static str,
    after: &'static str,
    work: &'static str,
    agent_came: &'static str,
    change: &'static str,
    retry: &'static str,
}

const FRENCH: Words = Words {
    calls: "appels",
    live: "en cours",
    answered: "décrochés",
    abandoned: "abandons",
    lost: "perdus côté poste",
    queues: "Files",
    queue: "file",
    waiting: "en attente",
    longest: "plus longue",
    nobody_waits: "personne n'attend",
    class: "classe",
    classes: "par classe",
    caller: "appelant",
    waited: "attente",
    service: "service",
    rings_at: "sonne chez",
    agents: "Agents",
    agent: "agent",
    state: "état",
    since: "depuis",
    call: "appel",
    decisions: "Dernières décisions",
    trunks: "arrivées",
    alarm: "ALERTE",
    keys: "q : quitter",
    connecting: "connexion au moteur…",
    broken: "liaison rompue, état ancien",
    ready: "prêt",
    signed_out: "absent",
    paused: "pause",
    unreachable: "injoignable",
    rona: "sans réponse",
    offered: "sonne",
    talking: "en appel",
    wrap_up: "post-appel",
    fence: "détresse vitale",
    deadline: "échéance la plus proche",
    only_item: "seul en attente",
    of: "sur",
    longest_idle: "libre depuis le plus longtemps",
    only_agent: "seul agent libre",
    claimed: "a pris l'appel",
    invited: "tous invités",
    after: "après",
    work: "arrivée",
    agent_came: "agent disponible",
    change: "changement",
    retry: "échec d'une offre",
};

const ENGLISH: Words = Words {
    calls: "calls",
    live: "live",
    answered: "answered",
    abandoned: "abandoned",
    lost: "lost at desks",
    queues: "Queues",
    queue: "queue",
    waiting: "waiting",
    longest: "longest",
    nobody_waits: "nobody waits",
    class: "class",
    classes: "by class",
    caller: "caller",
    waited: "waited",
    service: "service",
    rings_at: "rings at",
    agents: "Agents",
    agent: "agent",
    state: "state",
    since: "since",
    call: "call",
    decisions: "Last decisions",
    trunks: "trunks",
    alarm: "ALARM",
    keys: "q: quit",
    connecting: "connecting to the engine…",
    broken: "line broken, this is old",
    ready: "ready",
    signed_out: "signed out",
    paused: "paused",
    unreachable: "unreachable",
    rona: "rang out",
    offered: "ringing",
    talking: "talking",
    wrap_up: "wrap-up",
    fence: "confirmed vital",
    deadline: "earliest due",
    only_item: "only one waiting",
    of: "of",
    longest_idle: "idle longest",
    only_agent: "only agent free",
    claimed: "took it",
    invited: "everyone invited",
    after: "after",
    work: "arrival",
    agent_came: "agent free",
    change: "change",
    retry: "failed offer",
};

/// A language that is not spoken here.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("--lang {0}: only fr and en are spoken")]
pub(super) struct NotSpoken(String);

impl Words {
    /// The language asked for, else the environment's, else English.
    pub(super) fn of(asked: Option<&str>, environment: Option<&str>) -> Result<&'static Words, NotSpoken> {
        match asked {
            Some("fr") => Ok(&FRENCH),
            Some("en") => Ok(&ENGLISH),
            Some(other) => Err(NotSpoken(other.to_owned())),
            None if environment.is_some_and(|lang| lang.starts_with("fr")) => Ok(&FRENCH),
            None => Ok(&ENGLISH),
        }
    }

    /// What an agent does, or why no call is offered.
    pub(super) fn agent_state(&self, row: &AgentRow) -> String {
        let word = match row.why_not {
            None => self.ready,
            Some(WhyNot::SignedOut) => self.signed_out,
            Some(WhyNot::Paused) => match &row.intent {
                engine::call::event::Intent::Paused(reason) if !reason.is_empty() => {
                    return format!("{} ({reason})", self.paused);
                }
                _ => self.paused,
            },
            Some(WhyNot::NoPage | WhyNot::NoAudio | WhyNot::AudioUnfit | WhyNot::Unreachable) => {
                self.unreachable
            }
            Some(WhyNot::Rona) => self.rona,
            Some(WhyNot::Offered) => self.offered,
            Some(WhyNot::Talking) => self.talking,
            Some(WhyNot::WrapUp) => self.wrap_up,
        };
        word.to_owned()
    }

    /// Why this item went to this agent.
    pub(super) fn because(&self, because: &Because) -> String {
        let item = match because.item {
            ItemReason::Fence => self.fence,
            ItemReason::Deadline => self.deadline,
            ItemReason::Only => self.only_item,
        };
        let agent = match because.agent {
            AgentReason::LongestIdle => self.longest_idle,
            AgentReason::Only => self.only_agent,
            AgentReason::Claimed | AgentReason::Picked => self.claimed,
            AgentReason::Invited => self.invited,
        };
        let after = match because.after {
            Trigger::Work => self.work,
            Trigger::Agent => self.agent_came,
            Trigger::Change => self.change,
            Trigger::Retry => self.retry,
        };
        let among = |words: &str, count: u32| match count {
            0 | 1 => words.to_owned(),
            count => format!("{words} {} {count}", self.of),
        };
        format!("{}, {}, {} {after}", among(item, because.waiting), among(agent, because.free), self.after)
    }

    /// How an offer ended, as a sign and a code that need no translation; `…` while it is open.
    pub(super) fn offer_end(end: Option<&OfferEnd>) -> &'static str {
        match end {
            None => "…",
            Some(OfferEnd::Taken) => "✓",
            Some(OfferEnd::Rejected) => "✗ rejected",
            Some(OfferEnd::TimedOut) => "✗ timed-out",
            Some(OfferEnd::Unreachable) => "✗ unreachable",
            Some(OfferEnd::PhoneBusy) => "✗ busy",
            Some(OfferEnd::AnsweredElsewhere) => "✗ elsewhere",
            Some(OfferEnd::CallerGone) => "✗ caller-gone",
            Some(OfferEnd::Rescinded) => "✗ rescinded",
            Some(OfferEnd::LostBeforeBridge) => "✗ lost",
        }
    }
}
