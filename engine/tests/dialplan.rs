//! Dialplans as their authors and the engine meet them: the shipped plan, decisions, and every
//! wrong plan with the exact error its author reads.

use engine::dialplan::{Dialplan, Earlier, Facts, HoldMode, OfferPlan, Repeat, Room, Surroundings, Widen};
use sip::endpoint::{Config, Endpoint, Event};
use sip::time::{Instant, Now};
use sip::transaction::Timers;
use sip::transport::{Flow, Peer, Transport};
use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

#[test]
fn the_shipped_plan_serves_and_its_examples_hold() {
    let plan = Dialplan::parse("dialplans/samu.toml", include_str!("../../dialplans/samu.toml"));
    let plan = plan.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan.name, "samu-67");
    assert_eq!(plan.service("urn:service:sos.AMBULANCE"), Some("samu"), "labels are compared without case");
    assert_eq!(plan.service("06 15 12 34 56"), None, "holds a 15 and is no emergency");
    assert_eq!(plan.numbers().count(), 12);
}

#[test]
fn the_plan_of_the_manual_serves() {
    let manual = include_str!("../../docs/dialplan.md");
    let plan = manual.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next());
    let plan = Dialplan::parse("docs/dialplan.md", plan.expect("a plan in the manual"));
    assert_eq!(plan.unwrap_or_else(|error| panic!("{error}")).version, "2026-11-23.1");
    for header in Facts::HEADERS {
        assert!(manual.contains(header), "{header} is not in the manual");
    }
}

/// Compares each `plans/NAME.toml` with the error in `plans/NAME.err`. With `BANDEAU_BLESS` set,
/// writes the errors instead, for a person to read before they are committed.
#[test]
fn every_wrong_plan_gets_its_exact_error() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans");
    let mut plans: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder of wrong plans")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    plans.sort();
    assert!(plans.len() >= 20, "only {} wrong plans", plans.len());
    for path in plans {
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name in ASCII");
        let text = std::fs::read_to_string(&path).expect("a plan");
        let Err(error) = Dialplan::parse(name, &text) else { panic!("{name} is accepted") };
        let found = format!("{error}\n");
        let golden = path.with_extension("err");
        if std::env::var_os("BANDEAU_BLESS").is_some() {
            std::fs::write(&golden, &found).expect("the error is written");
        }
        let wanted = std::fs::read_to_string(&golden).unwrap_or_default();
        assert_eq!(found, wanted, "{name}");
    }
}

/// The harness's plan: `1NNN` answered, `2NNN` vital into the same queue, `3NNN` early with the same
/// agents, `1999` a queue without agents.
const HARNESS: &str = r#"
plan = "harness"
version = "1"

[numbers]
"1050" = "answered"
"2050" = "vital"
"3050" = "early"
"1999" = "park"
"15" = "samu"
"urn:service:sos" = "samu"
"+33388000018" = "partner-fire"

[class]
vital = { fence = true }
declared = { target = "5s" }
partner = { target = "10s" }
unqualified = { target = "20s" }

[queue.front]
skills = ["arm", "arm-back-office"]
offer = { mode = "exclusive", strategy = "longest-idle", ring = "6s" }
announce = ["welcome", "notice"]

[queue.empty]
skills = ["nobody"]
offer = { mode = "shared", ring = [{ at = "0s", agents = "all" }], phone_ring = "9s" }

[[route]]
name = "vital"
priority = 30
when = { service = "vital" }
then = { queue = "front", class = "vital" }

[[route]]
name = "early"
priority = 20
when = { called = "3050" }
then = { queue = "front", class = "unqualified", hold = "early", announce = "notice", hold_sound = "music" }

[[route]]
name = "park"
priority = 10
when = { service = "park" }
then = { queue = "empty", class = "unqualified" }

[[route]]
name = "colleagues"
priority = 5
when = { trunk = "inside", caller = ["+33388*", "112"] }
then = { queue = "front", class = "partner" }

[[route]]
name = "default"
priority = 0
then = { queue = "front", class = "unqualified" }

[[modifier]]
name = "marked urgent"
when = { header = { Priority = "emergency" } }
then = { class = "declared" }

[[modifier]]
name = "called back"
when = { repeat = "answered", within = "30m" }
then = { raise = 9 }

[[modifier]]
name = "cut off"
when = { repeat = "abandoned", within = "10m" }
then = { inherit = "waited" }
"#;

