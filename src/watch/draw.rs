//! The board drawn: queues and who waits on the left, agents and decisions on the right.

use super::picture::{Line, Picture, clock, time_of_day};
use super::plain;
use super::words::Words;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::Text;
use ratatui::widgets::{Block, Paragraph, Row, Table};

/// Nothing by colour alone: what stands behind the fence is bold and carries a `!`.
const FENCED: Style = Style::new().add_modifier(Modifier::BOLD);
const HEAD: Style = Style::new().add_modifier(Modifier::DIM);

/// Draws one picture over the whole frame, and below it what the keys do and a note.
pub(super) fn draw(frame: &mut Frame<'_>, picture: &Picture, words: &Words, note: &str) {
    let [head, body, decisions, foot] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Min(6),
        Constraint::Length(9),
        Constraint::Length(1),
    ])
    .areas(frame.area());
    let [left, agents] = Layout::horizontal([Constraint::Percentage(58), Constraint::Min(30)]).areas(body);
    let queue_lines = u16::try_from(picture.queues.len()).unwrap_or(u16::MAX).saturating_add(3);
    let [queues, waiting] =
        Layout::vertical([Constraint::Length(queue_lines.min(left.height / 2)), Constraint::Min(3)])
            .areas(left);
    draw_head(frame, head, picture, words);
    draw_queues(frame, queues, picture, words);
    draw_waiting(frame, waiting, picture, words);
    draw_agents(frame, agents, picture, words);
    draw_decisions(frame, decisions, picture, words);
    let [keys, below] = Layout::horizontal([Constraint::Length(14), Constraint::Min(0)]).areas(foot);
    frame.render_widget(Paragraph::new(words.keys).style(HEAD), keys);
    frame.render_widget(Paragraph::new(note), below);
}

/// Draws how the line does while there is no picture yet.
pub(super) fn draw_line(frame: &mut Frame<'_>, line: &Line, words: &Words) {
    let text = match line {
        Line::Up => words.connecting.to_owned(),
        other => plain::line(other, words).trim_start().to_owned(),
    };
    frame.render_widget(Paragraph::new(text), frame.area());
}

fn draw_head(frame: &mut Frame<'_>, area: Rect, picture: &Picture, words: &Words) {
    let (time, line) = (time_of_day(picture.utc), plain::line(&picture.line, words));
    let text = format!(" {}   {time}{line}\n {}", picture.centre, plain::counters(picture, words));
    let style =
        if picture.line == Line::Up { Style::new() } else { Style::new().add_modifier(Modifier::REVERSED) };
    frame.render_widget(Paragraph::new(Text::from(text)).style(style), area);
}

fn draw_queues(frame: &mut Frame<'_>, area: Rect, picture: &Picture, words: &Words) {
    let rows = picture.queues.iter().map(|queue| {
        let classes = queue.classes.iter().map(|class| {
            let fence = if class.fenced { "!" } else { "" };
            format!("{fence}{} {} ({})", class.class, class.waiting, clock(class.longest))
        });
        let classes = classes.collect::<Vec<_>>().join("  ");
        let name = match queue.row.alarm {
            true => format!("{} {}", words.alarm, queue.row.queue),
            false => queue.row.queue.clone(),
        };
        let longest = queue.longest.map(clock).unwrap_or_default();
        let style = if queue.classes.iter().any(|class| class.fenced) { FENCED } else { Style::new() };
        Row::new([name, queue.waiting.to_string(), longest, classes]).style(style)
    });
    let widths =
        [Constraint::Length(20), Constraint::Length(10), Constraint::Length(12), Constraint::Min(10)];
    let head = Row::new([words.queue, words.waiting, words.longest, words.classes]).style(HEAD);
    frame.render_widget(
        Table::new(rows, widths).header(head).block(Block::bordered().title(words.queues)),
        area,
    );
}

fn draw_waiting(frame: &mut Frame<'_>, area: Rect, picture: &Picture, words: &Words) {
    let block = Block::bordered().title(format!("{} {}", words.waiting, picture.waiting.len()));
    if picture.waiting.is_empty() {
        return frame.render_widget(Paragraph::new(words.nobody_waits).style(HEAD).block(block), area);
    }
    let rows = picture.waiting.iter().map(|row| {
        let fence = if row.fenced { "!" } else { "" };
        let style = if row.fenced { FENCED } else { Style::new() };
        let cells = [
            format!("{fence}{}", row.class),
            clock(picture.ago(row.arrived)),
            row.caller.0.clone(),
            row.service.clone(),
            row.queue.clone(),
            row.offered.join(" "),
        ];
        Row::new(cells).style(style)
    });
    let widths = [
        Constraint::Length(16),
        Constraint::Length(8),
        Constraint::Length(14),
        Constraint::Length(10),
        Constraint::Length(14),
        Constraint::Min(8),
    ];
    let head = [words.class, words.waited, words.caller, words.service, words.queue, words.rings_at];
    frame.render_widget(Table::new(rows, widths).header(Row::new(head).style(HEAD)).block(block), area);
}

fn draw_agents(frame: &mut Frame<'_>, area: Rect, picture: &Picture, words: &Words) {
    let rows = picture.agents.iter().map(|row| {
        let since = clock(picture.ago(row.since));
        Row::new([row.agent.clone(), words.agent_state(row), since, row.call.clone().unwrap_or_default()])
    });
    let widths = [Constraint::Length(14), Constraint::Length(16), Constraint::Length(8), Constraint::Min(8)];
    let head = Row::new([words.agent, words.state, words.since, words.call]).style(HEAD);
    let block = Block::bordered().title(format!("{} {}", words.agents, picture.agents.len()));
    frame.render_widget(Table::new(rows, widths).header(head).block(block), area);
}

fn draw_decisions(frame: &mut Frame<'_>, area: Rect, picture: &Picture, words: &Words) {
    let rows = picture.decisions.iter().map(|row| {
        let cells = [
            clock(picture.ago(row.at)),
            row.class.clone(),
            row.agent.clone(),
            clock(row.waited),
            Words::offer_end(row.end.as_ref()).to_owned(),
            words.because(&row.because),
        ];
        Row::new(cells)
    });
    let widths = [
        Constraint::Length(7),
        Constraint::Length(16),
        Constraint::Length(14),
        Constraint::Length(7),
        Constraint::Length(14),
        Constraint::Min(20),
    ];
    let block = Block::bordered().title(words.decisions);
    frame.render_widget(Table::new(rows, widths).block(block), area);
}
