//! Every interleaving of CANCEL, 200, 487, ACK, BYE, PRACK, UPDATE and re-INVITE between two endpoints,
//! with loss and retransmission (I2, I3, I5).
//!
//! `cargo test -p sip --test explorer -- --nocapture` prints how many were walked;
//! `EXPLORE=all` walks the larger scenes, too (`make test-all`).

mod explore;
mod wire;

use explore::{Scene, Walk, Wish};
use wire::{A, short};

const QUIET: Scene = Scene { name: "", wishes: [&[], &[]], losses: 0, ticks: 0, forks: 0, stands: false };

/// Walked by `make test`: 140 000 interleavings in a quarter of a minute.
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

/// The rest, for `EXPLORE=all`: some millions, minutes.
fn whole() -> Vec<Scene> {
    use Wish::{Answer, EarlyMedia, End, Reoffer, Ring};
    vec![
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

#[test]
fn i2_i3_i5_every_interleaving_ends_with_nobody_talking_to_nobody() {
    let mut scenes = everyday();
    if std::env::var("EXPLORE").is_ok_and(|how| how == "all") {
        scenes.extend(whole());
    }
    let mut total = 0;
    for scene in scenes {
        let mut walk = Walk::default();
        if let Err(broken) = walk.explore(&scene, None) {
            panic!("{}: {}\n  {}", scene.name, broken.rule, broken.path.join("\n  "));
        }
        println!("{:>9} interleavings, {:>9} steps: {}", walk.interleavings, walk.steps, scene.name);
        total += walk.interleavings;
    }
    println!("{total:>9} interleavings in all");
    assert!(total > 100_000, "{total}");
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
