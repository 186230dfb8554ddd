//! What people ask for: commands with an author, by the API or by a desk phone's keys.
//!
//! A phone has no screen for commands, so it dials them: `*0` ends the shift, `*1` is ready, `*2`
//! pauses, `*3` ends wrap-up, `*4` wants vital calls put through without a key and `*5` does not. It hears
//! a short tone, and is hung up on; `*8` takes what rings at a colleague instead.

use crate::alarm::Alarm;
use crate::call::Call;
use crate::call::event::{Actor, Event, Intent, Source};
use crate::caller::dialled;
use crate::dialplan::{ClassId, Dialplan};
use crate::engine::{Engine, Line};
use crate::id::{AgentId, CallId, CentreId, LegId};
use crate::inbound::first_words;
use crate::io::{Command, Counter, Outcome, Output, Refusal, Verb};
use crate::media::{MediaCommand, Program};
use crate::negotiate;
use crate::overflow::class_like;
use crate::queue::Fact;
use crate::site::{Phone, Role};
use sip::endpoint::{DialogId, Invite};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// Answers remembered for one centre, so that a command sent twice has the effect of once. A page
/// repeats within seconds; more costs memory, fewer risks a second effect on the busiest day.
const ANSWERS_MAX: usize = 4_096;

/// How long a phone hears that its feature code was taken: one burst of the tone.
const TONE_LASTS: Duration = Duration::from_millis(1_500);

/// Skills of one agent, and letters of one: far more than a plan has queues, far less than a log
/// entry should carry.
const SKILLS_MAX: usize = 64;
/// See [`SKILLS_MAX`].
const SKILL_MAX: usize = 64;

/// The reason of a pause asked for by a phone's keys.
const BY_PHONE: &str = "phone";

/// Commands already answered, by author and id.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    results: HashMap<(Actor, String), Result<u64, Refusal>>,
    order: VecDeque<(Actor, String)>,
}

impl Answers {
    fn of(&self, command: &Command) -> Option<Result<u64, Refusal>> {
        self.results.get(&(command.actor.clone(), command.id.clone())).copied()
    }

    fn remember(&mut self, command: &Command, result: Result<u64, Refusal>) {
        let key = (command.actor.clone(), command.id.clone());
        self.order.push_back(key.clone());
        self.results.insert(key, result);
        while self.order.len() > ANSWERS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.results.remove(&oldest);
            }
        }
    }
}

impl Engine {
    /// Does what somebody asks for, once, and answers with the log position that holds the effect.
    pub(crate) fn obey(&mut self, command: Command) {
        let Some(centre) = self.centre(command.centre) else {
            return self.answer_command(command, Err(Refusal::Unknown));
        };
        if let Some(result) = centre.answers.of(&command) {
            return self.answer_command(command, result);
        }
        let done = self.carry_out(&command);
        let result = done.map(|()| self.centre(command.centre).map_or(0, |centre| centre.last_seq()));
        if let Err(refusal) = result {
            self.count(Counter::CommandRefused(code(refusal)));
        }
        if let Some(centre) = self.centre_mut(command.centre) {
            centre.answers.remember(&command, result);
        }
        self.answer_command(command, result);
    }

    fn answer_command(&mut self, command: Command, result: Result<u64, Refusal>) {
        let Command { centre, id, actor, .. } = command;
        self.put(Output::Outcome(Outcome { centre, id, actor, result }));
    }

