//! What to play, as asked on the command line and as checked: only a [`Plan`] can be played.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

/// Calls of one run. A higher bound would serve nobody who proves an installation.
pub const CALLS_MAX: u64 = 100_000;
/// Calls a second; above it, this one task would be late before the target is.
pub const RATE_MAX: f64 = 200.0;
/// Phones of one run: as many as the largest room we know, times four.
pub const PHONES_MAX: u16 = 1_000;
/// Length of one run.
pub const SECONDS_MAX: u64 = 24 * 3_600;

/// Callers and desk phones with audio, for demos, tests and proving an installation.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The address calls are sent to, and phones register at.
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:5060")]
    pub target: SocketAddr,
    /// The same address again, when it is not on this machine.
    #[arg(long, value_name = "IP:PORT")]
    pub yes_really_target: Option<SocketAddr>,
    /// Our own address, towards the target.
    #[arg(long, value_name = "IP", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    pub bind: IpAddr,
    /// The callers' SIP port; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub caller_port: u16,
    /// How many calls to place; 0 plays phones only, until `--seconds`.
    #[arg(long, default_value_t = 0)]
    pub count: u64,
    /// Calls a second.
    #[arg(long, default_value_t = 1.0)]
    pub rate: f64,
    /// Seconds a caller talks after the answer of a person or a queue, then hangs up.
    #[arg(long, default_value_t = 10.0)]
    pub talk: f64,
    /// Seconds without a 200 after which a caller gives up.
    #[arg(long, default_value_t = 120.0)]
    pub patience: f64,
    /// What is dialled, with its weight: `15`, `15=8`, `urn:service:sos.ecall.automatic=1`.
    #[arg(long = "to", value_name = "NUMBER[=WEIGHT]", default_values_t = [String::from("15")])]
    pub to: Vec<String>,
    /// Callers' numbers: each `*` becomes a digit of the call's own number in this run.
    #[arg(long, value_name = "PATTERN", default_value = "06********")]
    pub from: String,
    /// A header every call carries.
    #[arg(long = "header", value_name = "NAME: VALUE")]
    pub headers: Vec<String>,
    /// What callers and phones say.
    #[arg(long, value_enum, default_value_t = Audio::Tone)]
    pub audio: Audio,
    /// Offer mu-law only, as SIPp's built-in caller does; otherwise A-law, then mu-law.
    #[arg(long)]
    pub mu_law: bool,
    /// How many desk phones to play.
    #[arg(long, default_value_t = 0)]
    pub phones: u16,
    /// The first phone's SIP port, the next one's is one above; 0 takes free ones.
    #[arg(long, value_name = "PORT", default_value_t = 7000)]
    pub phone_port: u16,
    /// Seconds a phone rings before it answers.
    #[arg(long, default_value_t = 1.0)]
    pub ring: f64,
    /// Seconds after which a phone hangs up; without it, the caller does.
    #[arg(long)]
    pub phone_talk: Option<f64>,
    /// Phones say nothing: one-way calls, to see what the room is told.
    #[arg(long)]
    pub mute_phones: bool,
    /// Phones register as this user (`{i}` becomes the phone's place, from 0); without it they wait
    /// at their address.
    #[arg(long, requires = "password_file")]
    pub user: Option<String>,
    /// The phones' password, first line of a file.
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// The run ends after this many seconds, whatever is under way.
    #[arg(long, default_value_t = 600)]
    pub seconds: u64,
    /// The summary as one line of JSON.
    #[arg(long)]
    pub json: bool,
}

/// What is said into a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Audio {
    /// Callers 1 kHz, phones 700 Hz: what arrives can be told from what was sent.
    Tone,
    /// Spoken sounds, for demos.
    Speech,
}

/// Why a run cannot start.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The target is on another machine and was named once only.
    #[error(
        "{target} is not on this machine: repeat it with --yes-really-target {target}, if calling there is allowed"
    )]
    NotLoopback {
        /// Where.
        target: SocketAddr,
    },
    /// The second address is not the first.
    #[error("--target {target} and --yes-really-target {again} differ")]
    Differ {
        /// Where.
        target: SocketAddr,
        /// What was given the second time.
        again: SocketAddr,
    },
    /// A value out of its bounds.
    #[error("--{option}: {why}")]
    Value {
        /// The option.
        option: &'static str,
        /// What is wrong and what would be right.
        why: String,
    },
    /// A socket, or the password file.
    #[error("{what}")]
    Io {
        /// What we wanted.
        what: String,
        /// What the system says.
        source: std::io::Error,
    },
}

