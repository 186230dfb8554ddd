//! What an author asks of a plan before it serves: why a call goes where it goes, what another version
//! changes, and which of last winter's calls would have gone elsewhere. The same evaluator as the
//! engine's decides.

mod diff;
mod explain;
mod replay;

pub use diff::{Args as Diff, run as diff};
pub use explain::{Args as Explain, run as explain};
pub use replay::{Args as Replay, run as replay};

use anyhow::{Context, anyhow};
use engine::dialplan::Dialplan;
use std::path::Path;

/// Reads and checks a plan.
fn read(path: &Path) -> anyhow::Result<Dialplan> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read dialplan `{name}`: correct the path, or write the plan"))?;
    Dialplan::parse(&name, &text).map_err(|wrong| {
        let text = wrong.to_string();
        anyhow!("{}", text.strip_prefix("error: ").unwrap_or(&text))
    })
}
