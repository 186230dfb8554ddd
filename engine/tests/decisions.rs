//! What a plan decides, pinned at its edges and held to its promises: total, exactly one route, nothing
//! that lowers, the same whatever the order of the file, and the same words from every tool.

use engine::dialplan::{
    Changed, ClassId, Dialplan, Earlier, Facts, HoldMode, Outcome, OwnerPlan, Repeat, Room, SkillNeed, State,
};
use std::time::{Duration, SystemTime};

const SHIPPED: [(&str, &str); 4] = [
    ("samu.toml", include_str!("../../dialplans/samu.toml")),
    ("samu-112.toml", include_str!("../../dialplans/samu-112.toml")),
    ("sas.toml", include_str!("../../dialplans/sas.toml")),
    ("crisis.toml", include_str!("../../dialplans/crisis.toml")),
];

const RULES: &str = r#"
plan = "rules"
version = "1"
timezone = "Europe/Paris"
[numbers]
"15" = "samu"
"16" = "pdsa"
"18" = "partner-fire"
[calendar.night]
windows = ["20:00-08:00"]
[class]
vital = { fence = true }
declared = { target = "5s" }
partner = { target = "10s" }
unqualified = { target = "20s" }
routine = { target = "60s" }
[queue.front]
skills = ["arm", "german:2"]
relax = [{ after = "15s", add = ["back"] }, { after = "30s", add = ["german"] }]
offer = { mode = "shared", ring = [{ at = "0s", agents = 2 }, { at = "2s", agents = "all" }] }
hold_sound = "music"
[queue.list]
skills = ["mr"]
offer = { mode = "pick" }
hold = "early"
announce = "welcome"
[[route]]
name = "owned"
priority = 40
when = { location = ["67482", "68*"] }
then = { queue = "list", class = "routine", owner = true, tag = ["a", "b"], hold = { mode = "early", answer_within = "5s" } }
[[route]]
name = "full"
priority = 30
when = { queue = { name = "front", waiting_from = 3, longest_wait_from = "60s", free_below = 2, signed_in_below = 4 } }
then = { queue = "list", class = "routine" }
[[route]]
name = "crisis"
priority = 20
when = { crisis = true }
then = { queue = "front", class = "partner" }
[[route]]
name = "doctor"
priority = 10
when = { service = "pdsa" }
then = { queue = "front", class = "routine", menu = { "1" = { class = "declared", tag = "pressed" }, "*" = { tag = "star" } } }
[[route]]
name = "default"
priority = -5
then = { queue = "front", class = "unqualified" }
[[modifier]]
name = "up two"
when = { repeat = "answered", within = "30m" }
then = { raise = 2, show = "again" }
[[modifier]]
name = "waited"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited", tag = "b" }
[[modifier]]
name = "everybody talks"
when = { centre = { free_below = 1 } }
then = { add = ["back", "german:2"], language = "german" }
[[modifier]]
name = "at night"
when = { calendar = "night" }
then = { class = "partner", add = "back", language = "dutch" }
[[modifier]]
name = "by day, not withheld"
when = { outside = "night", withheld = false, caller = "+33199*" }
then = { show = "harasses" }
"#;

fn rules() -> Dialplan {
    Dialplan::parse("rules.toml", RULES).unwrap_or_else(|error| panic!("{error}"))
}

fn at(moment: &str) -> SystemTime {
    Dialplan::moment_of(moment).expect("a moment")
}

/// A call to 15 at noon of a working day, nothing special about it.
fn call() -> Facts<'static> {
    Facts {
        called: "15",
        urn: None,
        trunk: "otn",
        caller: Some("+33612345678"),
        withheld: false,
        utc: at("2026-11-24T12:00:00+01:00"),
        repeat: None,
        headers: &[],
        location: None,
        room: Room { crisis: false, queues: &[], whole: None },
    }
}

fn earlier(outcome: Earlier, ago: u64) -> Option<Repeat> {
    Some(Repeat { outcome, ago: Duration::from_secs(ago), waited: Duration::from_secs(40) })
}

fn class_of<'p>(plan: &'p Dialplan, facts: &Facts<'_>) -> &'p str {
    &plan.class(plan.route(facts).class).expect("a class").name
}

