// Printed from engine/src/live by its test `the_pages_know_the_wire`: change it there.

/**
 * Why an agent is chosen.
 */
export type AgentReason = "longest-idle" | "only" | "claimed" | "picked" | "invited";

/**
 * One agent.
 */
export type AgentRow = { 
/**
 * The name commands use.
 */
agent: string, 
/**
 * Where the agent sits.
 */
position: string, 
/**
 * The role of the shift.
 */
role: Role, 
/**
 * What the agent asked for.
 */
intent: Intent, 
/**
 * The phone can be rung.
 */
reachable: boolean, 
/**
 * Why it can, or cannot: a code.
 */
reach: string, 
/**
 * What the agent does.
 */
occupation: Occupation, 
/**
 * With which call.
 */
call: string | null, 
/**
 * Left alone after letting a call ring out.
 */
rona: boolean, 
/**
 * When any of the above changed last.
 */
since: Millis, 
/**
 * Until when, for wrap-up.
 */
until: Millis | null, 
/**
 * The skills of the shift.
 */
skills: Array<string>, 
/**
 * The agent's phone is the page.
 */
by_page: boolean, 
/**
 * Its page follows the feed.
 */
page: boolean, 
/**
 * The page's connection for audio stands.
 */
audio: boolean, 
/**
 * The page's microphone and speakers are fit.
 */
fit: boolean, 
/**
 * Why no call is offered; `None`: eligible.
 */
why_not: WhyNot | null, 
/**
 * Every reason that keeps calls away, the first to look at first; empty: eligible.
 */
why: Array<WhyNot>, };

/**
 * Something a supervisor should look at.
 */
export type AlarmRow = { 
/**
 * Its place in the log: the order of alarms.
 */
seq: number, 
/**
 * When.
 */
at: Millis, 
/**
 * What: `longest-wait`, `agent-lost`, `no-media`, `recall`, `recontact`, `rona`, `trunk-down`,
 * `refused`, `unenciphered`, `other-family`.
 */
code: string, 
/**
 * Of which queue, agent or call, by name.
 */
of: string, 
/**
 * It still stands; of what merely happened, never.
 */
on: boolean, };

/**
 * How well the network knows its caller, by its own word (RFC 8588 §4): shown, verified by nobody here.
 */
export type Attested = "A" | "B" | "C" | "unreadable";

/**
 * Why this item went to this agent: read by the log, the board and the tests.
 */
export type Because = { 
/**
 * Why this item among those waiting: `fence`, `deadline` or `arrival`.
 */
item: ItemReason, 
/**
 * How many items the agent could have had.
 */
waiting: number, 
/**
 * Why this agent among those free.
 */
agent: AgentReason, 
/**
 * How many agents could have had it.
 */
free: number, 
/**
 * The step that allowed it.
 */
after: Trigger, };

/**
 * One call, for whoever opens it.
 */
export type CallRow = { 
/**
 * The call.
 */
call: string, 
/**
 * Over which trunk.
 */
trunk: string, 
/**
 * What was dialled.
 */
called: string, 
/**
 * The plan's service for it.
 */
service: string, 
/**
 * Number to call back, as far as the viewer may see it.
 */
caller: Private, 
/**
 * Name shown by the network, for those who may see it.
 */
caller_name: Private | null, 
/**
 * The caller asked for privacy.
 */
withheld: boolean, 
/**
 * What the call's INVITE said beside who calls whom, as far as the viewer may see it.
 */
signed: Signed | null, 
/**
 * When it reached us.
 */
arrived: Millis, 
/**
 * The route that won.
 */
route: string | null, 
/**
 * Where it stands.
 */
stage: Stage, 
/**
 * The queue it is or was last in, by name.
 */
queue: string | null, 
/**
 * Its class.
 */
class: string | null, 
/**
 * Agents who talk with the caller, by name.
 */
with: Array<string>, 
/**
 * Everyone in the conversation but the caller.
 */
parties: Array<PartyRow>, 
/**
 * Somebody is being asked, and the caller is on hold.
 */
consult: ConsultRow | null, 
/**
 * A regulator is being called, or somebody else of ours.
 */
calling: boolean, 
/**
 * The latest note, for those who may see it.
 */
note: Private | null, 
/**
 * Words that stand on it.
 */
tags: Array<string>, 
/**
 * The latest earlier call of the same number.
 */
earlier: EarlierRow | null, 
/**
 * The ways out of its queue that are being tried, or the one that answered.
 */
away: Array<string>, 
/**
 * It is a callback, and why.
 */
callback: WhyCallback | null, 
/**
 * The major event it belongs to, by name.
 */
major: string | null, };