    fn carry_out(&mut self, command: &Command) -> Result<(), Refusal> {
        let by = command.actor.clone();
        self.may(command.centre, &by, &command.verb)?;
        if let Some(done) = self.carry_out_beside(command) {
            return done;
        }
        let fact = match command.verb.clone() {
            Verb::SignIn { agent, position } => Fact::SignIn { agent, position, by },
            Verb::SignOut { agent } => Fact::Intent { agent, intent: Intent::SignedOut, by },
            Verb::Ready { agent } => Fact::Intent { agent, intent: Intent::Ready, by },
            Verb::Pause { agent, reason } => Fact::Intent { agent, intent: Intent::Paused(reason), by },
            Verb::AutoAnswer { agent, on } => Fact::AutoAnswer { agent, on },
            Verb::OfferSeen { agent, offer } => Fact::Seen { agent, offer },
            Verb::Claim { agent, offer } => return self.claim(agent, offer),
            Verb::Reject { agent, offer } => Fact::Reject { agent, offer },
            Verb::Move { work, queue } => return self.move_work(command.centre, work, queue, by),
            Verb::Release { agent, call, disposition } => {
                return self.release_by(agent, call, by, disposition);
            }
            Verb::Leave { agent, call } => return self.leave(agent, call),
            Verb::Consult { agent, call, whom } => return self.consult(agent, call, &whom),
            Verb::Conference { agent, call } => return self.confer(agent, call),
            Verb::Dismiss { agent, call } => return self.dismiss(agent, call),
            Verb::Watch { agent, call, seat } => return self.watch_call(agent, call, seat, by),
            Verb::TakeOver { agent, call } => return self.take_over(agent, call, by),
            Verb::Answer { agent } => Fact::Answer { agent },
            Verb::Pick { agent, call, confirmed } => return self.pick(agent, call, confirmed),
            Verb::PickUp { agent, confirmed } => Fact::PickUp { agent, confirmed },
            Verb::Hold { agent, call } => return self.hold(agent, call),
            Verb::Vital { agent, call } => return self.confirm_vital(agent, call, by),
            Verb::Note { call, text } => return self.note(call, &text, by),
            Verb::Raise { work, class } => {
                let call = self.centre(work.centre).and_then(|centre| centre.works.get(&work)).copied();
                return self.qualify(call.ok_or(Refusal::Unknown)?, &class, by);
            }
            Verb::Skills { agent, skills } => {
                let long = skills.len() > SKILLS_MAX || skills.iter().any(|it| it.len() > SKILL_MAX);
                if long {
                    return Err(Refusal::Invalid);
                }
                Fact::Skills { agent, skills, by }
            }
            Verb::Qualify { call, class } => return self.qualify(call, &class, by),
            // Carried out before.
            _ => return Err(Refusal::Invalid),
        };
        self.ask_floor(command.centre, fact)
    }

    /// Tells the floor what a person wants, if it can be had.
    pub(crate) fn ask_floor(&mut self, centre: CentreId, fact: Fact) -> Result<(), Refusal> {
        self.centre(centre).ok_or(Refusal::Unknown)?.floor.allows(&fact)?;
        self.tell_floor(centre, fact);
        Ok(())
    }

    fn move_work(
        &mut self,
        centre: CentreId,
        work: crate::id::WorkId,
        queue: crate::id::QueueId,
        by: Actor,
    ) -> Result<(), Refusal> {
        let call = self.centre(centre).and_then(|centre| centre.works.get(&work)).copied();
        let waits = |call: &CallId| self.calls.get(call).is_some_and(|call| call.work == Some(work));
        match call.filter(waits) {
            Some(call) => self.move_to(call, work, queue, by),
            None => self.ask_floor(centre, Fact::MoveTo { work, queue, by }),
        }
    }

    /// Somebody says how urgent a call is: the item moves if it waits, and the word is kept for the
    /// case that the call has to wait again.
    pub(crate) fn qualify(&mut self, id: CallId, class: &str, by: Actor) -> Result<(), Refusal> {
        let centre = self.centre(id.centre).ok_or(Refusal::Unknown)?;
        let class = match meant_by(&centre.plan, class) {
            None => self.meant_abroad(id, class, &by).ok_or(Refusal::Invalid)?,
            Some(class) => class,
        };
        let source = self.source_of(&by);
        self.reclass(id, class, by, source)?;
        if let Some(call) = self.calls.get_mut(&id) {
            call.qualified = true;
        }
        Ok(())
    }

    /// A class of the plan of whoever helps, as the call's own plan would have it.
    fn meant_abroad(&self, id: CallId, word: &str, by: &Actor) -> Option<ClassId> {
        let Actor::Agent(agent) = by else { return None };
        let theirs = &self.centre(agent.centre).filter(|centre| centre.id != id.centre)?.plan;
        let meant = theirs.class(meant_by(theirs, word)?)?;
        class_like(&self.centre(id.centre)?.plan, &meant.name, meant.fence)
    }