#[test]
fn an_earlier_call_counts_to_the_very_second_of_its_limit() {
    let plan = rules();
    let routed = |outcome, ago| plan.route(&Facts { repeat: earlier(outcome, ago), ..call() });
    assert_eq!(routed(Earlier::Answered, 1800).modifiers, ["up two"]);
    assert!(routed(Earlier::Answered, 1801).modifiers.is_empty());
    assert_eq!(routed(Earlier::Abandoned, 600).modifiers, ["waited"]);
    assert!(routed(Earlier::Abandoned, 601).modifiers.is_empty());
    assert_eq!(routed(Earlier::Abandoned, 600).credit, Duration::from_secs(40));
    assert_eq!(routed(Earlier::Answered, 0).credit, Duration::ZERO);
}

#[test]
fn raising_goes_one_class_a_step_and_ends_below_the_fence() {
    let plan = rules();
    let again = |called| Facts { called, repeat: earlier(Earlier::Answered, 1), ..call() };
    assert_eq!(class_of(&plan, &again("15")), "declared", "unqualified, partner, declared");
    assert_eq!(class_of(&plan, &again("16")), "partner", "routine, unqualified, partner");
    let crisis = Facts { room: Room { crisis: true, ..Room::default() }, ..again("15") };
    assert_eq!(class_of(&plan, &crisis), "declared", "partner, declared, and no further");
}

#[test]
fn classes_of_one_target_are_one_step() {
    let twin = RULES.replace("routine = {", "twin = { target = \"10s\" }\nroutine = {");
    let plan = Dialplan::parse("twin.toml", &twin).unwrap_or_else(|error| panic!("{error}"));
    let again = Facts { called: "16", repeat: earlier(Earlier::Answered, 1), ..call() };
    assert_eq!(class_of(&plan, &again), "partner", "the first of the file, where two stand as high");
}

#[test]
fn a_class_named_by_a_modifier_is_a_floor() {
    let plan = rules();
    let night = |called, repeat| Facts { called, repeat, utc: at("2026-11-24T20:00:00+01:00"), ..call() };
    assert_eq!(class_of(&plan, &night("16", None)), "partner");
    assert_eq!(class_of(&plan, &night("15", earlier(Earlier::Answered, 1))), "declared", "not lowered");
    let evening = Facts { utc: at("2026-11-24T19:59:59+01:00"), ..night("16", None) };
    assert_eq!(class_of(&plan, &evening), "routine");
}

#[test]
fn a_state_counts_at_its_very_numbers() {
    let plan = rules();
    let full = State { waiting: 3, longest_wait: Duration::from_secs(60), free: 1, signed_in: 3 };
    let route = |state: State| {
        let queues = [state];
        plan.route(&Facts { room: Room { queues: &queues, ..Room::default() }, ..call() }).route.to_owned()
    };
    assert_eq!(route(full), "full");
    assert_eq!(route(State { waiting: 2, ..full }), "default");
    assert_eq!(route(State { longest_wait: Duration::from_secs(59), ..full }), "default");
    assert_eq!(route(State { free: 2, ..full }), "default");
    assert_eq!(route(State { signed_in: 4, ..full }), "default");
    assert_eq!(plan.route(&call()).route, "default", "what nobody counted is not true");
    assert!(plan.reads_room());
    let blind = RULES.split("[[route]]\nname = \"full\"").next().map(|head| {
        format!("{head}[[route]]\nname = \"default\"\npriority = 0\nthen = {{ queue = \"front\", class = \"routine\" }}\n")
    });
    let blind =
        Dialplan::parse("blind.toml", &blind.expect("a plan")).unwrap_or_else(|error| panic!("{error}"));
    assert!(!blind.reads_room() && blind.has_calendars());
}

#[test]
fn the_centre_is_asked_as_a_whole() {
    let plan = rules();
    let of = |whole| plan.route(&Facts { room: Room { whole, ..Room::default() }, ..call() });
    let busy = of(Some(State::default()));
    assert_eq!((busy.modifiers, busy.language), (vec!["everybody talks"], Some("german")));
    assert!(of(Some(State { free: 1, ..State::default() })).modifiers.is_empty());
    assert!(of(None).modifiers.is_empty());
}

