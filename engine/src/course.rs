//! What the plan and earlier calls say of a call beside its queue and class: what its caller may
//! press, what stands on it, whose it is, which file an agent is shown.

use crate::call::Call;
use crate::call::course::TAGS_MAX;
use crate::call::event::{Actor, Beside, Cause, Event, Past, Source};
use crate::dialplan::{ClassId, Dialplan, Facts, OwnerPlan, Routed};
use crate::engine::Engine;
use crate::id::{AgentId, CallId, CentreId, QueueId};
use crate::io::{Command, Refusal, Verb};
use crate::returning::Earlier;
use crate::stage::Wanted;
use std::time::Duration;

/// A caller whose call was broken comes back within this, or not because of it. Longer lets a caller
/// of the morning overtake those of the evening.
const BROKEN_WITHIN: Duration = Duration::from_secs(600);

/// For so long what a person has said of a caller counts for the next call of the same number.
const WORSE_WITHIN: Duration = Duration::from_secs(1_800);

/// Letters of a tag. A word, not a note.
const TAG_MAX: usize = 64;

impl Engine {
    /// Takes down what the plan and earlier calls say beside queue and class, before the item waits.
    /// The queue it waits in: the plan's, or a major event's.
    pub(crate) fn begin_course(
        &mut self,
        id: CallId,
        plan: &Dialplan,
        routed: &Routed<'_>,
        facts: &Facts<'_>,
        earlier: Option<&Earlier>,
    ) -> QueueId {
        let person = facts.caller.is_some() && !facts.withheld && !routed.partner;
        let earlier = earlier.filter(|_| person);
        if let Some(call) = self.calls.get_mut(&id) {
            call.course.person = person;
            call.course.show = routed.show.iter().map(|&it| it.to_owned()).collect();
            call.course.leads = routed.leads.to_vec();
            call.course.add.clone_from(&routed.add);
            call.course.language = routed.language.map(str::to_owned);
            call.course.partner = routed.partner;
        }
        let owner = match routed.owner {
            Some(OwnerPlan::File) => earlier.and_then(|earlier| earlier.agent),
            Some(OwnerPlan::Person(name)) => self.agent_named(id.centre, name),
            None => None,
        };
        if let Some(call) = self.calls.get_mut(&id) {
            call.course.owner = owner;
        }
        self.on_line(id);
        if let Some(earlier) = earlier {
            self.calls_again(id, earlier);
        }
        self.called_again(id);
        for tag in &routed.tags {
            self.tag(id, tag, Actor::Plan);
        }
        self.belong(id, Actor::Plan);
        if let Some(menu) = routed.menu {
            self.open_menu(id, plan, menu);
        }
        let planned = QueueId { centre: id.centre, index: routed.queue };
        let queue = self.major_queue(id).unwrap_or(planned);
        self.stage(id, queue);
        queue
    }

    /// The same person has called before: the file is shown, and what was said of it counts.
    fn calls_again(&mut self, id: CallId, earlier: &Earlier) {
        let ago = self.now.at.since(earlier.ended);
        self.log(
            id.centre,
            Event::Beside(Beside::Repeated {
                call: id,
                earlier: earlier.call,
                past: earlier.past,
                ago,
                class: earlier.class.clone(),
                agent: earlier.agent,
            }),
        );
        let fresh = match earlier.past {
            // Whoever was answered and calls again is no less urgent than a person has said.
            Past::Answered => earlier.qualified && ago <= WORSE_WITHIN,
            Past::Broken => ago <= BROKEN_WITHIN,
            Past::Abandoned => false,
        };
        if fresh {
            self.raise_to(id, &earlier.class, Actor::System, Source::Line);
        }
        if fresh && earlier.past == Past::Broken {
            self.lead_class(id, earlier);
        }
    }

    /// A caller whose call was broken comes first in the class, without having waited.
    fn lead_class(&mut self, id: CallId, earlier: &Earlier) {
        let Some(centre) = self.centre(id.centre) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        let class = centre.plan.class_named(&call.class);
        let first = class.and_then(|class| centre.floor.head_of(class));
        let arrived = call.record.arrived_at;
        // One tick before whoever stands first there.
        let ahead = first.map_or(Duration::ZERO, |first| arrived.since(first) + Duration::from_nanos(1));
        let credit = call.credit.max(earlier.waited).max(ahead);
        if let Some(call) = self.calls.get_mut(&id) {
            call.credit = credit;
        }
    }

    /// Remembers a call that is over, for the next one of the same number.
    pub(crate) fn remember_caller(&mut self, call: &Call, cause: Cause) {
        let (record, broken) = (&call.record, Engine::is_broken(call));
        if !call.course.person || call.course.is_unreached() || cause == Cause::Test {
            return;
        }
        let past = match cause {
            Cause::Network => Past::Broken,
            _ if broken => Past::Broken,
            _ if record.conversations.is_empty() && call.course.away.is_none() => Past::Abandoned,
            _ => Past::Answered,
        };
        let class = if broken { self.class_once_lost(call) } else { None };
        let earlier = Earlier {
            call: call.id,
            ended: self.now.at,
            past,
            waited: record.waited,
            class: class.map_or_else(|| call.class.clone(), |(class, _)| class),
            qualified: call.qualified,
            agent: record.conversations.last().map(|talk| talk.agent),
        };
        if let Some(centre) = self.centre_mut(call.id.centre) {
            centre.returning.remember(&record.caller.0, earlier);
        }
    }

