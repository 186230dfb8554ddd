//! Every interleaving of CANCEL, 200, 487, ACK, BYE, PRACK, UPDATE and re-INVITE between two endpoints of
//! ours, and between ours and somebody else's user agent on either side, with loss and retransmission (I2,
//! I3, I5).
//!
//! `cargo test -p sip --test explorer -- --nocapture` prints how many were walked; `EXPLORE=all` walks the
//! larger scenes, too (`make test-all`), `EXPLORE=fork` those whose names say so.

mod explore;
mod wire;

use explore::{Manner, QUIET, Scene, Walk, Wish};
use wire::{A, B, short};

/// Two endpoints of ours, walked by `make test`: 140 000 interleavings in a quarter of a minute.
fn everyday() -> Vec<Scene> {
    use Wish::{Answer, EarlyMedia, End, Refuse, Reoffer};
    vec![
        Scene { name: "CANCEL meets 200, one lost", wishes: [&[End], &[Answer]], losses: 1, ..QUIET },
        Scene {
            name: "CANCEL meets 486, two lost, one timer",
            wishes: [&[End], &[Refuse]],
            losses: 2,
            ticks: 1,
            ..QUIET
        },
        Scene { name: "CANCEL meets early media and 200", wishes: [&[End], &[EarlyMedia, Answer]], ..QUIET },
        Scene {
            name: "early media and 200, one lost",
            wishes: [&[], &[EarlyMedia, Answer]],
            losses: 1,
            ..QUIET
        },
        Scene {
            name: "a second fork answers, one lost",
            wishes: [&[], &[Answer]],
            forks: 1,
            losses: 1,
            ..QUIET
        },
        Scene { name: "both hang up around the answer", wishes: [&[End], &[Answer, End]], ..QUIET },
        Scene { name: "two re-INVITEs meet", wishes: [&[Reoffer], &[Reoffer]], stands: true, ..QUIET },
        Scene {
            name: "a re-INVITE meets a BYE, one lost",
            wishes: [&[Reoffer], &[End]],
            losses: 1,
            stands: true,
            ..QUIET
        },
        Scene {
            name: "a BYE meets a re-INVITE, one timer",
            wishes: [&[End], &[Reoffer]],
            ticks: 1,
            stands: true,
            ..QUIET
        },
        Scene {
            name: "a refresh (UPDATE) meets a BYE, one lost",
            wishes: [&[], &[End]],
            losses: 1,
            ticks: 2,
            stands: true,
            ..QUIET
        },
        Scene {
            name: "a refresh (UPDATE) meets a re-INVITE",
            wishes: [&[], &[Reoffer]],
            ticks: 2,
            stands: true,
            ..QUIET
        },
        Scene {
            name: "BYEs cross, two lost, one timer",
            wishes: [&[End], &[End]],
            losses: 2,
            ticks: 1,
            stands: true,
            ..QUIET
        },
    ]
}

