//! What may stand where in a plan, what will once, and what never may.

/// The keys of one kind of table: those that are read, and those the grammar names but the engine
/// does not act on, each with what works today. A key that were read and ignored would be a lie.
pub(super) struct Grammar {
    pub(super) known: &'static [&'static str],
    pub(super) later: &'static [(&'static str, &'static str)],
}

/// What an author may try in order to turn a caller away.
pub(super) const REFUSALS: [&str; 8] =
    ["refuse", "reject", "block", "busy", "drop", "hangup", "congestion", "answer_code"];

pub(super) const PLAN: Grammar = Grammar {
    known: &[
        "plan", "version", "timezone", "numbers", "calendar", "class", "queue", "route", "modifier",
        "example",
    ],
    later: &[("simulation", "prove the order with [[example]] and the load tests")],
};
pub(super) const CALENDAR: Grammar =
    Grammar { known: &["windows", "days", "holidays", "open", "closed"], later: &[] };
pub(super) const CLASS: Grammar = Grammar { known: &["fence", "target"], later: &[] };
pub(super) const QUEUE: Grammar = Grammar {
    known: &["skills", "offer", "hold", "announce", "hold_sound", "alarm"],
    later: &[
        ("vital", "remove it: vital calls go first, to agents who are free"),
        ("reserve", "remove it, or keep agents for vital calls with a queue and a skill of their own"),
        ("relax", "remove it, or list every skill in `skills` from the start"),
        ("overflow", "remove it: callers stay in this queue until somebody answers"),
    ],
};
pub(super) const OFFER: Grammar = Grammar {
    known: &["mode", "strategy", "ring", "phone_ring"],
    later: &[("push", "use exclusive offers")],
};
pub(super) const HOLD: Grammar = Grammar { known: &["mode", "answer_within"], later: &[] };
pub(super) const ROUTE: Grammar = Grammar { known: &["name", "priority", "when", "then"], later: &[] };
pub(super) const ROUTE_THEN: Grammar = Grammar {
    known: &["queue", "class", "hold", "announce", "hold_sound"],
    later: &[
        ("menu", "remove it: until somebody has spoken, the line decides the class"),
        ("centre", "send the call to a queue of this centre"),
        ("tag", "the route's name is shown instead"),
    ],
};
pub(super) const MODIFIER: Grammar = Grammar { known: &["name", "when", "then"], later: &[] };
pub(super) const MODIFIER_THEN: Grammar = Grammar {
    known: &["class", "raise", "inherit"],
    later: &[
        ("show", "remove it: the modifier's name is shown instead"),
        ("tag", "remove it: the modifier's name is shown instead"),
        ("team", "remove it, or send the call to a queue with more skills"),
        ("add", "remove it, or send the call to a queue with more skills"),
    ],
};
pub(super) const WHEN: Grammar = Grammar {
    known: &[
        "service", "called", "urn", "trunk", "caller", "withheld", "calendar", "outside", "header", "repeat",
        "within",
    ],
    later: &[
        ("menu", "decide by the called number, trunk or service"),
        ("key", "decide by the called number, trunk or service"),
        ("location", "decide by the called number: it stands for the territory"),
        ("crisis", "activate another plan"),
        ("queue", "decide by facts of the call, not of the queues"),
        ("centre", "decide by facts of the call, not of the centre"),
    ],
};
pub(super) const EXAMPLE: Grammar = Grammar { known: &["given", "expect"], later: &[] };
pub(super) const GIVEN: Grammar =
    Grammar { known: &["called", "urn", "from", "trunk", "withheld", "at", "header", "repeat"], later: &[] };
pub(super) const REPEAT: Grammar = Grammar { known: &["outcome", "ago", "waited"], later: &[] };
pub(super) const EXPECT: Grammar =
    Grammar { known: &["service", "route", "queue", "class", "hold", "modifiers"], later: &[] };
pub(super) const STAGE: Grammar = Grammar { known: &["at", "agents"], later: &[] };
