//! What is played: read from the command line and the plan's own simulations, with a medium SAMU on a
//! Sunday evening where neither says otherwise.

use engine::dialplan::{ClassId, Dialplan, OfferPlan, Widen};
use engine::sim::{Crew, Law, LineShare, Second, Setup, Traffic};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// Plays a dialplan on a model of traffic.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The plan.
    pub plan: PathBuf,
    /// Who answers, and from when on how many: `arm=10`, `arm=10,20:00=9`, `arm+german:2=1`. By
    /// default those of the plan's first simulation, or 10 `arm` and 6 `mr-amu`.
    #[arg(long = "agents", value_name = "SKILLS=COUNT[,HH:MM=COUNT]")]
    pub agents: Vec<String>,
    /// Calls in the busiest hour of the day, redials apart: a medium SAMU on a Sunday has 107.
    #[arg(long, value_name = "CALLS", default_value_t = 107.0)]
    pub calls_per_hour: f64,
    /// So many times as many.
    #[arg(long, value_name = "TIMES", default_value_t = 1.0)]
    pub crisis: f64,
    /// Seconds a conversation lasts on average.
    #[arg(long, value_name = "SECONDS", default_value_t = 135.0)]
    pub handling: f64,
    /// Seconds of file work after it.
    #[arg(long, value_name = "SECONDS", default_value_t = 45.0)]
    pub wrap_up: f64,
    /// Seconds from the ringing to the key, on average.
    #[arg(long, value_name = "SECONDS", default_value_t = 3.0)]
    pub reaction: f64,
    /// Share of calls that are vital, whoever knows it.
    #[arg(long, value_name = "SHARE", default_value_t = 0.03)]
    pub vital: f64,
    /// Share of the vital calls whose line says so.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    pub known: f64,
    /// Share of answered calls that go on to a doctor, where the plan has a queue for it.
    #[arg(long, value_name = "SHARE", default_value_t = 0.65)]
    pub to_doctor: f64,
    /// When the evening begins, on Sunday 22 November 2026.
    #[arg(long, value_name = "HH:MM", default_value = "18:00")]
    pub from: String,
    /// How long calls come in.
    #[arg(long, default_value_t = 4.0)]
    pub hours: f64,
    /// The same number of calls every hour, not the profile of a day.
    #[arg(long)]
    pub steady: bool,
    /// Agents answer desk phones, not pages.
    #[arg(long)]
    pub desks: bool,
    /// How many evenings are played and averaged.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub evenings: u32,
    /// The first evening; the same number, the same callers.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Only what the plan promises of itself (`[[simulation]]`).
    #[arg(long)]
    pub promises_only: bool,
    /// Figures as JSON.
    #[arg(long)]
    pub json: bool,
    /// Writes one page with curves.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Language of table and page.
    #[arg(long, value_enum, default_value_t = Lang::Fr)]
    pub lang: Lang,
}

/// A language of the report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Lang {
    /// French.
    Fr,
    /// English.
    En,
}

/// Sunday 22 November 2026 at midnight in Paris.
pub(super) const SUNDAY: Duration = Duration::from_secs(1_795_302_000);

/// Share of a day's calls in each hour, in per cent: two humps, a night floor of one and a half.
const DAY: [f64; 24] = [
    2.0, 2.0, 1.7, 1.5, 1.5, 1.5, 1.8, 2.5, 3.5, 5.5, 7.0, 7.0, 5.5, 4.5, 4.1, 3.9, 3.9, 4.3, 6.5, 7.5, 7.5,
    6.8, 5.0, 3.0,
];
const BUSIEST: f64 = 7.5;

/// Services of the shipped plans and their part of the calls; others share one part.
const ORIGINS: [(&str, f64); 4] =
    [("samu", 0.60), ("pdsa", 0.15), ("partner-fire", 0.15), ("partner-hospital", 0.08)];
const ELSEWHERE: f64 = 0.02;

/// A change of a plan, to be compared with the plan as it is.
type Change = fn(&mut Dialplan);