/**
 * Somebody to be called.
 */
export type CallbackRow = { 
/**
 * Its id, as a call's.
 */
call: string, 
/**
 * The call it comes from.
 */
of: string | null, 
/**
 * Why.
 */
why: WhyCallback, 
/**
 * Its class.
 */
class: string | null, 
/**
 * Where its class stands in the plan's list: the first are the most urgent.
 */
priority: number, 
/**
 * The queue it waits in, by name.
 */
queue: string | null, 
/**
 * The service that was dialled.
 */
service: string, 
/**
 * The number to call, as far as the viewer may see it.
 */
caller: Private, 
/**
 * The name the network showed, for those who may see it.
 */
caller_name: Private | null, 
/**
 * The latest note, for those who may see it.
 */
note: Private | null, 
/**
 * Where its wait is counted from.
 */
since: Millis, 
/**
 * Offered to nobody before this: its time, or the next attempt.
 */
until: Millis | null, 
/**
 * Whose file it is, by name.
 */
owner: string | null, 
/**
 * Attempts that reached nobody.
 */
tried: number, 
/**
 * How the last one failed.
 */
last: Unreached | null, 
/**
 * Who has accepted it and hears the person's phone ring, by name.
 */
dialling: string | null, };

/**
 * One key's latest row; without a row it is gone.
 */
export type Change = { 
/**
 * Which.
 */
key: string, 
/**
 * Its row.
 */
row: Row | null, };

/**
 * What a page says. A field we do not know is refused, never silently without effect.
 */
export type ClientMessage = { "type": "hello", 
/**
 * The protocol it speaks.
 */
proto: number, 
/**
 * The topics it wants, each with where it stands.
 */
resume: Array<Resume>, 
/**
 * The tab's own random id, kept over a reload: the audio is still this tab's when its
 * socket has broken or it was loaded again. Without one, audio is lost with the socket.
 */
tab?: string | null, } | { "type": "command", 
/**
 * Chosen by the sender, unique for the sender.
 */
id: string, 
/**
 * What.
 */
verb: WireVerb, } | { "type": "offer.seen", 
/**
 * Which.
 */
offer: string, } | { "type": "resync", 
/**
 * Which.
 */
topic: string, } | { "type": "pong", 
/**
 * The ping's number.
 */
n: number, 
/**
 * The page is in the foreground.
 */
visible?: boolean | null, 
/**
 * How its audio does: a code.
 */
audio?: string | null, 
/**
 * Where it stands in each topic.
 */
seen: Array<Seen>, } | { "type": "rtc.offer", 
/**
 * The browser's SDP, candidates included.
 */
sdp: string, } | { "type": "audio", 
/**
 * Fit to talk.
 */
fit: boolean, 
/**
 * Why not, a code; empty when fit.
 */
why: string, } | { "type": "present", } | { "type": "take_over", };

/**
 * Somebody is being asked, and the caller is on hold.
 */
export type ConsultRow = { 
/**
 * Who asks, by name.
 */
by: string, 
/**
 * Who is asked: the name of a person, a queue or a contact.
 */
whom: string, 
/**
 * Since when the caller is on hold.
 */
since: Millis, 
/**
 * By when somebody has answered, or the agent has the caller again.
 */
deadline: Millis, 
/**
 * They talk with each other.
 */
answered: boolean, };