    /// The call has another class from here on, on somebody's word.
    pub(crate) fn reclass(
        &mut self,
        id: CallId,
        class: ClassId,
        by: Actor,
        source: Source,
    ) -> Result<(), Refusal> {
        let centre = self.centre(id.centre).ok_or(Refusal::Unknown)?;
        let call = self.calls.get(&id).ok_or(Refusal::Unknown)?;
        let meant = centre.plan.class(class).ok_or(Refusal::Invalid)?.clone();
        let (work, arrived) = (call.work, call.came());
        if let Some(work) = work {
            // Only the place changes here: the offer it allows must follow the word in the log.
            let now = self.now.at;
            if let Some(centre) = self.centre_mut(work.centre) {
                let class = class_like(&centre.plan, &meant.name, meant.fence).unwrap_or(class);
                centre.floor.handle(now, Fact::Class { work, class });
            }
        }
        let place = work.and_then(|work| self.centre(work.centre)?.floor.place(work));
        let due = place.map_or(arrived + meant.target, |place| place.due);
        let call = self.calls.get_mut(&id).ok_or(Refusal::Unknown)?;
        call.class.clone_from(&meant.name);
        call.fenced = meant.fence;
        let (class, fenced) = (meant.name, meant.fence);
        let said = Event::Qualified { call: id, work, class, fenced, due, by: by.clone(), source };
        self.tell_helpers(id, &said);
        self.log(id.centre, said);
        self.tell_floor(work.map_or(id.centre, |work| work.centre), Fact::Due);
        self.reclass_abroad(id, &by, source);
        Ok(())
    }

    fn source_of(&self, actor: &Actor) -> Source {
        match self.role_of(actor) {
            Some(Role::Agent) => Source::Arm,
            Some(Role::Regulator) => Source::Doctor,
            _ => Source::Supervisor,
        }
    }

    fn role_of(&self, actor: &Actor) -> Option<Role> {
        match actor {
            Actor::Agent(agent) => Some(self.centre(agent.centre)?.agent(*agent)?.role),
            _ => None,
        }
    }

    /// Whether this author may want this. What the API's users may do, the driver has checked by
    /// their tokens; people of the roster act for themselves, supervisors for everyone.
    fn may(&self, centre: CentreId, actor: &Actor, verb: &Verb) -> Result<(), Refusal> {
        let (about, whose) = subject(verb, centre);
        if whose != centre {
            return if self.helps(centre, actor, verb) { Ok(()) } else { Err(Refusal::Unknown) };
        }
        let Actor::Agent(me) = actor else {
            let known = !matches!(actor, Actor::Caller);
            return if known { Ok(()) } else { Err(Refusal::Forbidden) };
        };
        let steers = match self.role_of(actor) {
            Some(Role::Supervisor | Role::Administrator) => true,
            Some(Role::Agent | Role::Regulator) => false,
            None => return Err(Refusal::Unknown),
        };
        match (about, verb) {
            _ if steers && me.centre == centre => Ok(()),
            (_, Verb::Watch { .. } | Verb::TakeOver { .. }) => Err(Refusal::Forbidden),
            (Some(agent), _) if agent == *me => Ok(()),
            (None, verb) if me.centre == centre && is_anybodys(verb) => Ok(()),
            _ => Err(Refusal::Forbidden),
        }
    }

    /// Whether this is somebody of the centre that serves a call of another one, and speaks of it.
    fn helps(&self, centre: CentreId, actor: &Actor, verb: &Verb) -> bool {
        let Actor::Agent(me) = actor else { return false };
        let (Verb::Qualify { call, .. } | Verb::Note { call, .. } | Verb::Tag { call, .. }) = verb else {
            return false;
        };
        me.centre == centre && self.calls.get(call).is_some_and(|call| call.served_at() == centre)
    }

    /// What is said of a call, for those of another centre who serve it. Its record has the word of its
    /// own centre.
    pub(crate) fn tell_helpers(&mut self, id: CallId, said: &Event) {
        let at = self.calls.get(&id).map_or(id.centre, Call::served_at);
        if at != id.centre {
            self.log_apart(at, said.clone());
        }
    }

