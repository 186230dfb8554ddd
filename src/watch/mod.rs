//! `bandeau watch`: the board in a terminal. It reads the feed as any page does, and knows nothing
//! of the engine but what the feed says.

mod link;
mod picture;
mod words;

mod draw;
mod plain;

use anyhow::Context;
use engine::live::follow::Follower;
use engine::live::row::Millis;
use engine::live::wire::{ClientMessage, ServerMessage};
use link::Heard;
use picture::{Line, Picture};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;
use tokio::sync::mpsc;
use words::Words;

/// Between two drawings: waits tick in seconds, so four a second look steady.
const TICK: Duration = Duration::from_millis(250);
/// Ticks between two plain frames.
const PLAIN_EVERY: u32 = 4;

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
    /// What stands below the drawn board, for a program that starts it.
    #[arg(skip)]
    pub note: String,
}

/// Runs until the user quits (or after one frame with `once`). Owns its own runtime.
///
/// # Errors
/// The token cannot be read, the engine refuses it, or the terminal cannot be written to; with
/// `once` also an engine that is not there.
pub fn run(args: Args) -> anyhow::Result<()> {
    let words = Words::of(args.lang.as_deref(), std::env::var("LANG").ok().as_deref())?;
    let token = std::fs::read_to_string(&args.token_file)
        .with_context(|| format!("cannot read the token in {}", args.token_file.display()))?;
    let request = link::request(&args.url, token.trim())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let screen = if args.plain || args.once || !std::io::stdout().is_terminal() {
        Screen::Plain { ticks: 0 }
    } else {
        let terminal = ratatui::try_init().context("cannot draw on this terminal; try --plain")?;
        Screen::Drawn { terminal: Box::new(terminal), note: args.note.clone() }
    };
    let drawn = matches!(screen, Screen::Drawn { .. });
    let watched = runtime.block_on(watch(&args, request, screen, words));
    if drawn {
        ratatui::restore();
    }
    watched
}

/// What is shown, and what it is made from.
struct Watch {
    follower: Follower,
    line: Line,
    centre: String,
    // Time since the engine last said what time it is, in ticks: it does every two seconds.
    ticks: u32,
}

impl Watch {
    fn new() -> Watch {
        Watch { follower: Follower::new(&["board"]), line: Line::Connecting, centre: String::new(), ticks: 0 }
    }

    /// Takes what the line says; what to answer.
    fn handle(&mut self, heard: Heard) -> Option<ClientMessage> {
        match heard {
            Heard::Up => {
                self.line = Line::Up;
                return Some(self.follower.hello());
            }
            Heard::Down(why) => self.line = Line::Down(why),
            Heard::Refused(why) => self.line = Line::Down(why),
            Heard::Message(message) => {
                if let ServerMessage::Welcome { centre, .. } = &*message {
                    self.centre.clone_from(centre);
                }
                if let ServerMessage::Welcome { .. } | ServerMessage::Ping { .. } = &*message {
                    self.ticks = 0;
                }
                return self.follower.handle(*message);
            }
        }
        None
    }

    fn tick(&mut self) {
        self.ticks = self.ticks.saturating_add(1);
    }

    /// The picture of this instant; `None`: nothing has been heard yet.
    fn picture(&self) -> Option<Picture> {
        let held = self.follower.topic("board").filter(|held| held.at.is_some())?;
        let (now, utc) = self.follower.clock()?;
        let later = |at: Millis| Millis(at.0 + u64::from(self.ticks) * Millis::from(TICK).0);
        Some(Picture::of(&held.rows, self.centre.clone(), self.line.clone(), later(now), later(utc)))
    }
}

enum Screen {
    Drawn { terminal: Box<DefaultTerminal>, note: String },
    Plain { ticks: u32 },
}

impl Screen {
    /// Shows the picture; plain frames come once a second. True: a frame was printed.
    fn show(&mut self, watch: &Watch, words: &Words) -> anyhow::Result<bool> {
        let picture = watch.picture();
        match (self, picture) {
            (Screen::Drawn { terminal, note }, picture) => {
                terminal.draw(|frame| match &picture {
                    Some(picture) => draw::draw(frame, picture, words, note),
                    None => draw::draw_line(frame, &watch.line, words),
                })?;
                Ok(true)
            }
            (Screen::Plain { .. }, None) => Ok(false),
            (Screen::Plain { ticks }, Some(picture)) => {
                let due = ticks.is_multiple_of(PLAIN_EVERY);
                *ticks += 1;
                if due {
                    let mut out = std::io::stdout().lock();
                    out.write_all(plain::print(&picture, words).as_bytes())?;
                    out.flush()?;
                }
                Ok(due)
            }
        }
    }
}

async fn watch(
    args: &Args,
    request: link::Request,
    mut screen: Screen,
    words: &'static Words,
) -> anyhow::Result<()> {
    let (mut heard, answers) = link::start(request);
    let mut quit = match screen {
        Screen::Drawn { .. } => keys(),
        Screen::Plain { .. } => mpsc::channel(1).1,
    };
    let mut watch = Watch::new();
    let mut tick = tokio::time::interval(TICK);
    let over = async {
        match args.seconds {
            Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
            None => std::future::pending().await,
        }
    };
    tokio::pin!(over);
    loop {
        tokio::select! {
            Some(said) = heard.recv() => {
                match &said {
                    Heard::Refused(why) => anyhow::bail!("{}: {why}", args.url),
                    Heard::Down(why) if args.once => anyhow::bail!("{}: {why}", args.url),
                    _ => {}
                }
                if let Some(answer) = watch.handle(said) {
                    // A line that is down asks for a hello when it is up again.
                    let _ = answers.try_send(answer);
                }
                if args.once && screen.show(&watch, words)? {
                    return Ok(());
                }
            }
            _ = tick.tick() => {
                watch.tick();
                if screen.show(&watch, words)? && args.once {
                    return Ok(());
                }
            }
            Some(()) = quit.recv() => return Ok(()),
            () = &mut over => return Ok(()),
        }
    }
}

/// Tells when the user wants to leave.
fn keys() -> mpsc::Receiver<()> {
    let (quit, wanted) = mpsc::channel(1);
    std::thread::spawn(move || {
        // Ends with the terminal, or with the process.
        while let Ok(event) = event::read() {
            let Event::Key(key) = event else { continue };
            let leaves = matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
                || key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
            if key.kind == KeyEventKind::Press && leaves {
                let _ = quit.blocking_send(());
                return;
            }
        }
    });
    wanted
}

#[cfg(test)]
mod tests;