/**
 * A call in an agent's ear, on that agent's page.
 */
export type ConversationRow = { 
/**
 * The call.
 */
call: string, 
/**
 * Its class, when it has one.
 */
class: string | null, 
/**
 * The service that was dialled.
 */
service: string, 
/**
 * Number to call back.
 */
caller: Private, 
/**
 * Name shown by the network.
 */
caller_name: Private | null, 
/**
 * The caller asked for privacy.
 */
withheld: boolean, 
/**
 * What the call's INVITE said beside who calls whom, as far as the viewer may see it.
 */
signed: Signed | null, 
/**
 * When they were connected.
 */
since: Millis, 
/**
 * How long the caller had waited.
 */
waited: Millis, 
/**
 * The latest note.
 */
note: Private | null, 
/**
 * Since when the agent is not heard: without another agent in it the caller hears comfort audio,
 * and is offered to others soon.
 */
lost: Millis | null, 
/**
 * Everyone in it but the caller, this agent too; supervisors who only listen as well.
 */
parties: Array<PartyRow>, 
/**
 * Somebody is being asked, and the caller is on hold.
 */
consult: ConsultRow | null, 
/**
 * A regulator is being called, or somebody else of ours.
 */
calling: boolean, };

/**
 * One of the last decisions.
 */
export type DecisionRow = { 
/**
 * Its place in the log: the order of decisions.
 */
seq: number, 
/**
 * When.
 */
at: Millis, 
/**
 * The offer.
 */
offer: string, 
/**
 * The item.
 */
work: string, 
/**
 * Its call.
 */
call: string, 
/**
 * To whom, by name.
 */
agent: string, 
/**
 * The item's queue by name, and its class.
 */
queue: string, 
/**
 * See `queue`.
 */
class: string, 
/**
 * What kind of offer.
 */
kind: OfferKind, 
/**
 * How long the item had waited.
 */
waited: Millis, 
/**
 * Why.
 */
because: Because, 
/**
 * How it ended, once it has.
 */
end: OfferEnd | null, };

/**
 * An earlier call of the same number.
 */
export type EarlierRow = { 
/**
 * Which.
 */
call: string, 
/**
 * How it ended.
 */
past: Past, 
/**
 * How long before this one.
 */
ago: Millis, 
/**
 * The class it had.
 */
class: string, 
/**
 * Who talked with the caller last, by name.
 */
agent: string | null, };

/**
 * The figures of all calls, or of one service's, since the epoch began.
 */
export type FiguresRow = { 
/**
 * The service; `None`: all calls.
 */
service: string | null, 
/**
 * Calls that reached us, tests left out.
 */
attempts: number, 
/**
 * Of these, callers who had not called in the ten minutes before.
 */
callers: number, 
/**
 * Answered by a human here.
 */
answered: number, 
/**
 * Answered by a human elsewhere.
 */
overflowed: number, 
/**
 * Hung up before 15 s.
 */
short: number, 
/**
 * Hung up at 15 s or later.
 */
abandoned: number, 
/**
 * Of these, callers answered later, or reached by a callback.
 */
recovered: number, 
/**
 * Broken by a network before anybody answered.
 */
broken: number, 
/**
 * Answered within 15, 20, 30 and 60 s of the INVITE.
 */
within: [number, number, number, number], 
/**
 * Callbacks that began, and those that reached the person.
 */
callbacks: number, 
/**
 * See `callbacks`.
 */
reached: number, 
/**
 * Mean time from the entry to the first stage's answer.
 */
t1: Millis | null, 
/**
 * Mean time from the hand-over to the second stage's answer.
 */
t2: Millis | null, };

/**
 * A caller who was handed over and waits for the next stage.
 */