/// Somebody else's user agent calls us, and says what ours never says.
fn called_by_others() -> Vec<Scene> {
    use Wish::{Accept, Answer, CancelOffer, EarlyMedia, End, Reoffer, Ring, Update};
    const PLAIN: Manner = Manner { offerless: false, prack_offers: false, bare: false, slow: false };
    let of = |manner| Scene { foreign: Some((A, manner)), ..QUIET };
    let (plain, offerless) = (of(PLAIN), of(Manner { offerless: true, ..PLAIN }));
    let offers = of(Manner { prack_offers: true, ..PLAIN });
    let stands = Scene { stands: true, losses: 1, ..plain.clone() };
    let early: &[Wish] = &[EarlyMedia, Answer];
    vec![
        Scene {
            name: "the offer in a 183, the answer in its PRACK, two lost",
            wishes: [&[], early],
            losses: 2,
            ..offerless.clone()
        },
        Scene { name: "the offer in a 183, then an UPDATE", wishes: [&[Update], early], ..offerless.clone() },
        Scene { name: "the offer in the 200, and a BYE", wishes: [&[End], &[Ring, Answer]], ..offerless },
        Scene {
            name: "a PRACK brings an offer, one lost",
            wishes: [&[], early],
            losses: 1,
            ..offers.clone()
        },
        Scene {
            name: "a PRACK brings an offer that waits while we answer",
            wishes: [&[], &[EarlyMedia, Answer, Accept]],
            slow: true,
            losses: 1,
            ..offers.clone()
        },
        Scene { name: "a PRACK brings an offer, then a BYE", wishes: [&[End], early], ..offers },
        Scene { name: "an early UPDATE meets the 200", wishes: [&[Update], early], ..plain.clone() },
        Scene {
            name: "an early UPDATE waits while we answer",
            wishes: [&[Update], &[EarlyMedia, Answer, Accept]],
            slow: true,

            ..plain.clone()
        },
        Scene { name: "an early BYE meets the 200", wishes: [&[End], early], losses: 1, ..plain },
        Scene {
            name: "the CANCEL of a re-INVITE meets its answer",
            wishes: [&[Reoffer, CancelOffer], &[Accept]],
            slow: true,
            ..stands.clone()
        },
        Scene { name: "an UPDATE meets a re-INVITE", wishes: [&[Update], &[Reoffer]], ..stands.clone() },
        Scene { name: "an UPDATE meets a BYE", wishes: [&[Update], &[End]], ..stands },
    ]
}

/// We call somebody else's user agent.
fn calling_others() -> Vec<Scene> {
    use Wish::{Accept, Answer, CancelOffer, EarlyMedia, End, Reoffer, Second, Update};
    const PLAIN: Manner = Manner { offerless: false, prack_offers: false, bare: false, slow: false };
    const FORKS: &[Wish] = &[Second(&EarlyMedia), Answer, Second(&Answer)];
    let of = |manner| Scene { foreign: Some((B, manner)), ..QUIET };
    let (plain, bare) = (of(PLAIN), of(Manner { bare: true, ..PLAIN }));
    let slow = Scene { stands: true, ..of(Manner { slow: true, ..PLAIN }) };
    vec![
        Scene {
            name: "a 200 without a description after a reliable 183, two lost",
            wishes: [&[], &[EarlyMedia, Answer]],
            losses: 2,
            ..bare.clone()
        },
        Scene {
            name: "CANCEL meets a 200 without a description",
            wishes: [&[End], &[EarlyMedia, Answer]],

            ..bare.clone()
        },
        Scene {
            name: "CANCEL meets an early UPDATE",
            wishes: [&[End], &[EarlyMedia, Update]],
            ..bare.clone()
        },
        Scene {
            name: "an early UPDATE, then a 200 without a description",
            wishes: [&[], &[EarlyMedia, Update, Answer]],
            losses: 1,
            ..bare.clone()
        },
        Scene {
            name: "an early UPDATE, then a 200 that repeats the first answer",
            wishes: [&[], &[EarlyMedia, Update, Answer]],
            losses: 1,
            ..plain.clone()
        },
        Scene {
            name: "two forks answer, one of them has spoken reliably",
            wishes: [&[], FORKS],
            ..bare.clone()
        },
        Scene {
            name: "a re-INVITE of ours is thought about for too long",
            wishes: [&[Reoffer], &[Accept]],
            ticks: 2,
            losses: 1,
            ..slow.clone()
        },
        Scene { name: "our re-INVITE meets a BYE", wishes: [&[Reoffer], &[End]], losses: 1, ..slow },
        Scene {
            name: "the CANCEL of a re-INVITE of the called side",
            wishes: [&[Accept], &[Reoffer, CancelOffer]],
            slow: true,
            stands: true,
            losses: 1,
            ..plain
        },
    ]
}

