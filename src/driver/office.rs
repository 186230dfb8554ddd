//! The office: one thread for everything that tells people what the core does, and for what they
//! ask in return. It may be late; the core never waits for it.

use super::clock::Clock;
use super::door::Door;
use super::feed::{self, FeedInput};
use super::http::{self, HttpState};
use super::sparing;
use super::telemetry::{CoreFigures, Telemetry};
use super::tls::Identity;
use crate::config::{Access, Config, Right};
use crate::media::plane::Figures;
use crate::store::users::Users;
use engine::call::event::Entry;
use engine::id::{AgentId, CentreId};
use engine::io::{Counter, Input, Outcome};
use engine::live::cast::Cast;
use engine::live::view::{self, Viewer};
use engine::site::Site;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};

/// A core that has not ended a step for this long is stuck: its figures are read every second.
const STEP_AGE_MAX: Duration = Duration::from_secs(5);

/// What the core says.
enum Said {
    Logged(Entry),
    Outcome(Outcome),
    PageSdp(AgentId, Option<String>),
    PageUnheard(AgentId),
    Counted(Counter),
    Media(Figures),
}

/// The core's way to say it.
pub(super) struct Voice {
    /// What the core counts by itself.
    pub(super) core: CoreFigures,
    say: mpsc::UnboundedSender<Said>,
    health: Arc<Health>,
    clock: Clock,
}

/// What `/readyz` looks at.
#[derive(Default)]
struct Health {
    draining: AtomicBool,
    /// The last sign of life of the core, in nanoseconds of the timeline.
    alive: AtomicU64,
}

impl Voice {
    pub(super) fn logged(&self, entry: Entry) {
        let _ = self.say.send(Said::Logged(entry)); // without an office calls go on
    }

    pub(super) fn outcome(&self, outcome: Outcome) {
        let _ = self.say.send(Said::Outcome(outcome));
    }

    pub(super) fn page_sdp(&self, agent: AgentId, answer: Option<String>) {
        let _ = self.say.send(Said::PageSdp(agent, answer));
    }

    pub(super) fn page_unheard(&self, agent: AgentId) {
        let _ = self.say.send(Said::PageUnheard(agent));
    }

    pub(super) fn counted(&self, counter: Counter) {
        let _ = self.say.send(Said::Counted(counter));
    }

    /// Once a second: a sign of life, and what others have counted.
    pub(super) fn figures(&self, media: &Figures, unwritten: u64) {
        self.health.alive.store(self.clock.now().at.as_nanos(), Ordering::Relaxed);
        self.core.unwritten.set(i64::try_from(unwritten).unwrap_or(i64::MAX));
        let _ = self.say.send(Said::Media(*media));
    }

    /// From here on `/readyz` says no.
    pub(super) fn draining(&self) {
        self.health.draining.store(true, Ordering::Relaxed);
    }
}

/// The thread.
pub(super) struct Office {
    close: Option<oneshot::Sender<()>>,
    thread: JoinHandle<()>,
}