export type HandOverRow = { 
/**
 * The call.
 */
call: string, 
/**
 * Its class.
 */
class: string, 
/**
 * Where its class stands in the plan's list: the first are the most urgent.
 */
priority: number, 
/**
 * The queue it waits in, by name.
 */
queue: string, 
/**
 * The service that was dialled.
 */
service: string, 
/**
 * Number to call back, as far as the viewer may see it.
 */
caller: Private, 
/**
 * The name the network shows, for those who may see it.
 */
caller_name: Private | null, 
/**
 * The caller asked for privacy.
 */
withheld: boolean, 
/**
 * The latest note, for those who may see it.
 */
note: Private | null, 
/**
 * Who is responsible until somebody answers, by name.
 */
by: string, 
/**
 * Back to the stage it came from.
 */
back: boolean, 
/**
 * Since when it waits there.
 */
since: Millis, 
/**
 * When somebody must talk with the caller again.
 */
recontact: Millis, 
/**
 * That moment has passed.
 */
alarm: boolean, };

/**
 * A call on the list the room shares: anybody may pick it.
 */
export type HeldRow = { 
/**
 * The call.
 */
call: string, 
/**
 * Its class, when it has one.
 */
class: string | null, 
/**
 * The service that was dialled.
 */
service: string, 
/**
 * Number to call back, as far as the viewer may see it.
 */
caller: Private, 
/**
 * Name shown by the network, for those who may see it.
 */
caller_name: Private | null, 
/**
 * The caller asked for privacy.
 */
withheld: boolean, 
/**
 * The latest note, for those who may see it.
 */
note: Private | null, 
/**
 * Whose it was, by name.
 */
by: string, 
/**
 * That agent's page is lost; without it the agent has put it there.
 */
lost: boolean, 
/**
 * Since when it is on the list.
 */
since: Millis, 
/**
 * When somebody has to look at it again.
 */
recall: Millis, 
/**
 * That moment has passed.
 */
alarm: boolean, };

/**
 * What an agent wants.
 */
export type Intent = "signed-out" | "ready" | { "paused": string };

/**
 * Why an item is first.
 */
export type ItemReason = "fence" | "deadline" | "only";

/**
 * A major event.
 */
export type MajorRow = { 
/**
 * Its id.
 */
event: string, 
/**
 * Its name.
 */
name: string, 
/**
 * Calls with one of these tags belong to it.
 */
tags: Array<string>, 
/**
 * Calls to one of these numbers belong to it.
 */
numbers: Array<string>, 
/**
 * Where its calls wait, by name.
 */
queue: string | null, 
/**
 * Who serves it, by name.
 */
team: Array<string>, 
/**
 * Who is kept for everything else, by name.
 */
rest: Array<string>, 
/**
 * Since when.
 */
since: Millis, 
/**
 * When it was over; the last few are kept.
 */
until: Millis | null, 
/**
 * Calls of it.
 */
calls: number, 
/**
 * Those that are alive.
 */
live: number, 
/**
 * Those somebody has answered.
 */
answered: number, 
/**
 * Those whose callers hung up before.
 */
abandoned: number, };

/**
 * Milliseconds: a length of time, or a point on the centre's timeline (`welcome` and `ping` say
 * where that timeline stands). A browser's numbers hold them exactly; nanoseconds they would not.
 */
export type Millis = number;

/**
 * What happened in one minute.
 */
export type MinuteRow = { 
/**
 * When it began.
 */
from: Millis, 
/**
 * Calls that reached us in it.
 */
arrived: number, 
/**
 * Calls an agent has answered, each counted once.
 */
answered: number, 
/**
 * Callers who hung up while waiting.
 */
abandoned: number, 
/**
 * The most that waited at once.
 */
waiting: number, };

/**
 * What an agent is doing: derived from legs and reservations, never stored.
 */
export type Occupation = "free" | "offered" | "talking" | "wrap-up";

/**
 * How an offer ended.
 */
export type OfferEnd = "taken" | "rejected" | "timed-out" | "unreachable" | "phone-busy" | "answered-elsewhere" | "caller-gone" | "rescinded" | "lost-before-bridge";

/**
 * What an offer is.
 */
export type OfferKind = "exclusive" | "shared" | "alert" | "join";

