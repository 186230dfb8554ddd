//! The report as one page: curves drawn as they are, nothing fetched, nothing run.

use super::figures::{Figures, Report, Row};
use super::setting::SLICE;
use super::words::Words;
use engine::sim::{Curve, Outcome};
use std::fmt::Write;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 220.0;
/// Room for the figures at the left and below.
const LEFT: f64 = 44.0;
const BELOW: f64 = 24.0;

const COLOURS: [&str; 8] =
    ["#c22f2f", "#d9822b", "#2f6fc2", "#3f8f5f", "#7a5cc2", "#2a9aa6", "#8c6d3f", "#6b7280"];

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2530; --soft: #5c6672; --line: #d8dde3; --paper: #fbfbfa; --card: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e7eaee; --soft: #9aa4b0; --line: #353c45; --paper: #14181d; --card: #1b2027; } }
body { margin: 0 auto; max-width: 980px; padding: 32px 24px 64px; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 36px 0 8px; }
p { margin: 4px 0; color: var(--soft); } .tiles { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 12px 16px; min-width: 130px; }
.tile b { display: block; font-size: 24px; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: 6px 10px; border-bottom: 1px solid var(--line); font-weight: 400; }
th:first-child, td:first-child { text-align: left; } thead th { color: var(--soft); }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--soft); font-size: 11px; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; color: var(--soft); }
.key i { display: inline-block; width: 12px; height: 12px; border-radius: 3px; margin-right: 6px; vertical-align: -1px; }
.bad { color: #c22f2f; } @media print { body { max-width: none; } }
";

/// The whole page.
pub(super) fn page(report: &Report, evening: &Outcome, words: &Words) -> String {
    let mut html = format!(
        "<!doctype html>\n<html lang=\"{}\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{} {}</title>\n<style>{STYLE}</style>\n\
         <h1>{} {} {}</h1>\n<p>{}</p>\n",
        words.lang,
        words.title,
        safe(&report.plan),
        words.title,
        safe(&report.plan),
        safe(&report.version),
        safe(&words.setting(report)),
    );
    if let Some(figures) = &report.figures {
        html += &tiles(figures, words);
        let _ = writeln!(html, "<p>{}</p>", safe(&words.counts(figures)));
        html += &section(words.times, &bars(figures, words));
        html += &rows(figures, words);
    }
    let classes: Vec<usize> = shown(&evening.waiting);
    html += &section(words.waiting, &lines(&evening.waiting, &classes, report.from));
    html += &legend(classes.iter().map(|nth| (*nth, evening.waiting.names[*nth].as_str())));
    html += &section(words.occupancy, &lines(&evening.staff, &[0, 1], report.from));
    html += &legend([(0, words.on_shift), (1, words.busy)].into_iter());
    html += &compared(report, words);
    html += &promises(report, words);
    let _ = writeln!(html, "<h2></h2><p>{}</p>\n</html>", words.model);
    html
}

/// Names of plans and classes come from a file.
fn safe(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn section(title: &str, body: &str) -> String {
    format!("<h2>{title}</h2>\n{body}")
}

fn tiles(figures: &Figures, words: &Words) -> String {
    let tile =
        |value: String, name: &str| format!("<div class=\"tile\"><b>{value}</b><span>{name}</span></div>\n");
    let left = 100.0 * figures.abandons as f64 / figures.calls.max(1) as f64;
    format!(
        "<div class=\"tiles\">\n{}{}{}{}{}</div>\n",
        tile(figures.calls.to_string(), words.calls),
        tile(format!("{:.1} %", 100.0 * figures.all.within_15), "&le; 15 s"),
        tile(format!("{:.1} s", figures.confirmed.p99), &format!("p99, {}", words.confirmed)),
        tile(format!("{left:.1} %"), words.abandons),
        tile(figures.order_broken.to_string(), words.order),
    )
}

fn rows(figures: &Figures, words: &Words) -> String {
    let mut html = format!(
        "<table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th>p50</th><th>p90</th><th>p95</th><th>p99</th>\
         <th>{}</th><th>&le; 15 s</th></tr></thead>\n",
        words.seconds, words.answered, words.mean, words.longest
    );
    for (name, row) in figures.rows(words) {
        html += &row_of(&name, row);
    }
    html + "</table>\n"
}

fn row_of(name: &str, row: &Row) -> String {
    format!(
        "<tr><td>{}</td><td>{}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td>\
         <td>{:.1}</td><td>{:.1} %</td></tr>\n",
        safe(name),
        row.answered,
        row.mean,
        row.p50,
        row.p90,
        row.p95,
        row.p99,
        row.longest,
        100.0 * row.within_15
    )
}

/// Classes of which anybody waited.
fn shown(curve: &Curve) -> Vec<usize> {
    (0..curve.names.len()).filter(|nth| curve.series(*nth).iter().any(|value| *value > 0.0)).collect()
}

fn legend<'n>(names: impl Iterator<Item = (usize, &'n str)>) -> String {
    let key = |(nth, name): (usize, &str)| {
        format!("<span><i style=\"background:{}\"></i>{}</span>", COLOURS[nth % COLOURS.len()], safe(name))
    };
    format!("<div class=\"key\">{}</div>\n", names.map(key).collect::<String>())
}

/// The highest value of an axis, one, two or five times a power of ten.
fn ceiling(value: f64) -> f64 {
    let power = 10_f64.powf(value.max(0.1).log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|top| *top >= value).unwrap_or(value)
}

fn frame(top: f64) -> String {
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\">\n", HEIGHT + BELOW);
    for quarter in 0..=4 {
        let share = f64::from(quarter) / 4.0;
        let y = 8.0 + (HEIGHT - 16.0) * (1.0 - share);
        let value = top * share;
        let label = if top < 4.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{y:.1}\" y2=\"{y:.1}\" stroke=\"var(--line)\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 6.0,
            y + 4.0
        );
    }
    svg
}