fn harness() -> Dialplan {
    Dialplan::parse("harness.toml", HARNESS).unwrap_or_else(|error| panic!("{error}"))
}

const CALL: Facts<'static> = Facts {
    called: "15",
    urn: None,
    trunk: "otn",
    caller: Some("+33612345678"),
    withheld: false,
    utc: SystemTime::UNIX_EPOCH,
    repeat: None,
    headers: &[],
    location: None,
    room: Room { crisis: false, queues: &[], whole: None },
};

const ANSWERED_BEFORE: Option<Repeat> = Some(Repeat {
    outcome: Earlier::Answered,
    ago: Duration::from_secs(60),
    waited: Duration::from_secs(40),
});
const ABANDONED_BEFORE: Option<Repeat> = Some(Repeat {
    outcome: Earlier::Abandoned,
    ago: Duration::from_secs(60),
    waited: Duration::from_secs(40),
});

/// `route queue class [modifiers]` of a call.
#[track_caller]
fn check(facts: Facts<'_>, expected: &str) {
    let plan = harness();
    let routed = plan.route(&facts);
    let queue = &plan.queues[routed.queue as usize].name;
    let class = &plan.class(routed.class).expect("a class of this plan").name;
    let modifiers = routed.modifiers.join(", ");
    assert_eq!(format!("{} {queue} {class} [{modifiers}]", routed.route), expected);
}

#[test]
fn the_highest_true_route_wins_and_the_default_takes_the_rest() {
    check(CALL, "default front unqualified []");
    check(Facts { called: "2050", ..CALL }, "vital front vital []");
    check(
        Facts { called: "3050", trunk: "inside", caller: Some("112"), ..CALL },
        "early front unqualified []",
    );
    check(Facts { called: "1999", ..CALL }, "park empty unqualified []");
    check(Facts { called: "06 15 12 34 56", ..CALL }, "default front unqualified []");
    check(Facts { called: "", caller: None, trunk: "", ..CALL }, "default front unqualified []");
}

#[test]
fn every_part_of_a_condition_must_hold() {
    check(Facts { trunk: "inside", caller: Some("+33388123456"), ..CALL }, "colleagues front partner []");
    check(Facts { trunk: "inside", caller: Some("112"), ..CALL }, "colleagues front partner []");
    check(Facts { trunk: "inside", caller: Some("1120"), ..CALL }, "default front unqualified []");
    check(Facts { trunk: "otn", caller: Some("112"), ..CALL }, "default front unqualified []");
    check(Facts { trunk: "inside", caller: None, ..CALL }, "default front unqualified []");
}

#[test]
fn a_modifier_raises_and_never_lowers() {
    let headers = [("priority".to_owned(), " Emergency ".to_owned())];
    check(Facts { headers: &headers, ..CALL }, "default front declared [marked urgent]");
    check(Facts { headers: &headers, called: "2050", ..CALL }, "vital front vital [marked urgent]");
    let other = [("Priority".to_owned(), "non-urgent".to_owned())];
    check(Facts { headers: &other, ..CALL }, "default front unqualified []");
}

#[test]
fn a_repeat_raises_up_to_the_fence_and_never_across() {
    check(Facts { repeat: ANSWERED_BEFORE, ..CALL }, "default front declared [called back]");
    check(Facts { repeat: ANSWERED_BEFORE, called: "2050", ..CALL }, "vital front vital [called back]");
    let late = ANSWERED_BEFORE.map(|repeat| Repeat { ago: Duration::from_secs(30 * 60 + 1), ..repeat });
    check(Facts { repeat: late, ..CALL }, "default front unqualified []");
}

#[test]
fn withheld_partner_and_unknown_callers_are_not_one_person() {
    let repeated = Facts { repeat: ANSWERED_BEFORE, ..CALL };
    check(Facts { withheld: true, ..repeated }, "default front unqualified []");
    check(Facts { caller: None, ..repeated }, "default front unqualified []");
    check(Facts { called: "+33388000018", ..repeated }, "default front unqualified []");
}

#[test]
fn i17_only_who_was_cut_off_inherits_and_only_the_time_waited() {
    let plan = harness();
    let credit = |repeat| plan.route(&Facts { repeat, ..CALL }).credit;
    assert_eq!(credit(None), Duration::ZERO);
    assert_eq!(credit(ANSWERED_BEFORE), Duration::ZERO);
    assert_eq!(credit(ABANDONED_BEFORE), Duration::from_secs(40));
    assert_eq!(
        plan.route(&Facts { repeat: ABANDONED_BEFORE, withheld: true, ..CALL }).credit,
        Duration::ZERO
    );
}

