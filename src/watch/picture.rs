//! What the board shows at one instant: rows put in the order a person reads them, waits counted up.

use engine::live::row::{AgentRow, DecisionRow, Millis, QueueRow, Row, Totals, TrunkRow, WaitingRow};
use std::collections::BTreeMap;

/// How the line to the engine does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Not up yet.
    Connecting,
    /// Up.
    Up,
    /// Broken, and why; what is shown is old.
    Down(String),
}

/// Those of one class who wait in one queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ClassLine {
    pub(super) class: String,
    pub(super) fenced: bool,
    pub(super) waiting: usize,
    pub(super) longest: Millis,
}

/// One queue.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct QueueLine {
    pub(super) row: QueueRow,
    pub(super) waiting: usize,
    /// Longest wait; `None`: nobody waits.
    pub(super) longest: Option<Millis>,
    /// Most urgent class first.
    pub(super) classes: Vec<ClassLine>,
}

/// The board at one instant.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    pub(super) centre: String,
    pub(super) line: Line,
    /// On the centre's timeline.
    pub(super) now: Millis,
    /// Milliseconds since 1970.
    pub(super) utc: Millis,
    pub(super) totals: Totals,
    pub(super) trunks: Vec<TrunkRow>,
    /// In the plan's order.
    pub(super) queues: Vec<QueueLine>,
    /// Next to be offered first.
    pub(super) waiting: Vec<WaitingRow>,
    /// By name.
    pub(super) agents: Vec<AgentRow>,
    /// Latest first.
    pub(super) decisions: Vec<DecisionRow>,
}

impl Picture {
    /// The picture of these rows at `now`.
    pub(super) fn of(
        rows: &BTreeMap<String, Row>,
        centre: String,
        line: Line,
        now: Millis,
        utc: Millis,
    ) -> Picture {
        let mut picture = Picture {
            centre,
            line,
            now,
            utc,
            totals: Totals::default(),
            trunks: Vec::new(),
            queues: Vec::new(),
            waiting: Vec::new(),
            agents: Vec::new(),
            decisions: Vec::new(),
        };
        let mut queues = Vec::new();
        for row in rows.values() {
            match row.clone() {
                Row::Totals(row) => picture.totals = row,
                Row::Trunk(row) => picture.trunks.push(row),
                Row::Queue(row) => queues.push(row),
                Row::Waiting(row) => picture.waiting.push(row),
                Row::Agent(row) => picture.agents.push(row),
                Row::Decision(row) => picture.decisions.push(row),
                // Of the pages: this board shows who waits and who answers.
                Row::Held(_) | Row::Minute(_) | Row::Alarm(_) => {}
                Row::Offer(_) | Row::Conversation(_) | Row::Call(_) => {}
                Row::Callback(_) | Row::HandOver(_) | Row::Major(_) | Row::Figures(_) => {} // not on a board
            }
        }
        queues.sort_by_key(|row| row.place);
        picture.waiting.sort_by(|a, b| a.rank().cmp(&b.rank()));
        picture.agents.sort_by(|a, b| a.agent.cmp(&b.agent));
        picture.decisions.sort_by_key(|row| std::cmp::Reverse(row.seq));
        picture.queues = queues.into_iter().map(|row| picture.queue(row)).collect();
        picture
    }

    /// How long ago that was.
    pub(super) fn ago(&self, at: Millis) -> Millis {
        Millis(self.now.0.saturating_sub(at.0))
    }

    fn queue(&self, row: QueueRow) -> QueueLine {
        let mut classes: Vec<ClassLine> = Vec::new();
        for one in self.waiting.iter().filter(|one| one.queue == row.queue) {
            let waited = self.ago(one.arrived);
            // Those who wait are in order, so classes come in the order of their most urgent one.
            match classes.iter_mut().find(|line| line.class == one.class && line.fenced == one.fenced) {
                Some(line) => (line.waiting, line.longest) = (line.waiting + 1, line.longest.max(waited)),
                None => classes.push(ClassLine {
                    class: one.class.clone(),
                    fenced: one.fenced,
                    waiting: 1,
                    longest: waited,
                }),
            }
        }
        QueueLine {
            row,
            waiting: classes.iter().map(|line| line.waiting).sum(),
            longest: classes.iter().map(|line| line.longest).max(),
            classes,
        }
    }
}

/// `m:ss`, or `h:mm:ss`.
pub(super) fn clock(length: Millis) -> String {
    let seconds = length.0 / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

/// The time of day of an instant, in UTC.
pub(super) fn time_of_day(utc: Millis) -> String {
    let seconds = utc.0 / 1000 % 86_400;
    format!("{:02}:{:02}:{:02} UTC", seconds / 3600, seconds / 60 % 60, seconds % 60)
}
