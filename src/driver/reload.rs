//! SIGHUP: the plans are read again. A plan with a fault changes nothing, and neither do the others:
//! either every centre gets what its file says, or all go on as they are.
//!
//! Files are read on a thread of their own; the core is handed checked plans, one input each.

use crate::config::{Config, Fault};
use crate::media::sound::Sounds;
use engine::dialplan::Dialplan;
use engine::id::CentreId;
use engine::io::Input;
use engine::site::{CentreSite, Site};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::UnboundedSender;

/// What a plan is judged by at a reload, as at the start.
struct Judge {
    file: PathBuf,
    made: Made,
    sounds: Sounds,
}

/// What is made at a start and not again, by its names: a plan finds nothing else.
#[derive(PartialEq, Eq)]
struct Made {
    centres: Vec<String>,
    trunks: Vec<String>,
}

impl Made {
    fn of(site: &Site) -> Made {
        Made {
            centres: site.centres.iter().map(|centre| centre.name.clone()).collect(),
            trunks: site.trunks.iter().map(|trunk| trunk.name.clone()).collect(),
        }
    }
}

/// From here on SIGHUP reloads the plans of `config` instead of ending the process.
///
/// # Errors
/// When the signal cannot be listened for.
pub(super) fn on_hangup(
    config: &Config,
    sounds: Sounds,
    wish: UnboundedSender<Input<'static>>,
) -> std::io::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    let judge = Arc::new(Judge { file: config.file.clone(), made: Made::of(&config.site), sounds });
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            let judge = Arc::clone(&judge);
            let read = tokio::task::spawn_blocking(move || judge.plans()).await;
            match read.unwrap_or_else(|died| Err(died.to_string())) {
                Ok(plans) => serve_all(plans, &wish),
                Err(at) => tracing::error!(
                    %at,
                    "the plans were not reloaded, those that serve go on: `bandeau check --config` says why"
                ),
            }
        }
    });
    Ok(())
}

fn serve_all(plans: Vec<(CentreId, Arc<Dialplan>)>, wish: &UnboundedSender<Input<'static>>) {
    for (centre, plan) in plans {
        tracing::info!(plan = %plan.name, version = %plan.version, "serves from here on");
        let _ = wish.send(Input::Plan(centre, plan)); // the core is gone: nobody is left to serve
    }
}

/// Says that nobody of the roster serves some queue: a caller there would wait for a way out.
pub(super) fn warn_of_unstaffed(centres: &[CentreSite]) {
    for centre in centres {
        let count = centre.unstaffed().len();
        if count > 0 {
            tracing::warn!(
                centre = %centre.name,
                count,
                "queues or routes that nobody of the roster serves: `bandeau check --config` names them"
            );
        }
    }
}

impl Judge {
    /// The plan of every centre, or the place of the first fault.
    fn plans(&self) -> Result<Vec<(CentreId, Arc<Dialplan>)>, String> {
        let config = Config::load(&self.file).map_err(|fault| fault.place())?;
        if Made::of(&config.site) != self.made {
            let file = self.file.display();
            return Err(format!("{file}: other centres or trunks than at the start: restart to have them"));
        }
        warn_of_unstaffed(&config.site.centres);
        let playable = self.sounds.names();
        let centres = (0u16..).map(CentreId).zip(config.site.centres);
        let judged = centres.map(|(id, centre)| match centre.plan.can_be_heard(&playable) {
            Ok(()) => Ok((id, centre.plan)),
            Err(error) => Err(Fault::Plan(Box::new(error)).place()),
        });
        judged.collect()
    }
}