/**
 * An offer, on the page of the agent it is made to.
 */
export type OfferRow = { 
/**
 * The offer.
 */
offer: string, 
/**
 * Reservation, invitation, alert or join.
 */
kind: OfferKind, 
/**
 * The item.
 */
work: string, 
/**
 * Its call.
 */
call: string, 
/**
 * Its class.
 */
class: string, 
/**
 * The service that was dialled.
 */
service: string, 
/**
 * Number to call back.
 */
caller: Private, 
/**
 * Name shown by the network.
 */
caller_name: Private | null, 
/**
 * The caller asked for privacy.
 */
withheld: boolean, 
/**
 * What the call's INVITE said beside who calls whom, as far as the viewer may see it.
 */
signed: Signed | null, 
/**
 * When the offer lapses.
 */
deadline: Millis, 
/**
 * How long the item had waited when it was made.
 */
waited: Millis, 
/**
 * Why.
 */
because: Because, 
/**
 * The phone rings.
 */
alerting: boolean, 
/**
 * The page takes it by itself, after a tone: the agent wants it so, and is there.
 */
auto_answer: boolean, };

/**
 * Somebody who takes part in a conversation.
 */
export type PartyRow = { 
/**
 * The name: of the roster, or of the directory.
 */
who: string, 
/**
 * The role of the shift; `None`: somebody outside.
 */
role: Role | null, 
/**
 * How they take part.
 */
seat: Seat, 
/**
 * They answer for the call.
 */
leads: boolean, 
/**
 * Since when.
 */
since: Millis, 
/**
 * Since when they are not heard.
 */
lost: Millis | null, };

/**
 * How an earlier call of the same number ended.
 */
export type Past = "answered" | "abandoned" | "broken";

/**
 * A number, name or place of a person: for an agent's screen and the record, never for a log.
 */
export type Private = string;

/**
 * One queue. Who waits in it, and for how long, is in the rows of those who wait.
 */
export type QueueRow = { 
/**
 * Its name.
 */
queue: string, 
/**
 * Its place in the plan.
 */
place: number, 
/**
 * Items that entered, without those that came back.
 */
entered: number, 
/**
 * Items that left into a conversation.
 */
answered: number, 
/**
 * Items that left without one.
 */
withdrawn: number, 
/**
 * The longest wait passed the plan's alarm.
 */
alarm: boolean, 
/**
 * A person has opened its way out.
 */
overflow: boolean, };

/**
 * Why a page gets a topic from the start.
 */
export type Reason = "first" | "epoch" | "ahead" | "behind" | "overflow" | "asked";

/**
 * A topic, and where a page stands in it; without epoch and version it stands nowhere yet.
 */
export type Resume = { 
/**
 * Which.
 */
topic: string, 
/**
 * The epoch of what it holds.
 */
epoch?: number | null, 
/**
 * The version of what it holds.
 */
v?: number | null, };

/**
 * The role of the shift.
 */
export type Role = "agent" | "regulator" | "supervisor" | "administrator";

/**
 * The latest value of a key.
 */
export type Row = { "type": "totals" } & Totals | { "type": "trunk" } & TrunkRow | { "type": "queue" } & QueueRow | { "type": "agent" } & AgentRow | { "type": "waiting" } & WaitingRow | { "type": "decision" } & DecisionRow | { "type": "offer" } & OfferRow | { "type": "conversation" } & ConversationRow | { "type": "call" } & CallRow | { "type": "held" } & HeldRow | { "type": "minute" } & MinuteRow | { "type": "alarm" } & AlarmRow | { "type": "callback" } & CallbackRow | { "type": "hand_over" } & HandOverRow | { "type": "major" } & MajorRow | { "type": "figures" } & FiguresRow;

/**
 * How a participant takes part in the conversation.
 */
export type Seat = "out" | "speaks" | "listens" | "whispers";

/**
 * Where a page stands in a topic.
 */
export type Seen = { 
/**
 * Which.
 */
topic: string, 
/**
 * Its version.
 */
v: number, };

