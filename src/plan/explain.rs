//! `bandeau explain`: of each route and modifier, why it counts for one call, or why not.

use anyhow::{bail, ensure};
use engine::dialplan::{Dialplan, Earlier, Explanation, Facts, Outcome, Repeat, Room, State, Verdict};
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

/// `bandeau explain`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The dialplan
    plan: PathBuf,
    /// What the trunk delivers: a number or a service URN
    #[arg(long)]
    called: String,
    /// The caller's number; without it, the network gave none
    #[arg(long)]
    from: Option<String>,
    /// When the call comes, with the offset: 2026-10-25T02:30:00+01:00
    #[arg(long)]
    at: Option<String>,
    /// The trunk's name
    #[arg(long, default_value = "")]
    trunk: String,
    /// The service URN the call carries beside its number
    #[arg(long)]
    urn: Option<String>,
    /// The caller withholds the number
    #[arg(long)]
    withheld: bool,
    /// The caller's place as the network gives it
    #[arg(long)]
    location: Option<String>,
    /// A header of the INVITE, as NAME=VALUE; may be given again
    #[arg(long, value_name = "NAME=VALUE")]
    header: Vec<String>,
    /// The latest earlier call of this number, as answered:AGO or abandoned:AGO:WAITED in seconds
    #[arg(long, value_name = "OUTCOME:AGO[:WAITED]")]
    repeat: Option<String>,
    /// A major event is open in the centre
    #[arg(long)]
    crisis: bool,
    /// How a queue stands, as NAME:WAITING:LONGEST:FREE:SIGNED_IN with the longest wait in seconds; may
    /// be given again. The centre is the sum of them
    #[arg(long, value_name = "NAME:WAITING:LONGEST:FREE:SIGNED_IN")]
    queue: Vec<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Explains one call on `out`.
///
/// # Errors
/// When the plan is wrong or cannot be read, or an option is: with what to do.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let plan = super::read(&args.plan)?;
    let explanation = explain(&plan, args)?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string_pretty(&explanation)?)?;
    } else {
        print(&explanation, args, out)?;
    }
    Ok(())
}

fn explain(plan: &Dialplan, args: &Args) -> anyhow::Result<Explanation> {
    let utc = match &args.at {
        None if plan.has_calendars() => {
            bail!("this plan has calendars: say when the call comes, `--at 2026-11-23T02:30:00+01:00`")
        }
        None => SystemTime::UNIX_EPOCH,
        Some(at) => match Dialplan::moment_of(at) {
            Some(utc) => utc,
            None => bail!("`{at}` is no moment: write date, time and offset, `2026-11-23T02:30:00+01:00`"),
        },
    };
    let mut headers = Vec::new();
    for header in &args.header {
        match header.split_once('=') {
            Some((name, value)) if Facts::HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)) => {
                headers.push((name.to_owned(), value.to_owned()));
            }
            Some((name, _)) => bail!("no header `{name}` is kept: there is {}", Facts::HEADERS.join(", ")),
            None => bail!("`{header}` is no header: write `--header Priority=emergency`"),
        }
    }
    let queues = queues(plan, &args.queue)?;
    let facts = Facts {
        called: &args.called,
        urn: match &args.urn {
            Some(urn) => Some(urn),
            None => args.called.to_ascii_lowercase().starts_with("urn:").then_some(&args.called),
        },
        trunk: &args.trunk,
        caller: args.from.as_deref(),
        withheld: args.withheld,
        utc,
        repeat: args.repeat.as_deref().map(repeat).transpose()?,
        headers: &headers,
        location: args.location.as_deref().or_else(|| Facts::location_in(&headers)),
        room: Room { crisis: args.crisis, queues: &queues, whole: whole(&queues) },
    };
    Ok(plan.explain(&facts))
}

fn repeat(text: &str) -> anyhow::Result<Repeat> {
    let seconds = |text: Option<&str>| text.and_then(|text| text.parse().ok()).map(Duration::from_secs);
    let mut parts = text.split(':');
    let outcome = match parts.next() {
        Some("answered") => Some(Earlier::Answered),
        Some("abandoned") => Some(Earlier::Abandoned),
        _ => None,
    };
    let (ago, waited) = (seconds(parts.next()), parts.next());
    let waited = if waited.is_none() { Some(Duration::ZERO) } else { seconds(waited) };
    match (outcome, ago, waited, parts.next()) {
        (Some(outcome), Some(ago), Some(waited), None) => Ok(Repeat { outcome, ago, waited }),
        _ => bail!("`{text}` is no earlier call: write `answered:600`, or `abandoned:60:40`, in seconds"),
    }
}