/// The rest, for `EXPLORE=all`: some millions, minutes.
fn whole() -> Vec<Scene> {
    use Wish::{Answer, EarlyMedia, End, Reoffer, Ring, Second};
    let called = Scene { foreign: Some((B, Manner::default())), ..QUIET };
    vec![
        Scene { name: "CANCEL meets two forks", wishes: [&[End], &[Answer, Second(&Answer)]], ..called },
        Scene { name: "CANCEL meets a reliable 180 and 200", wishes: [&[End], &[Ring, Answer]], ..QUIET },
        Scene {
            name: "CANCEL meets 200, one lost, one timer",
            wishes: [&[End], &[Answer]],
            losses: 1,
            ticks: 1,
            ..QUIET
        },
        Scene {
            name: "a second fork answers and A hangs up",
            wishes: [&[End], &[Answer]],
            forks: 1,
            ..QUIET
        },
        Scene {
            name: "both hang up around the answer, one lost",
            wishes: [&[End], &[Answer, End]],
            losses: 1,
            ..QUIET
        },
        Scene {
            name: "early media and 200, one lost, one timer",
            wishes: [&[], &[EarlyMedia, Answer]],
            losses: 1,
            ticks: 1,
            ..QUIET
        },
        Scene {
            name: "two re-INVITEs meet, one timer",
            wishes: [&[Reoffer], &[Reoffer]],
            ticks: 1,
            stands: true,
            ..QUIET
        },
        Scene {
            name: "re-INVITE and BYE from both, one lost",
            wishes: [&[Reoffer, End], &[Reoffer]],
            losses: 1,
            stands: true,
            ..QUIET
        },
    ]
}

/// Walks the scenes, at least `least` interleavings; with `EXPLORE=words` those whose names say so.
fn walk(scenes: Vec<Scene>, least: u64) {
    let wanted = std::env::var("EXPLORE").ok().filter(|how| how != "all");
    let is_wanted = |scene: &Scene| wanted.as_ref().is_none_or(|words| scene.name.contains(words.as_str()));
    let mut total = 0;
    for scene in scenes.into_iter().filter(is_wanted) {
        let mut walk = Walk::default();
        if let Err(broken) = walk.explore(&scene, None) {
            panic!("{}: {}\n  {}", scene.name, broken.rule, broken.path.join("\n  "));
        }
        println!("{:>9} interleavings, {:>9} steps: {}", walk.interleavings, walk.steps, scene.name);
        total += walk.interleavings;
    }
    println!("{total:>9} interleavings in all");
    assert!(total > least || wanted.is_some(), "{total}");
}

#[test]
fn i2_i3_i5_every_interleaving_ends_with_nobody_talking_to_nobody() {
    let mut scenes = everyday();
    if std::env::var("EXPLORE").is_ok_and(|how| how == "all") {
        scenes.extend(whole());
    }
    walk(scenes, 100_000);
}

#[test]
fn i2_i3_i5_somebody_elses_user_agent_finds_every_rule_kept() {
    let mut scenes = called_by_others();
    scenes.extend(calling_others());
    walk(scenes, 10_000);
}

/// An endpoint that forgets to hang up an answer which crossed its CANCEL.
fn forgets_to_hang_up(by: usize, heard: &str, said: &str) -> bool {
    by == A && short(heard) == "200 INVITE" && short(said) == "BYE"
}

#[test]
fn i5_a_planted_race_is_found() {
    let scene = Scene { name: "planted", wishes: [&[Wish::End], &[Wish::Answer]], ..QUIET };
    let broken = Walk::default().explore(&scene, Some(forgets_to_hang_up)).expect_err("the race is there");
    println!("{}\n  {}", broken.rule, broken.path.join("\n  "));
    assert!(broken.rule.contains("I5"), "{}", broken.rule);
}

/// An endpoint that takes a PRACK and says nothing.
fn answers_no_prack(by: usize, _: &str, said: &str) -> bool {
    by == B && short(said) == "200 PRACK"
}

#[test]
fn a_planted_silence_towards_somebody_elses_user_agent_is_found() {
    let foreign = Some((A, Manner::default()));
    let scene = Scene { name: "planted", wishes: [&[], &[Wish::EarlyMedia, Wish::Answer]], foreign, ..QUIET };
    let broken = Walk::default().explore(&scene, Some(answers_no_prack)).expect_err("nothing answers it");
    assert_eq!(broken.rule, "nobody answers PRACK");
}