#[test]
fn answered_early_and_vital_numbers_share_one_queue() {
    let plan = harness();
    let of = |called| plan.route(&Facts { called, ..CALL });
    let (answered, vital, early) = (of("1050"), of("2050"), of("3050"));
    assert_eq!((answered.queue, vital.queue), (early.queue, early.queue));
    assert_eq!((answered.hold, vital.hold), (HoldMode::Answered, HoldMode::Answered));
    assert_eq!(early.hold, HoldMode::Early { answer_within: HoldMode::EARLY_MAX });
    assert_eq!((answered.announce, answered.hold_sound), (&plan.queues[0].announce[..], "hold"));
    assert_eq!((early.announce, early.hold_sound), (&["notice".to_owned()][..], "music"));
    assert_eq!(vital.class, plan.vital());
    assert!(plan.classes[usize::from(vital.class.0)].fence);
}

#[test]
fn a_call_with_a_urn_is_known_by_its_number_first_and_by_its_urn_else() {
    let plan = harness();
    let service = |called, urn| plan.route(&Facts { called, urn, ..CALL }).service;
    assert_eq!(service("1050", Some("urn:service:sos")), "answered");
    assert_eq!(service("+33388999999", Some("urn:service:SOS")), "samu");
    assert_eq!(service("URN:service:sos", Some("URN:service:sos")), "samu");
    assert_eq!(service("+33388999999", Some("urn:service:sos.fire")), Dialplan::UNKNOWN);
}

#[test]
fn any_one_skill_is_enough() {
    let plan = harness();
    let takes =
        |skill: &str| plan.queues.iter().map(|queue| queue.takes(&[skill.to_owned()])).collect::<Vec<_>>();
    assert_eq!(takes("arm-back-office"), [true, false]);
    assert_eq!(takes("mr-amu"), [false, false]);
}

#[test]
fn a_shared_queue_rings_desk_phones_one_at_a_time() {
    let offers: Vec<OfferPlan> = harness().queues.iter().map(|queue| queue.offer.clone()).collect();
    assert_eq!(
        offers[1],
        OfferPlan::Shared {
            widen: vec![Widen { at: Duration::ZERO, agents: None }],
            phone_ring: Duration::from_secs(9)
        }
    );
    assert_eq!(offers[0].ring(), Duration::from_secs(6));
}

#[test]
fn i28_the_same_text_is_the_same_plan() {
    assert_eq!(harness(), harness());
    let other = HARNESS.replace("phone_ring = \"9s\"", "phone_ring = \"10s\"");
    assert_ne!(harness(), Dialplan::parse("harness.toml", &other).expect("a plan"));
}

#[test]
fn a_trunk_is_checked_where_trunks_are_known() {
    let read = |text: &str, trunks: &[&str]| {
        let trunks: Vec<String> = trunks.iter().map(|name| (*name).to_owned()).collect();
        let plan = Dialplan::parse_for(
            "harness.toml",
            text,
            Surroundings { trunks: Some(&trunks), ..Surroundings::default() },
        );
        plan.map(|_| ()).map_err(|error| error.problem.to_string())
    };
    assert_eq!(read(HARNESS, &["otn", "inside"]), Ok(()));
    assert_eq!(read(HARNESS, &["otn"]), Err("no trunk is named `inside`".to_owned()));
    let own = HARNESS.replace("trunk = \"inside\"", "trunk = \"internal\"");
    assert_eq!(read(&own, &[]), Ok(()), "our own phones are always there");
}

#[test]
fn a_sound_nobody_can_play_is_an_error_with_its_place() {
    let plan = harness();
    let all = ["hold", "welcome", "notice", "music"];
    assert!(plan.can_be_heard(&all).is_ok());
    assert!(all.iter().all(|sound| plan.sounds().any(|used| used == *sound)));
    let line = 1 + HARNESS.lines().position(|line| line.contains("music")).expect("a line");
    let error = plan.can_be_heard(&all[..3]).expect_err("no music");
    assert_eq!((error.place.line, error.problem.to_string()), (line, "no sound is named `music`".to_owned()));
    let line = 1 + HARNESS.lines().position(|line| line.contains("[queue.front]")).expect("a line");
    let error = plan.can_be_heard(&all[1..]).expect_err("not even the house's hold sound");
    assert_eq!((error.place.line, error.problem.to_string()), (line, "no sound is named `hold`".to_owned()));
}