/// Curves over the time of day.
fn lines(curve: &Curve, series: &[usize], from: u32) -> String {
    let values: Vec<Vec<f64>> = series.iter().map(|nth| curve.series(*nth)).collect();
    let slices = values.iter().map(Vec::len).max().unwrap_or(0);
    let top = ceiling(values.iter().flatten().copied().fold(0.0, f64::max));
    let mut svg = frame(top);
    let x = |slice: usize| LEFT + (WIDTH - LEFT) * slice as f64 / slices.max(1) as f64;
    let minutes = SLICE.as_secs() / 60;
    for slice in 0..=slices {
        let at = u64::from(from) + slice as u64 * minutes;
        if at.is_multiple_of(60) {
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{}\" text-anchor=\"middle\">{:02}:00</text>",
                x(slice),
                HEIGHT + BELOW - 6.0,
                at / 60 % 24
            );
        }
    }
    for (nth, values) in series.iter().zip(&values) {
        let mut path = String::new();
        for (slice, value) in values.iter().enumerate() {
            let y = 8.0 + (HEIGHT - 16.0) * (1.0 - value / top);
            let step = if slice == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{step}{:.1} {y:.1}", x(slice) + (x(1) - x(0)) / 2.0);
        }
        let colour = COLOURS[nth % COLOURS.len()];
        let _ = writeln!(
            svg,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" stroke-linejoin=\"round\"/>"
        );
    }
    svg + "</svg>\n"
}

/// Answer times: a bar to the median, a lighter one to p90, a line to p99.
fn bars(figures: &Figures, words: &Words) -> String {
    // The doctors' list is another scale: minutes, not seconds. The table has it.
    let rows: Vec<_> = figures.rows(words).into_iter().filter(|(name, _)| name != words.second).collect();
    let top = ceiling(rows.iter().map(|(_, row)| row.p99).fold(0.0, f64::max));
    let (label, height) = (190.0, 26.0);
    let mut svg =
        format!("<svg viewBox=\"0 0 {WIDTH} {}\" role=\"img\">\n", height * rows.len() as f64 + 20.0);
    let x = |seconds: f64| label + (WIDTH - label - 60.0) * (seconds / top).min(1.0);
    for (nth, (name, row)) in rows.iter().enumerate() {
        let (y, middle) = (height * nth as f64 + 4.0, height * nth as f64 + 13.0);
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{}\" text-anchor=\"end\">{}</text>\
             <rect x=\"{label}\" y=\"{y}\" width=\"{:.1}\" height=\"18\" rx=\"3\" fill=\"#2f6fc2\" opacity=\".3\"/>\
             <rect x=\"{label}\" y=\"{y}\" width=\"{:.1}\" height=\"18\" rx=\"3\" fill=\"#2f6fc2\"/>\
             <line x1=\"{:.1}\" x2=\"{:.1}\" y1=\"{middle}\" y2=\"{middle}\" stroke=\"#2f6fc2\" stroke-width=\"2\"/>\
             <text x=\"{:.1}\" y=\"{}\">p99 {:.1}</text>",
            label - 8.0,
            middle + 4.0,
            safe(name),
            x(row.p90) - label,
            x(row.p50) - label,
            x(row.p90),
            x(row.p99),
            x(row.p99) + 6.0,
            middle + 4.0,
            row.p99
        );
    }
    let _ = writeln!(
        svg,
        "<text x=\"{label}\" y=\"{}\">p50 · p90 · p99</text>",
        height * rows.len() as f64 + 14.0
    );
    svg + "</svg>\n"
}

/// The what-if of the rota, and the changed plans.
fn compared(report: &Report, words: &Words) -> String {
    let mut html = String::new();
    if let (Some(with), Some(without)) = (&report.figures, &report.without_changes) {
        let _ = writeln!(html, "<h2>{}</h2>", words.without_changes);
        html += "<table><thead><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>&le; 15 s</th></tr></thead>\n";
        for (name, row) in [(report.agents.join(" ; "), &with.all), ("=".to_owned(), &without.all)] {
            let _ = writeln!(
                html,
                "<tr><td>{}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1} %</td></tr>",
                safe(&name),
                row.p50,
                row.p90,
                row.p99,
                100.0 * row.within_15
            );
        }
        html += "</table>\n";
    }
    let _ = writeln!(
        html,
        "<h2>{}</h2>\n<table><thead><tr><th></th><th>p50</th><th>p90</th><th>p99</th><th>p99, {}</th>\
         <th>&le; 15 s, {}</th></tr></thead>",
        words.variants, words.later_vital, words.all
    );
    for variant in &report.variants {
        let (vital, later) = (&variant.figures.confirmed, &variant.figures.later_vital);
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1}</td><td>{:.1} %</td></tr>",
            words.variant(variant.key),
            vital.p50,
            vital.p90,
            vital.p99,
            later.p99,
            100.0 * variant.figures.all.within_15
        );
    }
    html + "</table>\n"
}

fn promises(report: &Report, words: &Words) -> String {
    if report.promises.is_empty() {
        return String::new();
    }
    let mut html = format!("<h2>{}</h2>\n<table>\n", words.promises);
    for verdict in &report.promises {
        let kept = verdict.broken.is_empty();
        let word =
            if kept { "ok".to_owned() } else { format!("<span class=\"bad\">{}</span>", words.broken) };
        let _ = writeln!(
            html,
            "<tr><td>{}</td><td>{}</td><td>{word}</td></tr>",
            safe(&verdict.place),
            safe(&verdict.summary)
        );
    }
    html + "</table>\n"
}
