//! `bandeau`: one binary for one centre, or a node of many.

use bandeau::{check, config::Config, demo, driver, load, plan, records, simulate, user, watch};
use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// What a night of calls has needed for a moment is the system's again a few seconds later.
#[global_allocator]
static MEMORY: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Emergency-call distribution: carrier trunks in, vital distress first, the right person answers.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Serve calls
    Serve {
        /// The configuration (docs/operating.md)
        #[arg(long)]
        config: PathBuf,
    },
    /// Check dialplans and configurations without starting anything
    Check {
        /// Dialplans; by default those of `dialplans/`
        files: Vec<PathBuf>,
        /// A configuration, with every dialplan it names
        #[arg(long, conflicts_with = "files")]
        config: Option<PathBuf>,
    },
    /// Why one call goes where it goes: each route and modifier of a dialplan, and why or why not
    Explain(plan::Explain),
    /// What another version of a dialplan changes, and for which calls; exit code 1 when anything does
    Diff(plan::Diff),
    /// Which recorded calls would have gone elsewhere with a dialplan
    Replay(plan::Replay),
    /// The JSON Schema of dialplans, for editors
    Schema,
    /// Records of ended calls
    Records(records::Args),
    /// Play a dialplan on a model of traffic, before the night it matters
    Simulate(simulate::Args),
    /// Accounts of people who sign in at the pages
    User(user::Args),
    /// Watch a centre's board in this terminal
    Watch(watch::Args),
    /// Play a carrier and desk phones against an installation
    Load(load::plan::Args),
    /// Everything on this machine: engine, simulated carrier, simulated phones, board
    Demo(demo::Args),
}

/// A wrong command, configuration or dialplan; nothing was started.
const WRONG: u8 = 2;

fn main() -> ExitCode {
    let done = match Cli::parse().verb {
        Verb::Serve { config } => return serve(&config),
        Verb::Check { config: Some(path), .. } => return check_config(&path),
        Verb::Check { files, config: None } => check_plans(&files),
        Verb::Explain(args) => plan::explain(&args, &mut std::io::stdout()).map(|()| ExitCode::SUCCESS),
        Verb::Diff(args) => plan::diff(&args, &mut std::io::stdout())
            .map(|same| if same { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
        Verb::Replay(args) => plan::replay(&args, &mut std::io::stdout()).map(|_| ExitCode::SUCCESS),
        Verb::Schema => {
            print!("{}", engine::dialplan::Dialplan::schema());
            Ok(ExitCode::SUCCESS)
        }
        Verb::Records(args) => records::run(&args, &mut std::io::stdout()).map(|()| ExitCode::SUCCESS),
        Verb::Simulate(args) => {
            let code = simulate::run(&args, &mut std::io::stdout(), &mut std::io::stderr());
            code.map(ExitCode::from).map_err(Into::into)
        }
        Verb::User(args) => user::run(args).map(|()| ExitCode::SUCCESS),
        Verb::Watch(args) => watch::run(args).map(|()| ExitCode::SUCCESS),
        Verb::Load(args) => play(args),
        Verb::Demo(args) => demo::run(&args),
    };
    done.unwrap_or_else(|error| {
        eprintln!("error: {error:#}");
        ExitCode::FAILURE
    })
}

/// Reads and checks everything a start needs; the error is for the operator.
fn read(path: &std::path::Path) -> Result<Config, String> {
    let config = Config::load(path).map_err(|fault| fault.to_string())?;
    let sounds = driver::sounds(&config).map_err(|error| format!("error: {error:#}"))?;
    if let Some(tls) = &config.http.tls {
        driver::tls::Identity::load(&tls.certificate, &tls.key)
            .map_err(|error| format!("error: {error:#}"))?;
    }
    let playable = sounds.names();
    for centre in &config.site.centres {
        centre.plan.can_be_heard(&playable).map_err(|error| error.to_string())?;
    }
    Ok(config)
}

fn serve(path: &std::path::Path) -> ExitCode {
    let config = match read(path) {
        Ok(config) => config,
        Err(fault) => {
            eprintln!("{fault}");
            return ExitCode::from(WRONG);
        }
    };
    driver::log(&config.log);
    match driver::serve(config, |_| {}, None) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn check_config(path: &std::path::Path) -> ExitCode {
    match read(path) {
        Ok(config) => {
            for centre in &config.site.centres {
                println!("ok {}: {}, agents {}", centre.name, centre.plan.summary(), centre.agents.len());
                for warning in centre.unstaffed() {
                    eprintln!("{warning}");
                }
            }
            ExitCode::SUCCESS
        }
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(WRONG)
        }
    }
}

fn check_plans(files: &[PathBuf]) -> anyhow::Result<ExitCode> {
    Ok(ExitCode::from(check::check(files, &mut std::io::stdout(), &mut std::io::stderr())?))
}

fn play(args: load::plan::Args) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(load::run(args, driver::clock::shared()))
}