/// What is dialled, and how often among the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialled {
    /// A number, or a URN.
    pub number: String,
    /// Its share.
    pub weight: u32,
}

/// A checked run.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where to.
    pub target: SocketAddr,
    /// From which address of ours.
    pub bind: IpAddr,
    /// The callers' port, 0 for a free one.
    pub caller_port: u16,
    /// Calls to place.
    pub count: u64,
    /// From one call to the next.
    pub every: Duration,
    /// A caller's talk.
    pub talk: Duration,
    /// A caller's patience.
    pub patience: Duration,
    /// What is dialled; never empty, weights above zero.
    pub to: Vec<Dialled>,
    /// Callers' numbers.
    pub from: String,
    /// Headers of every call.
    pub headers: Vec<(String, String)>,
    /// What is said.
    pub audio: Audio,
    /// Only mu-law is offered.
    pub mu_law: bool,
    /// Desk phones.
    pub phones: u16,
    /// The first phone's port.
    pub phone_port: u16,
    /// How long a phone rings.
    pub ring: Duration,
    /// When a phone hangs up by itself.
    pub phone_talk: Option<Duration>,
    /// Phones say nothing.
    pub mute_phones: bool,
    /// User pattern and password of registering phones.
    pub account: Option<(String, String)>,
    /// The end of the run.
    pub limit: Duration,
}

impl Plan {
    /// Checks what was asked; reads the password file.
    pub fn check(args: Args) -> Result<Plan, LoadError> {
        if let Some(again) = args.yes_really_target.filter(|again| *again != args.target) {
            return Err(LoadError::Differ { target: args.target, again });
        }
        if !args.target.ip().is_loopback() && args.yes_really_target.is_none() {
            return Err(LoadError::NotLoopback { target: args.target });
        }
        if args.count > CALLS_MAX {
            return Err(LoadError::Value { option: "count", why: format!("at most {CALLS_MAX}") });
        }
        if !(args.rate > 0.0 && args.rate <= RATE_MAX) {
            return Err(LoadError::Value {
                option: "rate",
                why: format!("above 0, at most {RATE_MAX} calls a second"),
            });
        }
        if args.phones > PHONES_MAX {
            return Err(LoadError::Value { option: "phones", why: format!("at most {PHONES_MAX}") });
        }
        if args.phone_port != 0 && args.phone_port.checked_add(args.phones).is_none() {
            return Err(LoadError::Value {
                option: "phone-port",
                why: "the last phone's port is above 65535".into(),
            });
        }
        if args.seconds == 0 || args.seconds > SECONDS_MAX {
            return Err(LoadError::Value { option: "seconds", why: format!("from 1 to {SECONDS_MAX}") });
        }
        if args.count == 0 && args.phones == 0 {
            return Err(LoadError::Value {
                option: "count",
                why: "nothing to play: give --count or --phones".into(),
            });
        }
        let account = account(args.user, args.password_file)?;
        Ok(Plan {
            target: args.target,
            bind: args.bind,
            caller_port: args.caller_port,
            count: args.count,
            every: Duration::from_secs_f64(1.0 / args.rate),
            talk: seconds("talk", args.talk)?,
            patience: seconds("patience", args.patience)?,
            to: args.to.iter().map(|to| dialled(to)).collect::<Result<_, _>>()?,
            from: pattern(args.from)?,
            headers: args.headers.iter().map(|line| header(line)).collect::<Result<_, _>>()?,
            audio: args.audio,
            mu_law: args.mu_law,
            phones: args.phones,
            phone_port: args.phone_port,
            ring: seconds("ring", args.ring)?,
            phone_talk: args.phone_talk.map(|talk| seconds("phone-talk", talk)).transpose()?,
            mute_phones: args.mute_phones,
            account,
            limit: Duration::from_secs(args.seconds),
        })
    }

    /// What the `nth` call dials: every window of as many calls as the weights add up to has each
    /// number in its share, so that a short run is as mixed as a long one.
    pub fn dials(&self, nth: u64) -> &str {
        let total: u64 = self.to.iter().map(|to| u64::from(to.weight)).sum();
        // A stride without a common divisor walks every place of the window once; the golden ratio
        // keeps equal numbers apart.
        let stride = (total * 618 / 1_000 + 1..).find(|stride| gcd(*stride, total) == 1).unwrap_or(1);
        let mut place = nth.wrapping_mul(stride) % total.max(1);
        for to in &self.to {
            if place < u64::from(to.weight) {
                return &to.number;
            }
            place -= u64::from(to.weight);
        }
        self.to.last().map_or("", |to| &to.number)
    }