/// Plans beside the plan, and the key of their words.
pub(super) const VARIANTS: [(&str, Change); 5] = [
    ("no-alert", |plan| plan.queues.iter_mut().for_each(|queue| queue.vital.alert_busy = false)),
    ("alert", |plan| plan.queues.iter_mut().for_each(|queue| queue.vital.alert_busy = true)),
    ("reserve", |plan| plan.queues.iter_mut().take(1).for_each(|queue| queue.reserve += 1)),
    ("shared", |plan| {
        for queue in pushed(plan) {
            let widen = vec![Widen { at: Duration::ZERO, agents: None }];
            queue.offer = OfferPlan::Shared { widen, phone_ring: queue.offer.ring() };
        }
    }),
    ("exclusive", |plan| {
        for queue in pushed(plan) {
            let strategy = engine::dialplan::Strategy::LongestIdle;
            queue.offer = OfferPlan::Exclusive { strategy, ring: queue.offer.ring() };
        }
    }),
];

fn pushed(plan: &mut Dialplan) -> impl Iterator<Item = &mut engine::dialplan::QueuePlan> {
    plan.queues.iter_mut().filter(|queue| !matches!(queue.offer, OfferPlan::Pick { .. }))
}

/// Checked, and free of the plan: variants of a plan are played on the same.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) traffic: Traffic,
    pub(super) crews: Vec<Crew>,
    second: Option<Second>,
    /// Minutes after midnight.
    pub(super) from: u32,
    lasts: Duration,
    /// A major event is open.
    crisis: bool,
}

/// What the command line means on this plan; or what is wrong with it.
pub(super) fn of(args: &Args, plan: &Dialplan) -> Result<Setting, String> {
    let numbers = [
        ("--calls-per-hour", args.calls_per_hour, 100_000.0),
        ("--crisis", args.crisis, 100.0),
        ("--handling", args.handling, 86_400.0),
        ("--wrap-up", args.wrap_up, 86_400.0),
        ("--reaction", args.reaction, 3_600.0),
        ("--vital", args.vital, 1.0),
        ("--known", args.known, 1.0),
        ("--to-doctor", args.to_doctor, 1.0),
        ("--hours", args.hours, 24.0 * 31.0),
    ];
    for (name, value, most) in numbers {
        if !(0.0..=most).contains(&value) {
            return Err(format!("{name} is {value}: give a number from 0 to {most}"));
        }
    }
    let from =
        minutes(&args.from).ok_or_else(|| format!("--from `{}`: give a time like 18:00", args.from))?;
    let mut crews = Vec::new();
    for text in agents(args, plan) {
        let (skills, count, later) =
            rota(&text, from).ok_or_else(|| format!("--agents `{text}`: write it like arm=10,20:00=9"))?;
        crews.push(crew(args, skills, count, later));
    }
    let mut traffic = Traffic::samu(args.calls_per_hour * args.crisis, lines(plan));
    traffic.handling = Law::LogNormal { mean: Duration::from_secs_f64(args.handling), cv: 0.8 };
    (traffic.vital, traffic.known) = (args.vital, args.known);
    if !args.steady {
        let hour = |nth: u32| DAY[((from / 60 + nth) % 24) as usize] / BUSIEST;
        traffic.profile = (0..=args.hours.ceil() as u32).map(hour).collect();
    }
    let second = second(plan, &crews, args.to_doctor);
    let lasts = Duration::from_secs_f64(args.hours * 3600.0);
    Ok(Setting { traffic, crews, second, from, lasts, crisis: args.crisis > 1.0 })
}

