//! `bandeau user`: accounts of people who sign in at the pages.

use crate::config::Config;
use crate::store::users::{Account, Role, Users};
use anyhow::{Context, bail, ensure};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;

/// `bandeau user`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The configuration whose `state_dir` holds the accounts
    #[arg(long, global = true, default_value = "bandeau.toml")]
    config: PathBuf,
    #[command(subcommand)]
    wish: Wish,
}

#[derive(clap::Subcommand, Clone, Debug)]
enum Wish {
    /// Add an account; its password is asked for twice, or read from standard input
    Add {
        /// The name to sign in with
        name: String,
        /// agent, regulator, supervisor, administrator or observer
        #[arg(long)]
        role: Role,
        /// The only centre it opens; by default every centre (an agent: the one that has the agent)
        #[arg(long)]
        centre: Option<String>,
        /// The agent of the configuration it speaks for; for agents and regulators by default the name
        #[arg(long)]
        agent: Option<String>,
    },
    /// Show every account
    List,
    /// Remove an account; its sessions end within seconds
    Remove {
        /// Which
        name: String,
    },
    /// Change a password; sessions opened with the old one end within seconds
    Password {
        /// Whose
        name: String,
    },
}

/// Does what is wished and says so.
///
/// # Errors
/// What is wrong, in words for the operator.
pub fn run(args: Args) -> anyhow::Result<()> {
    let config = Config::load(&args.config).map_err(|fault| anyhow::anyhow!("{fault}"))?;
    let mut users = Users::open(&config.users())?;
    let mut out = std::io::stdout().lock();
    match args.wish {
        Wish::Add { name, role, centre, agent } => {
            let account = account(&config, name, role, centre, agent)?;
            ensure!(
                !users.list()?.iter().any(|a| a.name == account.name),
                "there is an account `{}` already",
                account.name
            );
            users.add(&account, &password()?)?;
            writeln!(out, "added {}", account.name)?;
        }
        Wish::List => {
            for Account { name, role, centre, agent, .. } in users.list()? {
                let (centre, agent) = (centre.unwrap_or_else(|| "*".to_owned()), agent.unwrap_or_default());
                writeln!(out, "{name:24} {role:14} {centre:16} {agent}")?;
            }
        }
        Wish::Remove { name } => {
            users.remove(&name)?;
            writeln!(out, "removed {name}")?;
        }
        Wish::Password { name } => {
            ensure!(users.list()?.iter().any(|a| a.name == name), "there is no account `{name}`");
            users.set_password(&name, &password()?)?;
            writeln!(out, "changed {name}")?;
        }
    }
    Ok(())
}

/// The account, if the configuration has what it names.
fn account(
    config: &Config,
    name: String,
    role: Role,
    centre: Option<String>,
    agent: Option<String>,
) -> anyhow::Result<Account> {
    let centres = &config.site.centres;
    if let Some(centre) = &centre {
        ensure!(centres.iter().any(|c| c.name == *centre), "the configuration has no centre `{centre}`");
    }
    ensure!(
        agent.is_none() || role != Role::Observer,
        "an observer speaks for no agent: leave `--agent` out"
    );
    let agent = agent.or_else(|| role.answers().then(|| name.clone()));
    let Some(agent) = agent else { return Ok(Account { name, role, centre, agent: None, stamp: 0 }) };
    let has = |c: &&engine::site::CentreSite| {
        centre.as_ref().is_none_or(|centre| *centre == c.name) && c.agents.iter().any(|a| a.name == agent)
    };
    let mut found = centres.iter().filter(has);
    match (found.next(), found.next()) {
        // Only who answers is tied to the agent's centre: a supervisor may steer the others too.
        (Some(c), None) => {
            let centre = if role.answers() { Some(c.name.clone()) } else { centre };
            Ok(Account { name, role, centre, agent: Some(agent), stamp: 0 })
        }
        (None, _) => bail!("the configuration has no agent `{agent}` there: name one with `--agent`"),
        _ => bail!("several centres have an agent `{agent}`: name one with `--centre`"),
    }
}

/// Asked for twice at a terminal, else one line of standard input.
fn password() -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).context("cannot read the password")?;
        return Ok(line.trim_end_matches(['\r', '\n']).to_owned());
    }
    let first = rpassword::prompt_password("Password: ").context("cannot read the password")?;
    let second = rpassword::prompt_password("Again: ").context("cannot read the password")?;
    ensure!(first == second, "the two differ: nothing was changed");
    Ok(first)
}