    /// Another plan serves new calls; those in flight keep what theirs has decided. The same plan again
    /// changes nothing (I28).
    pub(crate) fn change_plan(&mut self, id: CentreId, plan: Arc<Dialplan>) {
        let Some(centre) = self.centre_mut(id) else { return };
        if *centre.plan == *plan {
            return;
        }
        centre.plan = Arc::clone(&plan);
        let version = plan.version.clone();
        let queues = plan.queues.iter().map(|queue| queue.name.clone()).collect();
        let classes = plan.classes.iter().map(|class| class.name.clone()).collect();
        self.log(id, Event::PlanChanged { version, queues, classes });
        self.tell_floor(id, Fact::Plan(plan));
        self.divide_again(id);
    }

    /// One of our phones calls: a feature code, or a service like anybody.
    pub(crate) fn phone_dials(&mut self, dialog: DialogId, invite: &Invite) {
        let Some(number) = dialled(&invite.uri) else {
            return self.endpoint.refuse(self.now, dialog, 404, None);
        };
        let number = number.replace("%2A", "*").replace("%2a", "*");
        let agent = self.agent_at(invite);
        if let Some(replaced) = invite.replaces {
            return self.take_the_place_of(dialog, invite, agent, replaced);
        }
        if self.is_service(&number) {
            return match self.room_for_a_phone(invite) {
                Ok(()) => self.arrive(dialog, invite, None),
                Err(code) => self.out_of_room(dialog, code),
            };
        }
        let somebody = agent.and_then(|agent| Some((agent, self.meant_by_number(agent.centre, &number)?)));
        if let Some((agent, whom)) = somebody {
            return self.ask_by_second_line(dialog, invite, agent, &whom);
        }
        let (Some(agent), true) = (agent, number.starts_with('*')) else {
            return self.endpoint.refuse(self.now, dialog, 404, None);
        };
        let verb = match number.as_str() {
            "*8" => return self.pick_up_by_phone(dialog, invite, agent),
            "*0" => Verb::SignOut { agent },
            "*1" | "*3" => Verb::Ready { agent },
            "*2" => Verb::Pause { agent, reason: BY_PHONE.to_owned() },
            "*4" => Verb::AutoAnswer { agent, on: true },
            "*5" => Verb::AutoAnswer { agent, on: false },
            _ => return self.endpoint.refuse(self.now, dialog, 404, None),
        };
        self.confirm_by_tone(dialog, agent, invite);
        let (centre, id) = (agent.centre, invite.call_id.clone());
        self.obey(Command { centre, id, actor: Actor::Agent(agent), verb });
        self.is_there(agent);
    }

    /// Whose phone an INVITE comes from: by its address, or by the path it has registered over.
    fn agent_at(&self, invite: &Invite) -> Option<AgentId> {
        let sits_there = |phone: &Phone| match phone {
            Phone::Page => false,
            Phone::Static { address, .. } => *address == invite.flow.remote,
            Phone::Registered { user, .. } => {
                invite.from.number.as_deref() == Some(user)
                    && self.endpoint.contacts(user).iter().any(|place| place.flow == invite.flow)
            }
        };
        self.centres.iter().find_map(|centre| {
            let index = centre.roster.iter().position(|agent| {
                sits_there(&agent.phone) || agent.fallback.as_ref().is_some_and(sits_there)
            })?;
            Some(AgentId { centre: centre.id, index: u32::try_from(index).ok()? })
        })
    }

    /// Answers a feature code with a short tone. Without audio to be had the code works all the
    /// same, and the phone sees a refusal.
    fn confirm_by_tone(&mut self, dialog: DialogId, agent: AgentId, invite: &Invite) {
        let offer = negotiate::read_offer(invite.sdp.as_deref());
        let Some(leg) = self.centre_mut(agent.centre).map(|centre| centre.leg_id()) else { return };
        let Some(port) = self.room_for_a_tone() else { return self.out_of_room(dialog, 480) };
        let Some((local, stream)) =
            first_words(leg, port, (invite, &offer), (self.site.phones_srtp, self.keys.draw()))
        else {
            self.stock.put([port]);
            return self.endpoint.refuse(self.now, dialog, 488, None);
        };
        self.lines.insert(dialog, Line::Tone(leg));
        self.tones.insert(leg, dialog);
        self.media(MediaCommand::Open { leg, port, stream });
        self.media(MediaCommand::Play { leg, program: Program::RingBack });
        self.endpoint.answer(self.now, dialog, &local.body);
        self.alarms.set(Alarm::ToneOver(leg), self.now.at + TONE_LASTS);
    }