fn queues(plan: &Dialplan, given: &[String]) -> anyhow::Result<Vec<State>> {
    if given.is_empty() {
        return Ok(Vec::new());
    }
    let mut queues = vec![State::default(); plan.queues.len()];
    for text in given {
        let (name, numbers) = text.split_once(':').unwrap_or((text, ""));
        let numbers: Result<Vec<u32>, _> = numbers.split(':').map(str::parse).collect();
        let place = plan.queues.iter().position(|queue| queue.name == name);
        let names: Vec<&str> = plan.queues.iter().map(|queue| queue.name.as_str()).collect();
        ensure!(place.is_some(), "the plan has no queue `{name}`: there is {}", names.join(", "));
        match (place, numbers.as_deref()) {
            (Some(place), Ok(&[waiting, longest, free, signed_in])) => {
                let longest_wait = Duration::from_secs(longest.into());
                queues[place] = State { waiting, longest_wait, free, signed_in };
            }
            _ => bail!("`{text}` is no state: write `--queue front:12:45:0:3`"),
        }
    }
    Ok(queues)
}

/// The centre, when its queues are given.
fn whole(queues: &[State]) -> Option<State> {
    let sum = |of: fn(&State) -> u32| queues.iter().map(of).fold(0, u32::saturating_add);
    (!queues.is_empty()).then(|| State {
        waiting: sum(|state| state.waiting),
        longest_wait: queues.iter().map(|state| state.longest_wait).max().unwrap_or_default(),
        free: sum(|state| state.free),
        signed_in: sum(|state| state.signed_in),
    })
}

fn print(explanation: &Explanation, args: &Args, out: &mut dyn Write) -> io::Result<()> {
    let from = args.from.as_deref().unwrap_or("a caller without number");
    let (plan, version, wall) = (&explanation.plan, &explanation.version, &explanation.wall);
    writeln!(out, "{} from {from}: plan {plan} {version}", args.called)?;
    if args.at.is_some() {
        writeln!(out, "on the centre's wall: {wall}")?;
    }
    writeln!(out, "service: {}\n", explanation.service)?;
    writeln!(out, "routes, from the highest priority: the first true one wins")?;
    for verdict in &explanation.routes {
        say(verdict, out)?;
    }
    if !explanation.modifiers.is_empty() {
        writeln!(out, "\nmodifiers, in the order of the file: every true one applies")?;
    }
    for verdict in &explanation.modifiers {
        say(verdict, out)?;
    }
    decided(explanation, out)
}

/// One route or modifier, its clauses below it.
fn say(verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let (mark, word) = match verdict.outcome {
        Outcome::Wins => ("=>", "wins"),
        Outcome::Applies => ("=>", "applies"),
        Outcome::Beaten => (" .", "true, but one above it wins"),
        Outcome::Untrue => (" -", "no"),
    };
    let priority = verdict.priority.map(|priority| format!(" ({priority})")).unwrap_or_default();
    let does = if verdict.does.is_empty() { String::new() } else { format!(": {}", verdict.does.join("; ")) };
    writeln!(out, "  {mark} {}{priority}: {word}{does}", verdict.name)?;
    for reason in &verdict.why {
        writeln!(out, "       {} {}", if reason.holds { "yes" } else { "no " }, reason.words)?;
    }
    if verdict.why.is_empty() && verdict.outcome == Outcome::Wins {
        writeln!(out, "       yes it has no condition: it takes what no other route takes")?;
    }
    Ok(())
}