    /// The `nth` caller's number.
    pub fn calls_from(&self, nth: u64) -> String {
        let stars = self.from.matches('*').count();
        let digits = format!("{nth:0stars$}");
        let mut digits = digits[digits.len() - stars..].chars();
        self.from.chars().map(|c| if c == '*' { digits.next().unwrap_or('0') } else { c }).collect()
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

fn seconds(option: &'static str, value: f64) -> Result<Duration, LoadError> {
    Duration::try_from_secs_f64(value)
        .ok()
        .filter(|length| length.as_secs() <= SECONDS_MAX)
        .ok_or_else(|| LoadError::Value { option, why: format!("seconds, from 0 to {SECONDS_MAX}") })
}

fn dialled(text: &str) -> Result<Dialled, LoadError> {
    let (number, weight) = match text.rsplit_once('=') {
        None => (text, 1),
        Some((number, weight)) => (number, weight.parse().unwrap_or(0)),
    };
    let plain =
        !number.is_empty() && number.chars().all(|c| c.is_ascii_alphanumeric() || "+*#.:-".contains(c));
    if !plain || !(1..=1_000).contains(&weight) {
        let why = format!("`{text}`: a number or URN, then perhaps `=` and a weight from 1 to 1000");
        return Err(LoadError::Value { option: "to", why });
    }
    Ok(Dialled { number: number.to_owned(), weight })
}

fn pattern(from: String) -> Result<String, LoadError> {
    if !from.is_empty()
        && from.len() <= 32
        && from.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '+')
    {
        return Ok(from);
    }
    Err(LoadError::Value { option: "from", why: "digits, `+` and `*`, at most 32".into() })
}

fn header(line: &str) -> Result<(String, String), LoadError> {
    let wrong = || LoadError::Value { option: "header", why: format!("`{line}` is no `Name: value`") };
    let (name, value) = line.split_once(':').ok_or_else(wrong)?;
    let token = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if !token || value.contains(['\r', '\n']) {
        return Err(wrong());
    }
    Ok((name.to_owned(), value.trim().to_owned()))
}

fn account(user: Option<String>, file: Option<PathBuf>) -> Result<Option<(String, String)>, LoadError> {
    let (Some(user), Some(file)) = (user, file) else { return Ok(None) };
    let text = std::fs::read_to_string(&file)
        .map_err(|source| LoadError::Io { what: format!("cannot read `{}`", file.display()), source })?;
    Ok(Some((user, text.lines().next().unwrap_or_default().to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    fn check(line: &str) -> Result<Plan, String> {
        let args = Line::parse_from(std::iter::once("load").chain(line.split_whitespace())).args;
        Plan::check(args).map_err(|error| error.to_string())
    }

    #[test]
    fn a_target_elsewhere_must_be_named_twice() {
        assert!(
            check("--count 1 --target 192.0.2.7:5060")
                .unwrap_err()
                .contains("--yes-really-target 192.0.2.7:5060")
        );
        assert!(check("--count 1 --target 192.0.2.7:5060 --yes-really-target 192.0.2.8:5060").is_err());
        assert!(check("--count 1 --target 192.0.2.7:5060 --yes-really-target 192.0.2.7:5060").is_ok());
        assert!(check("--count 1 --target [::1]:5060").is_ok());
    }

    #[test]
    fn a_run_without_bounds_is_refused() {
        for line in [
            "--count 100001",
            "--count 1 --rate 0",
            "--count 1 --rate 201",
            "--phones 1001",
            "",
            "--count 1 --seconds 0",
            "--count 1 --talk inf",
            "--phones 10 --phone-port 65530",
            "--count 1 --to 15=0",
            "--count 1 --header x",
        ] {
            assert!(check(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_mix_holds_in_every_window_of_its_weights() {
        let plan = check("--count 1 --to 15=7 --to 116117=2 --to urn:service:sos=1").unwrap();
        for start in [0, 3, 170] {
            let dialled: Vec<_> = (start..start + 10).map(|nth| plan.dials(nth)).collect();
            assert_eq!(dialled.iter().filter(|d| **d == "15").count(), 7);
            assert_eq!(dialled.iter().filter(|d| **d == "116117").count(), 2);
            assert_eq!(dialled.iter().filter(|d| **d == "urn:service:sos").count(), 1);
        }
    }

    #[test]
    fn callers_numbers_follow_the_pattern() {
        let plan = check("--count 1 --from +336****0").unwrap();
        assert_eq!(plan.calls_from(7), "+33600070");
        assert_eq!(plan.calls_from(12_345), "+33623450");
    }
}