#[test]
fn what_modifiers_add_is_added_once_and_the_first_language_is_believed() {
    let plan = rules();
    let need = |text: &str| SkillNeed::parse(text).expect("a skill");
    let night = Facts {
        utc: at("2026-11-24T23:00:00+01:00"),
        location: Some("67482"),
        room: Room { whole: Some(State::default()), ..Room::default() },
        repeat: earlier(Earlier::Abandoned, 5),
        ..call()
    };
    let routed = plan.route(&night);
    assert_eq!(routed.add, [need("back"), need("german:2")]);
    assert_eq!(routed.language, Some("german"));
    assert_eq!(routed.tags, ["a", "b"], "the modifier's `b` is the route's");
    assert!(routed.owner == Some(&OwnerPlan::File) && routed.show.is_empty());
    assert_eq!(routed.hold, HoldMode::Early { answer_within: Duration::from_secs(5) });
    assert_eq!((routed.announce, routed.hold_sound), (&["welcome".to_owned()][..], "hold"));
}

#[test]
fn a_place_is_the_whole_of_it_or_its_beginning() {
    let plan = rules();
    let route = |location| plan.route(&Facts { location, ..call() }).route;
    assert_eq!((route(Some("67482")), route(Some("68")), route(Some("68224"))), ("owned", "owned", "owned"));
    assert_eq!((route(Some("674821")), route(Some("6")), route(None)), ("default", "default", "default"));
}

#[test]
fn a_place_is_read_from_the_access_network_header() {
    let find = |value: &str| {
        let headers = [("p-access-network-info".to_owned(), value.to_owned())];
        Facts::location_in(&headers).map(str::to_owned)
    };
    let found = Some("67482".to_owned());
    assert_eq!(find("3GPP-E-UTRAN-FDD; utran-cell-id-3gpp=2080; operator-specific-GI=\"67482\""), found);
    assert_eq!(find("ADSL;Operator-Specific-GI=67482;network-provided"), found);
    assert_eq!(find("IEEE-802.11, ADSL; operator-specific-gi = 67482"), found, "the second of two networks");
    for none in ["", "ADSL", "ADSL; operator-specific-GI", "ADSL; operator-specific-GI=\"\"", "x=67482"] {
        assert_eq!(find(none), None, "{none}");
    }
    assert_eq!(Facts::location_in(&[("User-Agent".into(), "operator-specific-GI=1".into())]), None);
}

#[test]
fn a_menu_says_what_each_key_does_and_a_key_only_raises() {
    let plan = rules();
    let menu = plan.route(&Facts { called: "16", ..call() }).menu.expect("a menu");
    let one = menu.key('1').expect("a key");
    assert_eq!((one.class, one.tag.as_deref()), (plan.class_named("declared"), Some("pressed")));
    assert_eq!(menu.key('*').map(|key| (key.class, key.tag.as_deref())), Some((None, Some("star"))));
    assert!(menu.key('2').is_none() && plan.route(&call()).menu.is_none());
    let class = |name| plan.class_named(name).expect("a class");
    assert_eq!(plan.raised(class("routine"), class("declared")), class("declared"));
    assert_eq!(plan.raised(class("vital"), class("declared")), class("vital"));
    assert_eq!(plan.raised(class("declared"), class("declared")), class("declared"));
    assert_eq!(plan.raised(class("routine"), class("vital")), class("vital"));
}

#[test]
fn a_queue_widens_at_the_very_second_and_never_narrows() {
    let queue = &rules().queues[0];
    let takes = |seconds, skill: &str| queue.takes_after(Duration::from_secs(seconds), &[skill.to_owned()]);
    assert!(takes(0, "arm") && takes(0, "german:2") && !takes(0, "german") && !takes(14, "back"));
    assert!(takes(15, "back") && !takes(29, "german") && takes(30, "german") && takes(3600, "arm"));
    assert!(!takes(3600, "mr"));
}

