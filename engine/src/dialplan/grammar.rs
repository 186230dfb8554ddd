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
    known: &[
        "stage",
        "skills",
        "relax",
        "offer",
        "vital",
        "reserve",
        "overflow",
        "recall",
        "hold",
        "announce",
        "hold_sound",
        "alarm",
    ],
    later: &[],
};
pub(super) const RELAX: Grammar = Grammar { known: &["after", "add"], later: &[] };
pub(super) const VITAL: Grammar = Grammar { known: &["alert_busy", "auto_answer"], later: &[] };
pub(super) const OVERFLOW: Grammar =
    Grammar { known: &["when", "after", "length", "expected_wait", "to", "number", "mode"], later: &[] };
pub(super) const OFFER: Grammar =
    Grammar { known: &["mode", "strategy", "ring", "phone_ring", "push"], later: &[] };
pub(super) const KEY: Grammar = Grammar { known: &["class", "tag"], later: &[] };
pub(super) const HOLD: Grammar = Grammar { known: &["mode", "answer_within"], later: &[] };
pub(super) const ROUTE: Grammar = Grammar { known: &["name", "priority", "when", "then"], later: &[] };
pub(super) const ROUTE_THEN: Grammar = Grammar {
    known: &["queue", "class", "hold", "announce", "hold_sound", "menu", "tag", "owner"],
    later: &[("centre", "send the call to a queue of this centre")],
};
pub(super) const MODIFIER: Grammar = Grammar { known: &["name", "when", "then"], later: &[] };
pub(super) const MODIFIER_THEN: Grammar = Grammar {
    known: &["class", "raise", "inherit", "show", "tag", "add", "language"],
    later: &[("team", "name its skills in `add`")],
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