/**
 * What we say.
 */
export type ServerMessage = { "type": "welcome", 
/**
 * The protocol spoken.
 */
proto: number, 
/**
 * The centre's name.
 */
centre: string, 
/**
 * This start of the engine.
 */
epoch: number, 
/**
 * Who the page is to us.
 */
viewer: string, 
/**
 * `observer`, `agent` or `supervisor`.
 */
right: string, 
/**
 * The agent's name, for an agent.
 */
agent: string | null, 
/**
 * The classes of the plan by name, in its order: what `qualify` and `raise` may say.
 */
classes: Array<string>, 
/**
 * The centre's directory by name, in its order: whom `consult` may name. Numbers stay with us.
 */
contacts: Array<string>, 
/**
 * Where the timeline stands.
 */
now: Millis, 
/**
 * What the wall clock says: milliseconds since 1970.
 */
utc: Millis, } | { "type": "plan", 
/**
 * The classes of the plan by name, in its order.
 */
classes: Array<string>, } | { "type": "up_to_date", 
/**
 * Which topic.
 */
topic: string, 
/**
 * Its epoch.
 */
epoch: number, 
/**
 * The version it stands at from here on.
 */
v: number, } | { "type": "replay", 
/**
 * Which topic.
 */
topic: string, 
/**
 * Its epoch.
 */
epoch: number, 
/**
 * From this version.
 */
pv: number, 
/**
 * To this one.
 */
v: number, 
/**
 * The rows that changed.
 */
changes: Array<Change>, } | { "type": "snapshot", 
/**
 * Which topic.
 */
topic: string, 
/**
 * Its epoch.
 */
epoch: number, 
/**
 * Its version.
 */
v: number, 
/**
 * Why.
 */
reason: Reason, 
/**
 * Every row.
 */
changes: Array<Change>, } | { "type": "delta", 
/**
 * Which topic.
 */
topic: string, 
/**
 * Its epoch.
 */
epoch: number, 
/**
 * From this version: the page stands there, or has missed something.
 */
pv: number, 
/**
 * To this one.
 */
v: number, 
/**
 * The rows that changed.
 */
changes: Array<Change>, } | { "type": "offer", 
/**
 * The how manieth time it is sent.
 */
nth: number, 
/**
 * The offer.
 */
offer: OfferRow, } | { "type": "offer_ended", 
/**
 * Which.
 */
offer: string, 
/**
 * How.
 */
end: OfferEnd, } | { "type": "outcome", 
/**
 * The command's id.
 */
id: string, 
/**
 * The epoch and ..
 */
epoch: number, 
/**
 * .. position of the log that contains the effect.
 */
seq: number | null, 
/**
 * Why there is none: a code.
 */
refusal: string | null, 
/**
 * Who was faster, by name, when it is `taken`.
 */
by: string | null, } | { "type": "ping", 
/**
 * Its number.
 */
n: number, 
/**
 * Where the timeline stands.
 */
now: Millis, 
/**
 * What the wall clock says: milliseconds since 1970.
 */
utc: Millis, } | { "type": "rtc.answer", 
/**
 * Our SDP.
 */
sdp: string, } | { "type": "rtc.failed", 
/**
 * Why, a code: `owned` (another page of this agent has the audio: `take_over` first),
 * `no_page` (this agent's phone is no page), `too_fast` (wait a second), `refused` (the
 * SDP could not be used, or the connection was lost: offer again), `unheard` (nothing comes
 * over the connection that stands: offer again).
 */
why: string, } | { "type": "taken_over", } | { "type": "error", 
/**
 * What is wrong: the page translates it.
 */
code: string, 
/**
 * What the code speaks of.
 */
params: { [key in string]: string }, };

/**
 * What an INVITE says beside who calls whom.
 */
export type Signed = { 
/**
 * How well the network knows the caller; `None` without a signature.
 */
attested: Attested | null, 
/**
 * Who has passed the call on, the latest first.
 */
passed_by: Array<Private>, 
/**
 * Its Resource-Priority (RFC 4412), `esnet.1` ...
 */
priority: string | null, };