#[test]
fn nobody_for_a_queue_is_a_warning_with_its_place() {
    let plan = rules();
    let roster = |skills: &[&str]| {
        let held: Vec<Vec<String>> = skills.iter().map(|skill| vec![(*skill).to_owned()]).collect();
        let held: Vec<&[String]> = held.iter().map(Vec::as_slice).collect();
        plan.unstaffed(&held).iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert!(roster(&["german", "mr"]).is_empty(), "the last relaxation is enough");
    let warnings = roster(&["arm"]);
    assert_eq!(warnings.len(), 1);
    assert_eq!(
        warnings[0],
        "warning: nobody on the roster can answer queue `list`, however long a call waits\n  \
         --> rules.toml:23:11\n   |\n23 | skills = [\"mr\"]\n   |           ^^^^\n   \
         = help: give somebody one of its skills, or add a skill of the roster to `relax`"
    );
    assert_eq!(roster(&[]).len(), 2);
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % most
    }

    fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.below(all.len())]
    }
}

/// Runs `each` with so many odd calls to each plan.
fn odd_calls(each: impl Fn(&Dialplan, &Facts<'_>)) {
    let plans = SHIPPED.map(|(file, text)| Dialplan::parse(file, text).unwrap_or_else(|e| panic!("{e}")));
    let mut dice = Dice(20_261_125);
    let strange = ["", "*", "#31#", "urn:", "urn:service:sos.ecall.automatic", "é", "+", "112 ", "15\u{0}"];
    let headers = [
        ("Accept-Language".to_owned(), "de".to_owned()),
        ("Priority".to_owned(), "emergency".to_owned()),
        ("P-Access-Network-Info".to_owned(), "x;operator-specific-GI=67482".to_owned()),
    ];
    for round in 0..4000 {
        let plan = &plans[round % plans.len()];
        let mut numbers: Vec<&str> = plan.numbers().chain(strange).collect();
        numbers.sort_unstable();
        let mut state = || State {
            waiting: u32::try_from(dice.below(40)).expect("small"),
            longest_wait: Duration::from_secs(dice.below(600) as u64),
            free: u32::try_from(dice.below(3)).expect("small"),
            signed_in: u32::try_from(dice.below(5)).expect("small"),
        };
        let (queues, whole) = ([state(), state(), state(), state()], state());
        let utc = match dice.below(20) {
            0 => SystemTime::UNIX_EPOCH - Duration::from_secs(1 << 40),
            1 => SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 60),
            _ => SystemTime::UNIX_EPOCH + Duration::from_secs(dice.below(1 << 31) as u64),
        };
        let outcome = dice.one_of(&[Earlier::Answered, Earlier::Abandoned]);
        let ago = dice.below(3700) as u64;
        let facts = Facts {
            called: dice.one_of(&numbers),
            urn: dice.one_of(&[
                None,
                Some("urn:service:sos.ecall.automatic"),
                Some("urn:service:sos"),
                Some("é"),
            ]),
            trunk: dice.one_of(&["", "otn", "internal"]),
            caller: dice.one_of(&[None, Some("+33612345678"), Some(""), Some("+33199000000")]),
            withheld: dice.below(4) == 0,
            utc,
            repeat: if dice.below(2) == 0 { earlier(outcome, ago) } else { None },
            headers: &headers[..dice.below(4)],
            location: dice.one_of(&[None, Some("67482"), Some("")]),
            room: Room {
                crisis: dice.below(3) == 0,
                queues: &queues[..dice.below(5)],
                whole: if dice.below(2) == 0 { Some(whole) } else { None },
            },
        };
        each(plan, &facts);
    }
}

#[test]
fn whatever_the_facts_exactly_one_route_wins_and_leads_to_a_queue() {
    odd_calls(|plan, facts| {
        let routed = plan.route(facts);
        assert!(plan.queues.get(routed.queue as usize).is_some());
        assert!(plan.class(routed.class).is_some());
        let said = plan.explain(facts);
        let wins: Vec<_> = said.routes.iter().filter(|route| route.outcome == Outcome::Wins).collect();
        assert_eq!(wins.iter().map(|route| route.name.as_str()).collect::<Vec<_>>(), [routed.route]);
        let above = said.routes.iter().take_while(|route| route.outcome != Outcome::Wins);
        assert!(above.clone().all(|route| route.outcome == Outcome::Untrue), "a higher true one would win");
        assert!(
            above.clone().all(|route| route.why.iter().any(|reason| !reason.holds)),
            "and it says why not"
        );
        assert!(said.routes.windows(2).all(|pair| pair[0].priority > pair[1].priority));
    });
}