fn decided(explanation: &Explanation, out: &mut dyn Write) -> io::Result<()> {
    let decision = &explanation.decision;
    let hold = match decision.hold {
        "early" => "early media",
        _ => "answered at once",
    };
    writeln!(out, "\ndecision: queue {}, class {}, {hold}", decision.queue, decision.class)?;
    let hears: Vec<&str> = decision.announce.iter().map(String::as_str).collect();
    let hears = if hears.is_empty() { String::new() } else { format!("{}, then ", hears.join(", ")) };
    writeln!(out, "  hears: {hears}{}", decision.hold_sound)?;
    let list = |out: &mut dyn Write, what: &str, list: &[String]| match list {
        [] => Ok(()),
        list => writeln!(out, "  {what}: {}", list.join(", ")),
    };
    list(out, "may press", &decision.menu)?;
    list(out, "tags", &decision.tags)?;
    list(out, "shown", &decision.show)?;
    list(out, "may answer as well", &decision.add)?;
    list(out, "preferred language", decision.language.as_slice())?;
    if decision.credit > 0 {
        writeln!(out, "  counts {} s of an earlier wait", decision.credit)?;
    }
    if let (Some(owner), Some(alone)) = (&decision.owner, decision.alone) {
        writeln!(out, "  {owner} is asked first, for {alone} s alone")?;
    }
    list(out, "nobody else before the fence than", &decision.leads)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    /// What `bandeau explain` prints, or why it does not.
    fn run(line: &str) -> Result<String, String> {
        let args = Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?.args;
        let mut out = Vec::new();
        super::run(&args, &mut out).map_err(|error| format!("{error:#}"))?;
        Ok(String::from_utf8(out).expect("what we print is UTF-8"))
    }

    const NIGHT: &str =
        "explain dialplans/samu.toml --called 15 --from +33612345678 --at 2026-10-25T02:30:00+01:00";

    #[test]
    fn each_route_and_modifier_says_why_or_why_not() {
        let said = run(NIGHT).expect("explained");
        for line in [
            "15 from +33612345678: plan samu-67",
            "on the centre's wall: Sun 2026-10-25 at 02:30 (Europe/Paris)",
            "   - on-call doctor, open (500): no",
            "       no  the service is samu, not pdsa",
            "       yes calendar pdsa is open on Sun 2026-10-25 at 02:30",
            "  => default (0): wins: queue front, class unqualified",
            "       yes it has no condition: it takes what no other route takes",
            "   - automatic eCall: no",
            "       no  the call carries no service URN, and urn:service:sos.ecall.automatic is asked for",
            "decision: queue front, class unqualified, answered at once",
        ] {
            assert!(said.contains(line), "no `{line}` in\n{said}");
        }
    }

    #[test]
    fn a_repeat_is_explained_by_what_it_did() {
        let said = run(&format!("{NIGHT} --repeat answered:600")).expect("explained");
        assert!(said.contains("the earlier call was answered 10m ago\n"), "{said}");
        assert!(said.contains("applies: raises unqualified to partner"), "{said}");
        let said = run(&format!("{NIGHT} --repeat abandoned:60:40")).expect("explained");
        assert!(said.contains("counts the 40s waited before"), "{said}");
        assert!(said.contains("  counts 40 s of an earlier wait\n"), "{said}");
    }

    #[test]
    fn json_holds_the_same() {
        let said = run(&format!("{NIGHT} --json")).expect("explained");
        let json: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(json["decision"]["route"], "default");
        assert_eq!(json["routes"][0]["outcome"], "untrue");
        assert_eq!(json["routes"][0]["why"][0]["holds"], false);
    }

    #[test]
    fn a_wrong_option_says_what_to_write() {
        let refused = |line: &str| run(line).expect_err("refused");
        let without = refused("explain dialplans/samu.toml --called 15");
        assert!(without.contains("--at 2026-11-23T02:30:00+01:00"), "{without}");
        assert!(refused("explain dialplans/nobody.toml --called 15").contains("dialplans/nobody.toml"));
        for wrong in [
            "--at tomorrow",
            "--repeat lost:60",
            "--repeat answered",
            "--repeat answered:60:1:1",
            "--header Priority",
            "--header Subject=x",
            "--queue frnt:1:1:1:1",
            "--queue front:1",
        ] {
            let line = match wrong {
                "--at tomorrow" => format!("explain dialplans/samu.toml --called 15 {wrong}"),
                _ => format!("{NIGHT} {wrong}"),
            };
            assert!(refused(&line).contains(':'), "{wrong}");
        }
    }
}
