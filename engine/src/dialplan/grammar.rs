//! What may stand where in a plan, and of which shape: the one source of the reader's keys and of the
//! JSON Schema that editors read. What never may stand in a plan is here too.

/// The keys of one kind of table.
pub(super) struct Grammar {
    /// What the schema calls it.
    pub(super) name: &'static str,
    pub(super) keys: &'static [Key],
    /// Keys an author may look for here, and where what they mean is written.
    pub(super) elsewhere: &'static [(&'static str, &'static str)],
}

/// One key of a table.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) needed: bool,
    pub(super) is: Shape,
    /// For whoever hovers over it.
    pub(super) about: &'static str,
}

/// What a value may be.
pub(super) enum Shape {
    /// A text.
    Text,
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// A text of this form, as a regular expression.
    Like(&'static str),
    /// A text, or a list of at least one.
    Texts,
    /// One of these texts, or a list of at least one.
    SomeOf(&'static [&'static str]),
    /// A list of texts; it may be empty.
    List,
    Flag,
    /// A whole number between these two.
    Whole(i64, i64),
    /// A number between these two.
    Number(f64, f64),
    /// `"20s"`, `"15m"`, `"2h"`.
    Duration,
    /// One table.
    Table(&'static Grammar),
    /// A list of tables.
    Tables(&'static Grammar),
    /// Names, each with a value of this shape.
    Named(&'static Shape),
    /// One of these.
    Either(&'static [Shape]),
}

impl Grammar {
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.keys.iter().map(|key| key.name)
    }
}

/// What an author may try in order to turn a caller away.
pub(super) const REFUSALS: [&str; 8] =
    ["refuse", "reject", "block", "busy", "drop", "hangup", "congestion", "answer_code"];

const fn needed(name: &'static str, is: Shape, about: &'static str) -> Key {
    Key { name, needed: true, is, about }
}

const fn maybe(name: &'static str, is: Shape, about: &'static str) -> Key {
    Key { name, needed: false, is, about }
}

const fn table(name: &'static str, keys: &'static [Key]) -> Grammar {
    Grammar { name, keys, elsewhere: &[] }
}

pub(super) const REGIONS: &[&str] = &["fr", "fr-alsace-moselle"];
pub(super) const HOLDS: &[&str] = &["answered", "early"];
pub(super) const OUTCOMES: &[&str] = &["answered", "abandoned"];
pub(super) const INHERITED: &[&str] = &["waited"];
pub(super) const MODES: &[&str] = &["exclusive", "shared", "pick"];
pub(super) const CAUSES: &[&str] =
    &["opened", "nobody-signed-in", "nobody-reachable", "waited", "length", "expected-wait"];
pub(super) const OVERFLOWS: &[&str] = &["additive", "move"];
pub(super) const STRATEGY: &str = "^(longest-idle|least-occupied|linear|ring-([2-9]|1[0-9]|20))$";
pub(super) const DESTINATION: &str = "^(queue|centre|trunk):.+$";
pub(super) const MENU_KEY: &str = "^[0-9*#]$";
pub(super) const ALL: &str = "all";

const HOLD_SHAPE: Shape = Shape::Either(&[Shape::OneOf(HOLDS), Shape::Table(&HOLD)]);
const OWNER_SHAPE: Shape = Shape::Either(&[Shape::Flag, Shape::Text]);
const NAME: Key = needed("name", Shape::Text, "As the room would name it; unique");

pub(super) const PLAN: Grammar = table(
    "plan",
    &[
        needed("plan", Shape::Text, "The plan's name, in records and on boards"),
        needed("version", Shape::Text, "Your version of it, in records and on boards"),
        maybe("timezone", Shape::Text, "Zone of all calendars, of the IANA database"),
        needed(
            "numbers",
            Shape::Named(&Shape::Text),
            "What the trunk delivers, and its service. Exact match",
        ),
        maybe("calendar", Shape::Named(&Shape::Table(&CALENDAR)), "When a service is open"),
        needed("class", Shape::Named(&Shape::Table(&CLASS)), "How urgent a call is"),
        needed("queue", Shape::Named(&Shape::Table(&QUEUE)), "Where calls wait, and who answers"),
        needed("route", Shape::Tables(&ROUTE), "The highest true one wins"),
        maybe("modifier", Shape::Tables(&MODIFIER), "Every true one applies; none lowers"),
        maybe("example", Shape::Tables(&EXAMPLE), "Run at load: a plan whose examples fail is refused"),
        maybe("simulation", Shape::Tables(&SIMULATION), "Traffic, and what must come of it"),
        maybe("callback", Shape::Table(&CALLBACK), "Whom the centre calls back; without it nobody"),
    ],
);
pub(super) const CALENDAR: Grammar = table(
    "calendar",
    &[
        maybe("windows", Shape::Texts, "Hours of every day: \"20:00-08:00\" goes on after midnight"),
        maybe("days", Shape::Texts, "\"sun\", \"sat 12:00-24:00\""),
        maybe("holidays", Shape::OneOf(REGIONS), "Public holidays"),
        maybe("open", Shape::Texts, "Dates, with or without a window"),
        maybe("closed", Shape::Texts, "Dates, with or without a window; stronger than all the rest"),
    ],
);
pub(super) const CALLBACK: Grammar = table(
    "callback",
    &[
        needed("trunk", Shape::Text, "Over which callers are called back"),
        maybe("shown", Shape::Text, "The number the person sees; none if not said"),
        maybe("ring", Shape::Duration, "How long the person's phone rings; 45s if not said"),
        maybe("retry", Shape::Texts, "How long after each attempt the next follows; 5m, 15m if not said"),
        maybe("keep", Shape::Duration, "How long it is kept when nobody comes to it; 4h if not said"),
        maybe("abandoned", Shape::Flag, "Callers who hung up after 15 s or more; true if not said"),
        maybe("broken", Shape::Flag, "Callers whose call a network broke; true if not said"),
    ],
);
pub(super) const CLASS: Grammar = table(
    "class",
    &[
        maybe("fence", Shape::Flag, "Confirmed vital: before every class without"),
        maybe("target", Shape::Duration, "Added to the arrival: the earliest sum is next"),
    ],
);
pub(super) const QUEUE: Grammar = table(
    "queue",
    &[
        maybe("stage", Shape::Text, "The stage of the call, for T1 and T2; the queue's name if not said"),
        needed("skills", Shape::Texts, "Any one lets an agent answer: \"arm\", \"german:2\""),
        maybe("relax", Shape::Tables(&RELAX), "Who may answer as well, after a wait"),
        needed("offer", Shape::Table(&OFFER), "How its calls reach agents"),
        maybe("vital", Shape::Table(&VITAL), "What a confirmed-vital call does beside going first"),
        maybe("reserve", Shape::Whole(0, 100), "Free agents kept for confirmed vital and partners"),
        maybe("overflow", Shape::Tables(&OVERFLOW), "Where its calls go when it cannot serve"),
        maybe(
            "recall",
            Shape::Duration,
            "A call held longer is an alarm on the shared list, again and again until somebody takes it",
        ),
        maybe("hold", HOLD_SHAPE, "Answered at once, or early media"),
        maybe("announce", Shape::Texts, "Sounds played once, in order"),
        maybe("hold_sound", Shape::Text, "The sound repeated then; \"hold\" if not said"),
        maybe("alarm", Shape::Duration, "A longest wait beyond this is shown and counted"),
    ],
);
pub(super) const RELAX: Grammar = table(
    "relax",
    &[
        needed("after", Shape::Duration, "Since the call came; confirmed vital does not wait for it"),
        needed("add", Shape::Texts, "The skills of who is added"),
    ],
);
pub(super) const VITAL: Grammar = table(
    "vital",
    &[
        maybe("alert_busy", Shape::Flag, "Busy agents are told while it waits; true if not said"),
        maybe("auto_answer", Shape::Flag, "Put through without a key press, after a tone; false if not said"),
    ],
);
pub(super) const OVERFLOW: Grammar = table(
    "overflow",
    &[
        needed("when", Shape::SomeOf(CAUSES), "Any one opens it"),
        maybe("after", Shape::Duration, "How long it must have been so; with \"waited\", the wait"),
        maybe("length", Shape::Whole(1, 10_000), "With \"length\": how many calls must wait"),
        maybe("expected_wait", Shape::Duration, "With \"expected-wait\": the wait to expect"),
        needed("to", Shape::Like(DESTINATION), "\"queue:NAME\", \"centre:NAME\" or \"trunk:NAME\""),
        maybe("number", Shape::Text, "Whom a trunk calls; the number called if not said"),
        maybe("mode", Shape::OneOf(OVERFLOWS), "\"additive\" keeps the place here; \"move\" if not said"),
    ],
);
pub(super) const OFFER: Grammar = table(
    "offer",
    &[
        needed("mode", Shape::OneOf(MODES), "One agent at a time, everyone at once, or from a list"),
        maybe("strategy", Shape::Like(STRATEGY), "Exclusive: who among the eligible"),
        maybe(
            "ring",
            Shape::Either(&[Shape::Duration, Shape::Tables(&STAGE)]),
            "How long a phone rings; shared: the stages",
        ),
        maybe("phone_ring", Shape::Duration, "Shared: how long a desk phone rings"),
        maybe("push", Shape::Texts, "Pick: the classes that are offered all the same"),
    ],
);
pub(super) const STAGE: Grammar = table(
    "stage",
    &[
        needed("at", Shape::Duration, "Since the call could first be offered"),
        needed(
            "agents",
            Shape::Either(&[Shape::Whole(1, 1000), Shape::OneOf(&[ALL])]),
            "How many are invited from here on",
        ),
    ],
);
pub(super) const HOLD: Grammar = table(
    "hold",
    &[
        needed("mode", Shape::OneOf(HOLDS), "200 at once, or early media"),
        maybe("answer_within", Shape::Duration, "Early: 200 after this, at most 30 s"),
    ],
);
pub(super) const ROUTE: Grammar = table(
    "route",
    &[
        NAME,
        needed("priority", Shape::Whole(i64::MIN, i64::MAX), "The highest true one wins; unique"),
        maybe("when", Shape::Table(&WHEN), "When it applies; only the default has none"),
        needed("then", Shape::Table(&ROUTE_THEN), "What becomes of the call"),
    ],
);
pub(super) const ROUTE_THEN: Grammar = Grammar {
    name: "route_then",
    keys: &[
        needed("queue", Shape::Text, "Where it waits"),
        needed("class", Shape::Text, "How urgent it is"),
        maybe("hold", HOLD_SHAPE, "Instead of the queue's"),
        maybe("announce", Shape::Texts, "Instead of the queue's"),
        maybe("hold_sound", Shape::Text, "Instead of the queue's"),
        maybe("menu", Shape::Named(&Shape::Table(&KEY)), "Keys the caller may press while waiting"),
        maybe("tag", Shape::Texts, "Put on the call"),
        maybe(
            "owner",
            OWNER_SHAPE,
            "Asked first: `true`, whoever owns the caller's file; or an agent, by name",
        ),
        maybe("alone", Shape::Duration, "How long the owner is asked alone; 10s if not said"),
        maybe("leads", Shape::Texts, "Skills: agents with one of these, and before the fence nobody else"),
    ],
    elsewhere: &[
        ("centre", "send it to a queue here: the queue's `overflow` may offer it to another centre"),
        ("skills", "name a queue with these skills"),
        ("priority", "write `priority` in the route, beside `when`"),
        ("raise", "a route says the class itself; raise in a [[modifier]]"),
        ("show", "show in a [[modifier]]; the route's name is on the screen already"),
    ],
};
pub(super) const KEY: Grammar = table(
    "menu_key",
    &[maybe("class", Shape::Text, "At least this class"), maybe("tag", Shape::Text, "Put on the call")],
);
pub(super) const MODIFIER: Grammar = Grammar {
    name: "modifier",
    keys: &[
        NAME,
        needed("when", Shape::Table(&WHEN), "When it applies"),
        needed("then", Shape::Table(&MODIFIER_THEN), "What it adds"),
    ],
    elsewhere: &[("priority", "remove it: every true modifier applies, in the order of the file")],
};
pub(super) const MODIFIER_THEN: Grammar = Grammar {
    name: "modifier_then",
    keys: &[
        maybe("class", Shape::Text, "At least this class"),
        maybe("raise", Shape::Whole(1, 9), "So many classes up, never across the fence"),
        maybe("inherit", Shape::OneOf(INHERITED), "The time waited in the earlier call counts"),
        maybe("show", Shape::Text, "Shown beside the call"),
        maybe("tag", Shape::Texts, "Put on the call"),
        maybe("add", Shape::Texts, "Whoever has one of these skills may answer as well"),
        maybe("language", Shape::Text, "Agents with this skill first, where that delays nobody"),
    ],
    elsewhere: &[
        ("team", "name the team's skills in `add`"),
        ("queue", "a modifier moves nobody: choose the queue with a [[route]]"),
        ("lower", "nothing in a plan lowers a call; give its route the class it needs"),
    ],
};
pub(super) const WHEN: Grammar = Grammar {
    name: "when",
    keys: &[
        maybe("service", Shape::Texts, "The service is one of these"),
        maybe("called", Shape::Texts, "The very number is one of these"),
        maybe("urn", Shape::Texts, "The call carries one of these service URNs"),
        maybe("trunk", Shape::Texts, "It came over one of these trunks; \"internal\" is our own phones"),
        maybe("caller", Shape::Texts, "The caller's number; \"+33388*\" is every number that begins so"),
        maybe("withheld", Shape::Flag, "The caller asked for privacy, or not"),
        maybe("location", Shape::Texts, "The caller's place as the network gives it; \"67*\" begins so"),
        maybe("calendar", Shape::Text, "This calendar is open"),
        maybe("outside", Shape::Text, "This calendar is closed"),
        maybe("header", Shape::Named(&Shape::Text), "A header has this value; `*` at an end is anything"),
        maybe("repeat", Shape::OneOf(OUTCOMES), "How the latest earlier call of this number ended"),
        maybe("within", Shape::Duration, "Beside `repeat`: at most so long ago"),
        maybe("crisis", Shape::Flag, "A major event is open in the centre, or not"),
        maybe("queue", Shape::Table(&QUEUE_STATE), "A queue of this plan is in this state"),
        maybe("centre", Shape::Table(&CENTRE_STATE), "The centre as a whole is in this state"),
    ],
    elsewhere: &[
        ("menu", "a key is pressed after the call is queued: say what it does in the route's `menu`"),
        ("key", "a key is pressed after the call is queued: say what it does in the route's `menu`"),
        ("hour", "name the hours in a [calendar] and write `calendar`"),
        ("day", "name the days in a [calendar] and write `calendar`"),
        ("class", "a condition knows no class yet: the route gives it"),
    ],
};
const WAITING: Key = maybe("waiting_from", Shape::Whole(1, 10_000), "At least so many calls wait");
const LONGEST: Key = maybe("longest_wait_from", Shape::Duration, "The longest wait is at least this");
const FREE: Key = maybe("free_below", Shape::Whole(1, 1000), "Fewer agents than this are free");
const SIGNED_IN: Key = maybe("signed_in_below", Shape::Whole(1, 1000), "Fewer than this are signed in");
pub(super) const QUEUE_STATE: Grammar =
    table("queue_state", &[needed("name", Shape::Text, "Which queue"), WAITING, LONGEST, FREE, SIGNED_IN]);
pub(super) const CENTRE_STATE: Grammar = table("centre_state", &[WAITING, LONGEST, FREE, SIGNED_IN]);
pub(super) const EXAMPLE: Grammar = table(
    "example",
    &[
        needed("given", Shape::Table(&GIVEN), "The call"),
        needed("expect", Shape::Table(&EXPECT), "What the plan must decide"),
    ],
);
pub(super) const GIVEN: Grammar = table(
    "given",
    &[
        needed("called", Shape::Text, "What the trunk delivered"),
        maybe("urn", Shape::Text, "The service URN"),
        maybe("from", Shape::Text, "The caller's number"),
        maybe("trunk", Shape::Text, "The trunk's name"),
        maybe("withheld", Shape::Flag, "The caller asked for privacy"),
        maybe("location", Shape::Text, "The caller's place"),
        maybe("at", Shape::Text, "When, with the offset: \"2026-11-23T02:30:00+01:00\""),
        maybe("header", Shape::Named(&Shape::Text), "Headers of the INVITE"),
        maybe("repeat", Shape::Table(&REPEAT), "The latest earlier call of this number"),
        maybe("crisis", Shape::Flag, "A major event is open"),
        maybe("queue", Shape::Named(&Shape::Table(&STATE)), "How queues stand"),
        maybe("centre", Shape::Table(&STATE), "How the centre stands"),
    ],
);
pub(super) const REPEAT: Grammar = table(
    "repeat",
    &[
        needed("outcome", Shape::OneOf(OUTCOMES), "How it ended"),
        needed("ago", Shape::Duration, "How long ago"),
        maybe("waited", Shape::Duration, "How long its caller waited"),
    ],
);
pub(super) const STATE: Grammar = table(
    "state",
    &[
        maybe("waiting", Shape::Whole(0, 1_000_000), "So many calls wait"),
        maybe("longest_wait", Shape::Duration, "The longest wait"),
        maybe("free", Shape::Whole(0, 1_000_000), "So many agents are free"),
        maybe("signed_in", Shape::Whole(0, 1_000_000), "So many are signed in"),
    ],
);
pub(super) const EXPECT: Grammar = table(
    "expect",
    &[
        maybe("service", Shape::Text, "The service"),
        maybe("route", Shape::Text, "The route that wins"),
        maybe("queue", Shape::Text, "The queue"),
        maybe("class", Shape::Text, "The class after the modifiers"),
        maybe("hold", Shape::OneOf(HOLDS), "How the caller is held"),
        maybe("modifiers", Shape::List, "Every modifier that applies, in order; empty for none"),
        maybe("tags", Shape::List, "Every tag, in order; empty for none"),
        maybe("add", Shape::List, "The skills that are added; empty for none"),
        maybe("show", Shape::List, "What is shown; empty for nothing"),
        maybe("language", Shape::Text, "The preferred language"),
        maybe("menu", Shape::List, "The keys the caller may press; empty for none"),
        maybe(
            "owner",
            OWNER_SHAPE,
            "Who is asked first: `true`, the owner of the caller's file; an agent; `false`, nobody",
        ),
        maybe("leads", Shape::List, "The skills nobody is asked without; empty for none"),
    ],
);
pub(super) const SIMULATION: Grammar = table(
    "simulation",
    &[
        needed("given", Shape::Table(&TRAFFIC), "Agents and calls"),
        needed("expect", Shape::Table(&PROMISE), "What must come of it"),
    ],
);
pub(super) const TRAFFIC: Grammar = table(
    "traffic",
    &[
        needed(
            "agents",
            Shape::Named(&Shape::Whole(1, 1000)),
            "How many hold these skills: `\"arm+german:2\" = 3`",
        ),
        needed("calls_per_hour", Shape::Number(0.0, 100_000.0), "Calls that come in, before redials"),
        needed("handling", Shape::Duration, "A conversation, on average"),
        maybe("wrap_up", Shape::Duration, "After it, before the next offer; none if not said"),
        maybe("vital", Shape::Number(0.0, 1.0), "Share that turns out vital; 0.03 if not said"),
        maybe("declared", Shape::Number(0.0, 1.0), "Share that presses a menu's first key; 0.1 if not said"),
        maybe("patience", Shape::Duration, "Half the callers wait longer; 120s if not said"),
        maybe("redial", Shape::Number(0.0, 1.0), "Share of abandoners who call again; 0.6 if not said"),
        maybe(
            "calls",
            Shape::Named(&Shape::Number(0.0, 1.0)),
            "Share of each called number; all alike if not said",
        ),
        maybe("at", Shape::Text, "When it begins, for calendars"),
        needed("hours", Shape::Number(0.01, 168.0), "How long"),
        maybe("crisis", Shape::Flag, "A major event is open"),
        maybe("seed", Shape::Whole(0, i64::MAX), "The seed of chance; 1 if not said"),
    ],
);
pub(super) const PROMISE: Grammar = table(
    "promise",
    &[
        maybe("refused", Shape::Whole(0, i64::MAX), "At most so many callers refused"),
        maybe("order_broken", Shape::Whole(0, i64::MAX), "At most so many distributions out of order"),
        maybe("abandoned", Shape::Number(0.0, 1.0), "At most this share leaves after 15 s or more"),
        maybe(
            "answered_within",
            Shape::Named(&Shape::Named(&Shape::Duration)),
            "By class or \"all\": `{ p90 = \"15s\" }`",
        ),
    ],
);