#[test]
fn a_decision_and_its_explanation_are_the_same() {
    odd_calls(|plan, facts| {
        let (routed, said) = (plan.route(facts), plan.explain(facts).decision);
        assert_eq!(said.route, routed.route);
        assert_eq!(said.queue, plan.queues[routed.queue as usize].name);
        assert_eq!(said.class, plan.class(routed.class).expect("a class").name);
        assert_eq!(said.modifiers, routed.modifiers);
        assert_eq!(
            (said.credit, said.owner),
            (routed.credit.as_secs(), routed.owner.map(ToString::to_string))
        );
        assert_eq!((said.tags, said.show), (owned(&routed.tags), owned(&routed.show)));
        assert_eq!(said.language.as_deref(), routed.language);
    });
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Sorts classes by urgency, from what a plan says of them.
fn urgency(plan: &Dialplan, id: ClassId) -> (bool, Duration) {
    let class = plan.class(id).expect("a class");
    (!class.fence, class.target)
}

#[test]
fn nothing_a_plan_says_of_a_call_lowers_it() {
    odd_calls(|plan, facts| {
        let routed = plan.route(facts);
        let said = plan.explain(facts);
        let bare = said.routes.iter().find(|route| route.outcome == Outcome::Wins).expect("one wins");
        let begins = bare.does[0].rsplit("class ").next().and_then(|class| plan.class_named(class));
        assert!(urgency(plan, routed.class) <= urgency(plan, begins.expect("a class")));
        // A repeat confirms nothing: only what names the fenced class leads behind the fence.
        let fenced = !urgency(plan, routed.class).0;
        assert_eq!(fenced, routed.modifiers.contains(&"automatic eCall"), "{said:?}");
    });
}

#[test]
fn the_order_of_routes_in_the_file_decides_nothing() {
    let (head, routes) = RULES.split_once("[[route]]").expect("routes");
    let (routes, modifiers) = routes.split_once("[[modifier]]").expect("modifiers");
    let mut routes: Vec<&str> = routes.split("[[route]]").collect();
    let plan = rules();
    for _ in 0..routes.len() {
        routes.rotate_left(1);
        let text = format!("{head}[[route]]{}[[modifier]]{modifiers}", routes.join("[[route]]"));
        let turned = Dialplan::parse("turned.toml", &text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(turned, plan);
    }
}

#[test]
fn i28_words_that_mean_nothing_to_a_call_change_no_plan() {
    for (file, text) in SHIPPED {
        let plan = Dialplan::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
        let spaced = format!("# another comment\n\n{}", text.replace("[[route]]", "\n# a route\n[[route]]"));
        assert_eq!(Dialplan::parse(file, &spaced).unwrap_or_else(|error| panic!("{error}")), plan);
        let windows = text.replace('\n', "\r\n");
        assert_eq!(Dialplan::parse(file, &windows).unwrap_or_else(|error| panic!("{error}")), plan);
        let other = text.replacen("version  = \"2026-11-2", "version  = \"2025-11-2", 1);
        assert_ne!(Dialplan::parse(file, &other).unwrap_or_else(|error| panic!("{error}")), plan);
        assert!(plan.diff(&plan).differences.is_empty() && plan.diff(&plan).affected.is_empty());
    }
}

#[test]
fn every_shipped_plan_proves_itself() {
    for (file, text) in SHIPPED {
        let plan = Dialplan::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
        assert!(text.matches("[[example]]").count() >= 12, "{file}: a dozen examples");
        assert!(!plan.simulations().is_empty(), "{file}: a simulation");
        assert!(text.starts_with("#:schema ./schema.json\n#"), "{file}: its schema and its facts on top");
        assert!(text.contains("It assumes"), "{file}: the facts it assumes");
    }
}

#[test]
fn a_simulation_says_who_is_there_and_what_must_come_of_it() {
    let plan = Dialplan::parse(SHIPPED[1].0, SHIPPED[1].1).unwrap_or_else(|error| panic!("{error}"));
    let [simulation] = plan.simulations() else { panic!("one simulation") };
    let given = &simulation.given;
    assert_eq!(given.agents[1], (vec!["arm".to_owned(), "german".to_owned()], 1));
    assert_eq!((given.handling, given.wrap_up), (Duration::from_secs(150), Duration::from_secs(30)));
    assert_eq!((given.patience, given.lasts), (Duration::from_secs(120), Duration::from_secs(4 * 3600)));
    assert_eq!(given.at, Some(at("2026-11-29T10:00:00+01:00")));
    assert_eq!((given.seed, given.crisis, given.calls.len()), (7, false, 4));
    assert!((given.redial - 0.6).abs() < 1e-9 && (given.declared - 0.1).abs() < 1e-9);
    assert_eq!((simulation.expect.refused, simulation.expect.order_broken), (Some(0), Some(0)));
    let answered = simulation.expect.answered[0];
    assert_eq!((answered.class, answered.percent, answered.within), (None, 90, Duration::from_secs(30)));
    assert!(SHIPPED[1].1.lines().nth(simulation.place.line - 1).expect("a line").starts_with("given"));
}

#[test]
fn a_difference_is_named_and_its_calls_are_found() {
    let plan = rules();
    let other = |from: &str, to: &str| {
        assert!(RULES.contains(from));
        let text = RULES.replacen(from, to, 1);
        plan.diff(&Dialplan::parse("other.toml", &text).unwrap_or_else(|error| panic!("{error}")))
    };
    let parts = |change: &Changed| match change {
        Changed::Parts(parts) => parts.clone(),
        other => panic!("{other:?}"),
    };
    let one = other("name = \"doctor\"\npriority = 10", "name = \"doctor\"\npriority = 50");
    assert_eq!(parts(&one.differences[0].change), [("priority", "10".to_owned(), "50".to_owned())]);
    assert!(one.affected.is_empty(), "no crisis and no place in these calls");
    let one = other("\"16\" = \"pdsa\"", "\"17\" = \"pdsa\"");
    let changes: Vec<_> = one.differences.iter().map(|it| (it.kind, it.name.as_str())).collect();
    assert_eq!(changes, [("number", "16"), ("number", "17")]);
    assert_eq!((&one.differences[0].change, one.affected.len()), (&Changed::Removed, 12));
    let one = other("then = { raise = 2, show = \"again\" }", "then = { raise = 1, show = \"again\" }");
    assert!(one.affected.iter().all(|it| it.when.iter().all(|when| when.contains("after an answer"))));
    let skill = other("skills = [\"mr\"]", "skills = [\"mr\", \"mrl\"]");
    assert_eq!(parts(&skill.differences[0].change), [("skills", "mr".to_owned(), "mr, mrl".to_owned())]);
    assert!(skill.affected.is_empty());
    let hours = other("\"20:00-08:00\"", "\"21:00-08:00\"");
    let expected = [("hours", "20:00-08:00".to_owned(), "21:00-08:00".to_owned())];
    assert_eq!(
        (hours.differences[0].kind, parts(&hours.differences[0].change)),
        ("calendar", expected.to_vec())
    );
}

#[test]
fn a_recorded_call_is_decided_again_with_what_its_record_does_not_keep() {
    let plan = rules();
    let again = |route: &str, modifiers: &[&str]| {
        let modifiers: Vec<String> = modifiers.iter().map(|name| (*name).to_owned()).collect();
        let routed = plan.route_again(&call(), route, &modifiers);
        (routed.route.to_owned(), owned(&routed.modifiers))
    };
    assert_eq!(again("default", &[]), ("default".to_owned(), vec![]));
    assert_eq!(again("crisis", &[]).0, "crisis", "there was a major event");
    assert_eq!(
        again("owned", &["everybody talks"]),
        ("owned".to_owned(), vec!["everybody talks".to_owned()])
    );
    assert_eq!(
        again("doctor", &["at night"]),
        ("default".to_owned(), vec![]),
        "what the record keeps decides"
    );
}
