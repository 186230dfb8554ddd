//! The expected wait, against the quantiles of the gamma distribution as tables print them: half of a
//! chi-square's with twice as many degrees of freedom.

use super::trial::Trial;
use crate::queue::Expected;
use crate::queue::forecast::Handling;
use std::time::Duration;

/// Conversations of these lengths, each so often, the latest last.
fn after(conversations: &[(u64, u32)]) -> Handling {
    let mut handling = Handling::default();
    for (seconds, times) in conversations {
        for _ in 0..*times {
            handling.note(Duration::from_secs(*seconds));
        }
    }
    handling
}

/// Seconds at one in ten, half and nine in ten, to the half per cent of the closed form.
#[track_caller]
fn expects(expected: Expected, quantiles: [f64; 3]) {
    let told = [expected.low, expected.median, expected.high].map(|wait| wait.as_secs_f64());
    for (told, table) in told.into_iter().zip(quantiles) {
        assert!((told - table).abs() <= 0.005 * table, "{told} s, where tables say {table} s");
    }
}

#[test]
fn before_anything_is_known_a_first_call_takes_two_minutes_and_a_half() {
    // 25 degrees in shape: chi-square of 50 at 37.689, 49.335 and 63.167, three seconds each.
    expects(Handling::default().until(1, 1), [113.07, 148.0, 189.5]);
    // A second place and a second agent: the same mean, less spread. Chi-square of 100.
    expects(Handling::default().until(2, 2), [82.358 * 1.5, 99.334 * 1.5, 118.498 * 1.5]);
}

#[test]
fn the_forecast_has_the_mean_and_the_spread_of_what_conversations_lately_took() {
    // Eight of 150 s assumed and eight of 450 s had: 300 s on average, and half of that the deviation.
    // Two places among four agents: 150 s on average, eight degrees in shape. Chi-square of 16.
    expects(after(&[(450, 8)]).until(2, 4), [9.312 * 9.375, 15.338 * 9.375, 23.542 * 9.375]);
    // Short ones only: less is expected.
    expects(after(&[(150, 20)]).until(1, 1), [113.07, 148.0, 189.5]);
}

#[test]
fn sixty_four_conversations_are_remembered_and_older_ones_forgotten() {
    let median = |handling: Handling| handling.until(1, 1).median.as_secs_f64();
    let never_long = median(after(&[(150, 64)]));
    let oldest_counts = median(after(&[(450, 1), (150, 63)]));
    assert!(oldest_counts > never_long + 1.0, "{oldest_counts} s, and {never_long} s without it");
    let forgotten = median(after(&[(450, 1), (150, 64)]));
    assert!((forgotten - never_long).abs() < 0.001, "{forgotten} s, and {never_long} s without it");
    // Forgotten for good: a whole busy hour later nothing is left of it.
    let long_ago = median(after(&[(450, 64), (150, 64)]));
    assert!((long_ago - never_long).abs() < 0.001, "{long_ago} s, and {never_long} s without them");
}

#[test]
fn a_phone_off_the_hook_counts_as_four_hours_at_most() {
    let hours = |hours: u64| after(&[(hours * 3600, 64)]).until(1, 1);
    assert_eq!(hours(10), hours(4));
    assert!(hours(4).median > hours(3).median && hours(3).median > hours(2).median);
}

#[test]
fn who_comes_to_a_free_agent_waits_for_nobody() {
    let wait = |script: &str| {
        let trial = Trial::run(script);
        trial.floor.expected_wait(trial.queue("front")).map(|expected| expected.median.as_secs())
    };
    assert_eq!(wait("0s agent Nour absent"), None, "nobody works there");
    assert_eq!(wait("0s agent Nour ready"), Some(0));
    assert_eq!(wait("0s agent Nour ready | 1s call A routine"), Some(298), "one ahead, and then this one");
}