#[test]
fn a_service_by_day_is_the_outside_of_its_calendar() {
    let text = r#"
plan = "sas"
version = "1"
timezone = "Europe/Paris"
[numbers]
"15" = "samu"
[calendar.pdsa]
windows = ["20:00-08:00"]
[class]
vital = { fence = true }
routine = { target = "60s" }
[queue.front]
skills = ["arm"]
offer = { mode = "shared" }
[[route]]
name = "day"
priority = 1
when = { outside = "pdsa" }
then = { queue = "front", class = "routine" }
[[route]]
name = "night"
priority = 0
then = { queue = "front", class = "routine" }
"#;
    let plan = Dialplan::parse("sas.toml", text).unwrap_or_else(|error| panic!("{error}"));
    // 2026-11-23, 12:00 and 22:00 in Paris.
    let at = |seconds| {
        plan.route(&Facts { utc: SystemTime::UNIX_EPOCH + Duration::from_secs(seconds), ..CALL }).route
    };
    assert_eq!((at(1_795_431_600), at(1_795_467_600)), ("day", "night"));
}

#[test]
fn every_header_a_condition_may_read_is_kept_of_an_invite() {
    let address = SocketAddr::from(([192, 0, 2, 1], 5060));
    let config = Config {
        product: "bandeau".into(),
        contact: address,
        realm: "samu.example".into(),
        accounts: Vec::new(),
        timers: Timers::default(),
        strangers_forbid: true,
    };
    let mut endpoint = Endpoint::new(config, 1);
    let flow = Flow { transport: Transport::Udp, local: address, remote: address, connection: 0 };
    let extra: String = Facts::HEADERS.iter().map(|name| format!("{}: x\r\n", name.to_lowercase())).collect();
    let invite = format!(
        "INVITE sip:15@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n\
         To: <sip:15@192.0.2.1>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@192.0.2.9>\r\n\
         Max-Forwards: 70\r\n{extra}\r\n"
    );
    let now = Now { at: Instant::ZERO, utc: SystemTime::UNIX_EPOCH };
    endpoint.handle_message(now, flow, Peer::Trunk(0), invite.as_bytes());
    let events = std::iter::from_fn(|| endpoint.poll_event());
    let kept = events.filter_map(|event| match event {
        Event::Invited { invite, .. } => Some(invite.headers),
        _ => None,
    });
    let kept = kept.last().expect("an INVITE of a trunk is taken");
    for header in Facts::HEADERS {
        assert!(
            kept.iter().any(|(name, _)| name.eq_ignore_ascii_case(header)),
            "{header} is lost on the way"
        );
    }
}

#[test]
fn i08_no_word_of_a_plan_refuses_a_call() {
    let plan = include_str!("plans/refuse.toml");
    for word in ["refuse", "reject", "hangup", "busy", "drop", "block", "code"] {
        let text = plan.replace("refuse = 603", &format!("{word} = 603"));
        let error = Dialplan::parse("plan.toml", &text).expect_err(word).to_string();
        assert!(error.contains(&format!("`{word}`")), "{error}");
    }
    // And what does serve always says a queue, whatever the facts are.
    let plan = harness();
    for called in ["15", "", "*#", "urn:service:sos", "+33999999999"] {
        let facts = Facts { called, ..CALL };
        assert!(usize::try_from(plan.route(&facts).queue).is_ok_and(|queue| queue < plan.queues.len()));
    }
}

#[test]
fn no_text_panics_the_reader() {
    let plan = include_str!("../../dialplans/samu.toml");
    let outcome = |text: &str| match Dialplan::parse("cut.toml", text) {
        Ok(_) => true,
        Err(error) => error.to_string().is_empty(),
    };
    for end in (0..plan.len()).step_by(17).filter(|end| plan.is_char_boundary(*end)) {
        outcome(&plan[..end]);
    }
    let lines: Vec<&str> = plan.lines().collect();
    for skipped in 0..lines.len() {
        let text: Vec<&str> = [&lines[..skipped], &lines[skipped + 1..]].concat();
        outcome(&text.join("\r\n"));
    }
    for odd in ["", "\u{feff}", "é = \"é", "[class]\n\té = 1", "class = []\nroute = {}", "[[[[[", "a = -0x"]
    {
        assert!(!outcome(odd), "{odd:?} is no plan, and its error is not empty");
    }
}