impl Office {
    /// Opens it: registers the metrics, starts the feed and the HTTP port.
    ///
    /// # Errors
    /// When the thread or one of its parts cannot be started.
    pub(super) fn open(
        config: &Config,
        clock: Clock,
        listener: std::net::TcpListener,
        wishes: mpsc::UnboundedSender<Input<'static>>,
    ) -> anyhow::Result<(Office, Voice)> {
        let registry = prometheus::Registry::new();
        let (telemetry, core) = Telemetry::new(&config.site, clock, &registry)?;
        let health =
            Arc::new(Health { alive: AtomicU64::new(clock.now().at.as_nanos()), ..Health::default() });
        let (say, said) = mpsc::unbounded_channel();
        let (close, closed) = oneshot::channel();
        let casts = casts(&config.site);
        let users = Users::open(&config.users())?;
        let now: feed::Clock = Arc::new(move || clock.now());
        let desk = Desk {
            door: Arc::new(Door::new(casts.clone(), now, Some(users), &registry)),
            tls: identity(config)?,
            origins: Arc::new(config.http.origins.clone()),
            casts,
            epoch: config.site.epoch,
            access: access(config),
            clock,
            registry,
            wishes,
            ready: readiness(Arc::clone(&health), clock),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let thread = std::thread::Builder::new().name("office".to_owned()).spawn(move || {
            runtime.block_on(async move {
                tokio::select! {
                    ended = desk.work(listener, said, telemetry) => if let Err(error) = ended {
                        tracing::error!(%error, "the office has closed: calls go on, nobody sees them");
                    },
                    _ = closed => {}
                }
            });
        })?;
        let voice = Voice { core, say, health, clock };
        Ok((Office { close: Some(close), thread }, voice))
    }

    /// Ends it.
    pub(super) fn close(mut self) {
        if let Some(close) = self.close.take() {
            let _ = close.send(());
        }
        let _ = self.thread.join();
    }
}

/// What the office works with.
struct Desk {
    door: Arc<Door>,
    tls: Option<Arc<Identity>>,
    origins: Arc<Vec<String>>,
    casts: Vec<Cast>,
    epoch: u32,
    access: Vec<http::Access>,
    clock: Clock,
    registry: prometheus::Registry,
    wishes: mpsc::UnboundedSender<Input<'static>>,
    ready: http::Readiness,
}

impl Desk {
    async fn work(
        self,
        listener: std::net::TcpListener,
        mut said: mpsc::UnboundedReceiver<Said>,
        mut telemetry: Telemetry,
    ) -> anyhow::Result<()> {
        let clock = self.clock;
        let (feed, feeds) =
            feed::start(self.casts, self.epoch, Arc::new(move || clock.now()), self.wishes, &self.registry);
        let state = HttpState {
            registry: self.registry,
            ready: self.ready,
            access: Arc::new(self.access),
            origins: self.origins,
            door: self.door,
            tls: self.tls,
            feeds,
        };
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let listening = async move {
            while let Some(said) = said.recv().await {
                match said {
                    Said::Logged(entry) => {
                        telemetry.fold(&entry);
                        let _ = feed.send(FeedInput::Logged(entry));
                    }
                    Said::Outcome(outcome) => {
                        let _ = feed.send(FeedInput::Outcome(outcome));
                    }
                    Said::PageSdp(agent, answer) => {
                        let _ = feed.send(FeedInput::PageSdp(agent, answer));
                    }
                    Said::PageUnheard(agent) => {
                        let _ = feed.send(FeedInput::PageUnheard(agent));
                    }
                    Said::Counted(counter) => telemetry.counted(&counter),
                    Said::Media(figures) => {
                        telemetry.media(&figures);
                        sparing::tell();
                    }
                }
            }
            Ok(())
        };
        tokio::select! {
            ended = http::serve(listener, state) => ended,
            ended = listening => ended,
        }
    }
}

/// Who we are under TLS, as the configuration says.
fn identity(config: &Config) -> anyhow::Result<Option<Arc<Identity>>> {
    config.http.tls.as_ref().map(|tls| Identity::load(&tls.certificate, &tls.key)).transpose()
}

fn casts(site: &Site) -> Vec<Cast> {
    let of = |(centre, c): (u16, &engine::site::CentreSite)| Cast {
        centre: CentreId(centre),
        name: c.name.clone(),
        queues: c.plan.queues.iter().map(|q| q.name.clone()).collect(),
        classes: c.plan.classes.iter().map(|class| class.name.clone()).collect(),
        contacts: c.directory.iter().map(|contact| contact.name.clone()).collect(),
        agents: c.agents.clone(),
    };
    (0..).zip(&site.centres).map(of).collect()
}

/// Each account of the configuration, for every centre it opens.
fn access(config: &Config) -> Vec<http::Access> {
    config
        .access
        .iter()
        .flat_map(|account| {
            (0..).zip(&config.site.centres).filter_map(|(i, centre)| one(account, CentreId(i), centre))
        })
        .collect()
}

fn one(account: &Access, id: CentreId, centre: &engine::site::CentreSite) -> Option<http::Access> {
    let right = match &account.right {
        Right::Observer => view::Right::Observer,
        Right::Supervisor => view::Right::Supervisor,
        Right::Agent { centre: whose, agent } => {
            let index = centre.agents.iter().position(|a| whose == &centre.name && a.name == *agent)?;
            view::Right::Agent(AgentId { centre: id, index: u32::try_from(index).ok()? })
        }
    };
    Some(http::Access {
        centre: id,
        viewer: Viewer { name: account.name.clone(), right },
        token_sha256: account.token_sha256,
    })
}

fn readiness(health: Arc<Health>, clock: Clock) -> http::Readiness {
    Arc::new(move || {
        let age =
            clock.now().at.since(engine::time::Instant::from_nanos(health.alive.load(Ordering::Relaxed)));
        if health.draining.load(Ordering::Relaxed) {
            Err("draining".to_owned())
        } else if age > STEP_AGE_MAX {
            Err("stuck".to_owned())
        } else {
            Ok(())
        }
    })
}