    /// What somebody asks for beside talking; `None`: it is about something else.
    pub(crate) fn carry_out_beside(&mut self, command: &Command) -> Option<Result<(), Refusal>> {
        let by = command.actor.clone();
        Some(match command.verb.clone() {
            Verb::HandOver { agent, call, queue, class, note } => {
                self.hand_over(agent, call, Wanted { queue, class, note, back_to: None }, by)
            }
            Verb::TakeBack { agent, call, confirmed } => self.take_back_over(agent, call, confirmed),
            Verb::ReferBack { agent, call, note } => self.refer_back(agent, call, note, by),
            Verb::Tag { call, tag } => self.tag_by_hand(call, &tag, by),
            Verb::PlanCallback { call, after, note } => self.plan_callback(call, after, note, by),
            Verb::DropToCallback { agent, call, note } => self.drop_to_callback(agent, call, note, by),
            Verb::DismissCallback { call, reason } => self.dismiss_callback(call, &reason, by),
            Verb::SetOverflow { queue, open } => self.set_overflow(queue, open, by),
            Verb::OpenMajor(wish) => self.open_major(command.centre, *wish, by).map(|_| ()),
            Verb::CloseMajor { event } => self.close_major(event, by),
            Verb::AddToMajor { event, call } => self.add_to_major(event, call, by),
            Verb::Release { agent, call, .. } if self.gives_up(agent, call) => Ok(()),
            _ => return None,
        })
    }

    /// The call's next stay is in this queue: says which stage that is.
    pub(crate) fn stage(&mut self, id: CallId, queue: QueueId) {
        let plan = self.centre(queue.centre).map(|centre| &centre.plan);
        let found = plan.zip(usize::try_from(queue.index).ok()).and_then(|(plan, at)| plan.queues.get(at));
        let Some(queue) = found else { return };
        let stage = queue.stage.clone().unwrap_or_else(|| queue.name.clone());
        if self.calls.get(&id).is_some_and(|call| call.record.course.stage != stage) {
            self.log_call(id, Event::Beside(Beside::Staged { call: id, stage }));
        }
    }

    /// Puts a word on a call, once.
    pub(crate) fn tag(&mut self, id: CallId, tag: &str, by: Actor) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let known = call.course.tags.iter().any(|it| it == tag);
        if known || call.course.tags.len() >= TAGS_MAX {
            return;
        }
        call.course.tags.push(tag.to_owned());
        let said = Event::Beside(Beside::Tagged { call: id, tag: tag.to_owned(), by: by.clone() });
        self.tell_helpers(id, &said);
        self.log(id.centre, said);
        self.belong(id, by);
    }

    /// A person puts a word on a call.
    pub(crate) fn tag_by_hand(&mut self, id: CallId, tag: &str, by: Actor) -> Result<(), Refusal> {
        let tag = tag.trim();
        let course = &self.calls.get(&id).ok_or(Refusal::Unknown)?.course;
        let plain = |sign: char| sign.is_alphanumeric() || matches!(sign, '-' | '_' | '.' | ' ');
        let full = course.tags.len() >= TAGS_MAX && course.tags.iter().all(|it| it != tag);
        if tag.is_empty() || tag.len() > TAG_MAX || !tag.chars().all(plain) || full {
            return Err(Refusal::Invalid);
        }
        self.tag(id, tag, by);
        Ok(())
    }

    /// Gives a call at least this class. Nothing but a person lowers one.
    pub(crate) fn raise_to(&mut self, id: CallId, class: &str, by: Actor, source: Source) {
        let plan = self.centre(id.centre).map(|centre| &centre.plan);
        let known = plan.zip(self.calls.get(&id)).and_then(|(plan, call)| {
            let wanted = plan.class_named(class)?;
            let has = plan.class_named(&call.class);
            // A class of an earlier plan that this one does not know: the word is an improvement.
            Some(has.map_or(wanted, |has| plan.raised(has, wanted))).filter(|to| Some(*to) != has)
        });
        if let Some(class) = known {
            // Refused only for a class or a call that is not there; both have been looked up.
            let _ = self.reclass(id, class, by, source);
        }
    }

    /// The queue of that name and the class of that name, in the plan that serves.
    pub(crate) fn place_named(&self, id: CallId, queue: &str, class: &str) -> Option<(QueueId, ClassId)> {
        let centre = self.centre(id.centre)?;
        let class = centre.plan.class_named(class).unwrap_or(ClassId(0));
        Some((centre.queue_named(queue), class))
    }

    /// Somebody of a centre's roster, by the name they sign in with.
    pub(crate) fn agent_named(&self, centre: CentreId, name: &str) -> Option<AgentId> {
        let place = self.centre(centre)?.roster.iter().position(|agent| agent.name == name)?;
        Some(AgentId { centre, index: u32::try_from(place).ok()? })
    }

    /// Whether this agent is of that centre's roster.
    pub(crate) fn knows(&self, agent: AgentId) -> bool {
        self.centre(agent.centre).is_some_and(|centre| centre.agent(agent).is_some())
    }
}