    /// The tone is over, or the phone has hung up before.
    pub(crate) fn end_tone(&mut self, leg: LegId) {
        self.alarms.clear(Alarm::ToneOver(leg));
        let Some(dialog) = self.tones.remove(&leg) else { return };
        if self.lines.remove(&dialog).is_some() {
            self.endpoint.end(self.now, dialog, None);
        }
        self.media(MediaCommand::Close { leg });
    }
}

/// The agent a command is for, where it is for one, and the centre of what it names.
fn subject(verb: &Verb, centre: CentreId) -> (Option<AgentId>, CentreId) {
    match verb {
        Verb::SignIn { agent, .. }
        | Verb::SignOut { agent }
        | Verb::Ready { agent }
        | Verb::Pause { agent, .. }
        | Verb::AutoAnswer { agent, .. }
        | Verb::OfferSeen { agent, .. }
        | Verb::Claim { agent, .. }
        | Verb::Reject { agent, .. }
        | Verb::Answer { agent }
        | Verb::Pick { agent, .. }
        | Verb::PickUp { agent, .. }
        | Verb::Hold { agent, .. }
        | Verb::Vital { agent, .. }
        | Verb::Leave { agent, .. }
        | Verb::Consult { agent, .. }
        | Verb::Conference { agent, .. }
        | Verb::Dismiss { agent, .. }
        | Verb::Watch { agent, .. }
        | Verb::TakeOver { agent, .. }
        | Verb::HandOver { agent, .. }
        | Verb::TakeBack { agent, .. }
        | Verb::ReferBack { agent, .. }
        | Verb::DropToCallback { agent, .. }
        | Verb::Release { agent, .. } => (Some(*agent), agent.centre),
        // Nobody's own to change.
        Verb::Skills { agent, .. } => (None, agent.centre),
        Verb::Note { call, .. }
        | Verb::Qualify { call, .. }
        | Verb::Tag { call, .. }
        | Verb::PlanCallback { call, .. }
        | Verb::DismissCallback { call, .. } => (None, call.centre),
        Verb::AddToMajor { event, .. } | Verb::CloseMajor { event } => (None, event.centre),
        Verb::SetOverflow { queue, .. } => (None, queue.centre),
        Verb::OpenMajor(_) => (None, centre),
        Verb::Raise { work, .. } | Verb::Move { work, .. } => (None, work.centre),
    }
}

/// What everybody of the room may say about any call.
fn is_anybodys(verb: &Verb) -> bool {
    matches!(
        verb,
        Verb::Qualify { .. }
            | Verb::Note { .. }
            | Verb::Tag { .. }
            | Verb::PlanCallback { .. }
            | Verb::DismissCallback { .. }
            | Verb::AddToMajor { .. }
    )
}

/// The class a word means: by its name in the plan; P0..P3 in any case, and P0 as what stands behind
/// the fence when no class has that name.
fn meant_by(plan: &Dialplan, word: &str) -> Option<ClassId> {
    let low = word.to_ascii_lowercase();
    let named = plan.class_named(word).or_else(|| plan.class_named(&low));
    named.or_else(|| if low == "p0" { fence_of(plan) } else { None })
}

/// The class of confirmed vital calls.
pub(crate) fn fence_of(plan: &Dialplan) -> Option<ClassId> {
    let place = plan.classes.iter().position(|class| class.fence)?;
    u16::try_from(place).ok().map(ClassId)
}

fn code(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::Unknown => "unknown",
        Refusal::Gone => "gone",
        Refusal::Busy => "busy",
        Refusal::Forbidden => "forbidden",
        Refusal::SignedOut => "signed-out",
        Refusal::Invalid => "invalid",
        Refusal::NoAudio => "no-audio",
        Refusal::VitalWaits => "vital-waits",
        Refusal::Alone => "alone",
        Refusal::TakenBy(_) => "taken",
    }
}