fn minutes(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

fn agents(args: &Args, plan: &Dialplan) -> Vec<String> {
    if !args.agents.is_empty() {
        return args.agents.clone();
    }
    if let Some(simulation) = plan.simulations().first() {
        let written = |(skills, count): &(Vec<String>, u32)| format!("{}={count}", skills.join("+"));
        return simulation.given.agents.iter().map(written).collect();
    }
    vec!["arm=10".to_owned(), "mr-amu=6".to_owned()]
}

/// Who, how many, and from when on how many, in time since the start.
type Rota = (Vec<String>, u32, Vec<(Duration, u32)>);

fn rota(text: &str, from: u32) -> Option<Rota> {
    let mut parts = text.split(',');
    let (skills, count) = parts.next()?.rsplit_once('=')?;
    let mut later = Vec::new();
    for part in parts {
        let (time, count) = part.split_once('=')?;
        // A time before the start is of the next day.
        let after = (minutes(time.trim())? + 24 * 60 - from) % (24 * 60);
        later.push((Duration::from_secs(60 * u64::from(after)), count.trim().parse().ok()?));
    }
    let skills: Vec<String> = skills.split('+').map(|skill| skill.trim().to_owned()).collect();
    let named = skills.iter().all(|skill| !skill.is_empty());
    named.then_some((skills, count.trim().parse().ok().filter(|count| *count <= 10_000)?, later))
}

fn crew(args: &Args, skills: Vec<String>, count: u32, later: Vec<(Duration, u32)>) -> Crew {
    Crew {
        skills,
        count,
        later,
        pages: !args.desks,
        reaction: Law::LogNormal { mean: Duration::from_secs_f64(args.reaction), cv: 0.5 },
        absent: 0.01,
        wrap_up: Duration::from_secs_f64(args.wrap_up),
    }
}

/// What is dialled: one number of each service, with the part the model gives it.
pub(super) fn lines(plan: &Dialplan) -> Vec<LineShare> {
    let mut numbers: Vec<&str> = plan.numbers().collect();
    numbers.sort_unstable_by_key(|number| (number.starts_with("urn:"), number.len(), *number));
    let mut services: Vec<(&str, &str)> = Vec::new();
    for number in numbers {
        let Some(service) = plan.service(number) else { continue };
        if services.iter().all(|(known, _)| *known != service) {
            services.push((service, number));
        }
    }
    let known = |service: &str| ORIGINS.iter().find(|(name, _)| *name == service).map(|(_, share)| *share);
    let line = |(service, number): &(&str, &str)| LineShare {
        called: (*number).to_owned(),
        share: known(service).unwrap_or(ELSEWHERE),
        muted: false,
    };
    services.iter().map(line).collect()
}

/// The doctors' queue: the first that only other people than the first queue's serve, if anybody of
/// the crews does.
pub(super) fn second(plan: &Dialplan, crews: &[Crew], share: f64) -> Option<Second> {
    let front = plan.queues.first()?;
    let place = plan.queues.iter().position(|queue| {
        let serves = |crew: &&Crew| queue.takes(&crew.skills) && !front.takes(&crew.skills);
        crews.iter().any(|crew| serves(&crew))
    })?;
    let named = ["p2", "routine", "deferred"].iter().find_map(|name| plan.class_named(name));
    Some(Second {
        queue: u32::try_from(place).ok()?,
        class: named.unwrap_or(ClassId(0)),
        share,
        handling: Law::LogNormal { mean: Duration::from_secs(270), cv: 0.8 },
    })
}

impl Setting {
    pub(super) fn setup(&self, plan: &Arc<Dialplan>, seed: u64) -> Setup {
        Setup {
            plan: Arc::clone(plan),
            traffic: self.traffic.clone(),
            crews: self.crews.clone(),
            second: self.second.clone(),
            from: SystemTime::UNIX_EPOCH + SUNDAY + Duration::from_secs(60 * u64::from(self.from)),
            lasts: self.lasts,
            warm_up: Duration::ZERO,
            slice: Some(SLICE),
            crisis: self.crisis,
            seed,
        }
    }

    /// Whether somebody comes or goes during the evening.
    pub(super) fn has_changes(&self) -> bool {
        self.crews.iter().any(|crew| !crew.later.is_empty())
    }

    /// The same evening with everybody staying.
    pub(super) fn without_changes(&self) -> Setting {
        let mut same = self.clone();
        same.crews.iter_mut().for_each(|crew| crew.later.clear());
        same
    }

    /// Who is there, as it was asked for.
    pub(super) fn rota(&self) -> Vec<String> {
        let later = |(after, count): &(Duration, u32)| {
            let at = (u64::from(self.from) + after.as_secs() / 60) % (24 * 60);
            format!(", {:02}:{:02} = {count}", at / 60, at % 60)
        };
        let written = |crew: &Crew| {
            let changes: String = crew.later.iter().map(later).collect();
            format!("{} = {}{changes}", crew.skills.join("+"), crew.count)
        };
        self.crews.iter().map(written).collect()
    }
}

/// Slices of the curves.
pub(super) const SLICE: Duration = Duration::from_secs(300);