/**
 * Where a call stands.
 */
export type Stage = "arriving" | "waiting" | "talking" | "held" | "outside" | "released";

/**
 * The centre's counters since its epoch began.
 */
export type Totals = { 
/**
 * The version of the plan in force, once it has been replaced.
 */
plan: string | null, 
/**
 * Calls that reached us.
 */
arrived: number, 
/**
 * Calls alive.
 */
live: number, 
/**
 * Calls an agent has answered, each counted once.
 */
answered: number, 
/**
 * Ended on purpose after talking.
 */
released: number, 
/**
 * Hung up while waiting, before 15 s.
 */
short_abandons: number, 
/**
 * Hung up while waiting, at 15 s or later.
 */
abandons: number, 
/**
 * Callers whose network failed.
 */
network: number, 
/**
 * Could not be served at all.
 */
refused: number, 
/**
 * Test calls.
 */
tests: number, 
/**
 * Conversations lost on an agent's side.
 */
agents_lost: number, 
/**
 * Times nothing was heard from a leg.
 */
no_media: number, };

/**
 * What made an offer possible at this step.
 */
export type Trigger = "work" | "agent" | "change" | "retry";

/**
 * One trunk.
 */
export type TrunkRow = { 
/**
 * Its name.
 */
trunk: string, 
/**
 * Calls it brought.
 */
arrived: number, 
/**
 * Calls of it that are alive.
 */
live: number, 
/**
 * How it stands; unknown while nobody asks it.
 */
state: TrunkState | null, };

/**
 * How a trunk stands, as our OPTIONS and its own traffic show.
 */
export type TrunkState = "up" | "suspect" | "down";

/**
 * How a callback did not reach the person.
 */
export type Unreached = "no-answer" | "busy" | "failed" | "given-up" | "agent-lost";

/**
 * Somebody waiting.
 */
export type WaitingRow = { 
/**
 * The item.
 */
work: string, 
/**
 * Its call.
 */
call: string, 
/**
 * The queue, by name.
 */
queue: string, 
/**
 * Its class.
 */
class: string, 
/**
 * Behind the fence.
 */
fenced: boolean, 
/**
 * When the call reached us.
 */
arrived: Millis, 
/**
 * Where it stands: first behind the fence, then the smallest, then the earliest arrived.
 */
due: Millis, 
/**
 * It came back after a failed connection or a loss.
 */
again: boolean, 
/**
 * The service that was dialled.
 */
service: string, 
/**
 * Over which trunk.
 */
trunk: string, 
/**
 * Number to call back, as far as the viewer may see it.
 */
caller: Private, 
/**
 * Name shown by the network, for those who may see it.
 */
caller_name: Private | null, 
/**
 * The caller asked for privacy.
 */
withheld: boolean, 
/**
 * Agents it is being offered to, by name.
 */
offered: Array<string>, };

/**
 * Why somebody is to be called.
 */
export type WhyCallback = "abandoned" | "broken" | "planned" | "dropped" | "kept";

/**
 * Why an agent is not offered calls; the page says it in words.
 */
export type WhyNot = "not-signed-in" | "no-page" | "no-audio" | "audio-unfit" | "paused" | "unreachable" | "rona" | "offered" | "talking" | "wrap-up";

/**
 * A wish as written: agents and queues by name, the rest by id. `agent` may be left out by an agent.
 */
export type WireVerb = { "type": "sign_in", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * Where; by default the configured position.
 */
position?: string | null, } | { "type": "sign_out", 
/**
 * Who.
 */
agent?: string | null, } | { "type": "ready", 
/**
 * Who.
 */
agent?: string | null, } | { "type": "pause", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * Why.
 */
reason: string, } | { "type": "claim", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The invitation.
 */
offer: string, } | { "type": "reject", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * Which.
 */
offer: string, } | { "type": "release", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, 
/**
 * As what.
 */
disposition?: string | null, } | { "type": "qualify", 
/**
 * The call.
 */
call: string, 
/**
 * A class of the plan.
 */
class: string, } | { "type": "answer", 
/**
 * Who.
 */
agent?: string | null, } | { "type": "pick", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * Which.
 */
call: string, 
/**
 * Said after `vital-waits`: this one all the same.
 */
confirmed?: boolean | null, } | { "type": "pick_up", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * Said after `vital-waits`: all the same.
 */
confirmed?: boolean | null, } | { "type": "auto_answer", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * Wanted, or not.
 */
on: boolean, } | { "type": "hold", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, } | { "type": "vital", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, } | { "type": "leave", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, } | { "type": "consult", 
/**
 * Who asks.
 */
agent?: string | null, 
/**
 * About which call.
 */
call: string, 
/**
 * A colleague, by name; or
 */
colleague?: string | null, 
/**
 * whoever of this queue's team is free first; or
 */
queue?: string | null, 
/**
 * somebody of the centre's directory, by name.
 */
outside?: string | null, } | { "type": "conference", 
/**
 * Who has asked.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, } | { "type": "dismiss", 
/**
 * Who has asked.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, } | { "type": "watch", 
/**
 * The supervisor, whose page or phone it is.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, 
/**
 * `speaks`, `listens` or `whispers`.
 */
seat: Seat, } | { "type": "take_over", 
/**
 * The supervisor.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, } | { "type": "note", 
/**
 * The call.
 */
call: string, 
/**
 * At most [`crate::io::NOTE_MAX`] characters.
 */
text: string, } | { "type": "raise", 
/**
 * The item.
 */
work: string, 
/**
 * A class of the plan.
 */
class: string, } | { "type": "skills", 
/**
 * Who.
 */
agent: string, 
/**
 * As the plan's queues name them.
 */
skills: Array<string>, } | { "type": "move", 
/**
 * The item.
 */
work: string, 
/**
 * Where to, by name.
 */
queue: string, } | { "type": "hand_over", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, 
/**
 * The queue, by name.
 */
queue: string, 
/**
 * A class of the plan, or P0..P3; by default as it is.
 */
class?: string | null, 
/**
 * For whoever answers there.
 */
note?: string | null, } | { "type": "take_back", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, 
/**
 * Said after `vital-waits`: this one all the same.
 */
confirmed?: boolean | null, } | { "type": "refer_back", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, 
/**
 * Why.
 */
note?: string | null, } | { "type": "tag", 
/**
 * The call.
 */
call: string, 
/**
 * The word.
 */
tag: string, } | { "type": "plan_callback", 
/**
 * The call.
 */
call: string, 
/**
 * In how many milliseconds.
 */
after: number, 
/**
 * What it is about.
 */
note?: string | null, } | { "type": "drop_to_callback", 
/**
 * Who.
 */
agent?: string | null, 
/**
 * The call.
 */
call: string, 
/**
 * What it is about.
 */
note?: string | null, } | { "type": "dismiss_callback", 
/**
 * Which.
 */
call: string, 
/**
 * Why.
 */
reason: string, } | { "type": "set_overflow", 
/**
 * The queue, by name.
 */
queue: string, 
/**
 * Open from here on, or not.
 */
open: boolean, } | { "type": "open_major", 
/**
 * Its name.
 */
name: string, 
/**
 * Calls with one of these tags belong to it.
 */
tags: Array<string>, 
/**
 * Calls to one of these numbers belong to it.
 */
numbers: Array<string>, 
/**
 * Where its calls wait, by name; by default where they would anyway.
 */
queue?: string | null, 
/**
 * Who serves that queue and no other, by name.
 */
team: Array<string>, 
/**
 * Who is kept for everything else, by name.
 */
rest: Array<string>, } | { "type": "close_major", 
/**
 * Which.
 */
event: string, } | { "type": "add_to_major", 
/**
 * Which.
 */
event: string, 
/**
 * The call.
 */
call: string, };
