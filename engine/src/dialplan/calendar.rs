//! Opening hours: windows of the day, days of the week, French public holidays and dated
//! exceptions. A moment has one wall-clock time in the plan's zone, never two or none, so a
//! calendar is true or false through every change of the clocks.

use super::draft::{At, CalendarDraft};
use super::error::{Flaw, Problem};
use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, Offset, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use std::fmt;
use std::time::SystemTime;

/// When a service is open.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Calendar {
    pub(super) name: String,
    windows: Vec<Window>,
    days: Vec<(Weekday, Window)>,
    holidays: Option<Holidays>,
    open: Vec<(NaiveDate, Window)>,
    closed: Vec<(NaiveDate, Window)>,
}

/// Minutes of the day, the end excluded. One that ends before it begins goes on after midnight.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Window {
    from: u32,
    to: u32,
}

const DAY: u32 = 24 * 60;
const WHOLE_DAY: Window = Window { from: 0, to: DAY };

#[derive(Clone, Copy, Debug, PartialEq)]
enum Holidays {
    France,
    AlsaceMoselle,
}

const WINDOW: &str = "a window: \"20:00-08:00\"";
const WEEKLY: &str = "a day, with or without a window: \"sun\" or \"sat 12:00-24:00\"";
const DATED: &str = "a date, with or without a window: \"2026-12-24\" or \"2026-12-24 12:00-24:00\"";

impl Calendar {
    pub(super) fn check(draft: &CalendarDraft, zone: Tz) -> Result<Calendar, Flaw> {
        let windows = draft
            .windows
            .iter()
            .map(|text| window(text, &text.is, WINDOW, zone))
            .collect::<Result<_, _>>()?;
        let days = draft.days.iter().map(|text| weekly(text, zone)).collect::<Result<_, _>>()?;
        let dates = |texts: &[At<String>]| -> Result<Vec<_>, Flaw> {
            texts.iter().map(|text| dated(text, zone)).collect()
        };
        let holidays = match &draft.holidays {
            None => None,
            Some(region) => {
                super::draft::one_of("holidays", region, super::grammar::REGIONS)?;
                Some(if region.is == "fr" { Holidays::France } else { Holidays::AlsaceMoselle })
            }
        };
        let calendar = Calendar {
            name: draft.name.is.clone(),
            windows,
            days,
            holidays,
            open: dates(&draft.open)?,
            closed: dates(&draft.closed)?,
        };
        let never = calendar.windows.is_empty()
            && calendar.days.is_empty()
            && calendar.holidays.is_none()
            && calendar.open.is_empty();
        if never {
            return Err(Flaw::new(draft.name.at, Problem::NeverOpen { name: draft.name.is.clone() }));
        }
        Ok(calendar)
    }

    /// When it is open, in the words of a plan.
    pub(super) fn words(&self) -> String {
        let dated = |what: &str, dates: &[(NaiveDate, Window)]| {
            let dates: Vec<String> = dates.iter().map(|(date, window)| format!("{date} {window}")).collect();
            if dates.is_empty() { None } else { Some(format!("{what} {}", dates.join(", "))) }
        };
        let windows = self.windows.iter().map(Window::to_string);
        let days = self.days.iter().map(|(day, window)| format!("{day} {window}"));
        let holidays = self.holidays.map(|holidays| match holidays {
            Holidays::France => "holidays fr".to_owned(),
            Holidays::AlsaceMoselle => "holidays fr-alsace-moselle".to_owned(),
        });
        let dates = [dated("open", &self.open), dated("closed", &self.closed)];
        windows.chain(days).chain(holidays).chain(dates.into_iter().flatten()).collect::<Vec<_>>().join("; ")
    }

    /// Whether it is open. `closed` is stronger than everything else.
    pub(super) fn is_open(&self, local: Local) -> bool {
        let on = |dates: &[(NaiveDate, Window)]| {
            dates.iter().any(|(date, window)| window.holds(local, |day| day == *date))
        };
        if on(&self.closed) {
            return false;
        }
        self.windows.iter().any(|window| window.holds(local, |_| true))
            || self.days.iter().any(|(weekday, window)| window.holds(local, |day| day.weekday() == *weekday))
            || self.holidays.is_some_and(|holidays| holidays.hold(local.date))
            || on(&self.open)
    }
}

/// A moment on the wall of the centre.
#[derive(Clone, Copy, Debug)]
pub(super) struct Local {
    date: NaiveDate,
    minute: u32,
}

impl fmt::Display for Local {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (date, hours, minutes) = (self.date.format("%a %Y-%m-%d"), self.minute / 60, self.minute % 60);
        write!(f, "{date} at {hours:02}:{minutes:02}")
    }
}

impl Local {
    /// The wall clock of `zone` at `utc`. A date beyond what calendars count is the first of 1970.
    pub(super) fn of(utc: SystemTime, zone: Tz) -> Local {
        let seconds = match utc.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(0),
            Err(before) => i64::try_from(before.duration().as_secs()).map_or(0, |seconds| -seconds),
        };
        let utc: DateTime<Utc> = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
        let offset = zone.offset_from_utc_datetime(&utc.naive_utc()).fix();
        let local = utc.naive_utc().checked_add_offset(offset).unwrap_or_default();
        Local { date: local.date(), minute: local.hour() * 60 + local.minute() }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Window { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

impl Window {
    /// Whether `local` is inside, on a day for which `on` is true. After midnight, the day it
    /// began on counts: "fri 20:00-08:00" ends on Saturday.
    fn holds(self, local: Local, on: impl Fn(NaiveDate) -> bool) -> bool {
        if self.from < self.to {
            return (self.from..self.to).contains(&local.minute) && on(local.date);
        }
        let evening = local.minute >= self.from && on(local.date);
        let morning = local.minute < self.to && local.date.pred_opt().is_some_and(on);
        evening || morning
    }
}

impl Holidays {
    /// Code du travail L3133-1, and L3134-13 in Alsace and Moselle.
    fn hold(self, date: NaiveDate) -> bool {
        const FIXED: [(u32, u32); 8] =
            [(1, 1), (5, 1), (5, 8), (7, 14), (8, 15), (11, 1), (11, 11), (12, 25)];
        // Easter Monday, Ascension, Whit Monday.
        const AFTER_EASTER: [u64; 3] = [1, 39, 50];
        if FIXED.contains(&(date.month(), date.day())) {
            return true;
        }
        let Some(easter) = easter(date.year()) else { return false };
        let moving = AFTER_EASTER.iter().any(|days| easter.checked_add_days(Days::new(*days)) == Some(date));
        let local = self == Holidays::AlsaceMoselle
            && ((date.month(), date.day()) == (12, 26)
                || easter.checked_sub_days(Days::new(2)) == Some(date)); // Good Friday
        moving || local
    }
}

/// Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher).
fn easter(year: i32) -> Option<NaiveDate> {
    let a = year.rem_euclid(19);
    let (b, c) = (year.div_euclid(100), year.rem_euclid(100));
    let (d, e) = (b / 4, b % 4);
    let g = (8 * b + 13) / 25;
    let h = (19 * a + b - d - g + 15).rem_euclid(30);
    let (i, k) = (c / 4, c % 4);
    let l = (32 + 2 * e + 2 * i - h - k).rem_euclid(7);
    let m = (a + 11 * h + 22 * l) / 451;
    let n = h + l - 7 * m + 114;
    NaiveDate::from_ymd_opt(year, u32::try_from(n / 31).ok()?, u32::try_from(n % 31).ok()? + 1)
}

fn weekly(text: &At<String>, zone: Tz) -> Result<(Weekday, Window), Flaw> {
    let (day, rest) = split(&text.is);
    let weekday = match day {
        "mon" => Weekday::Mon,
        "tue" => Weekday::Tue,
        "wed" => Weekday::Wed,
        "thu" => Weekday::Thu,
        "fri" => Weekday::Fri,
        "sat" => Weekday::Sat,
        "sun" => Weekday::Sun,
        _ => return Err(unreadable(text, WEEKLY)),
    };
    Ok((weekday, rest.map_or(Ok(WHOLE_DAY), |rest| window(text, rest, WEEKLY, zone))?))
}

fn dated(text: &At<String>, zone: Tz) -> Result<(NaiveDate, Window), Flaw> {
    let (day, rest) = split(&text.is);
    let date = NaiveDate::parse_from_str(day, "%Y-%m-%d").map_err(|_| unreadable(text, DATED))?;
    Ok((date, rest.map_or(Ok(WHOLE_DAY), |rest| window(text, rest, DATED, zone))?))
}

fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once(' ').map_or((text, None), |(day, rest)| (day, Some(rest)))
}

fn unreadable(text: &At<String>, wanted: &'static str) -> Flaw {
    Flaw::new(text.at, Problem::Window { text: text.is.clone(), wanted })
}

fn window(whole: &At<String>, text: &str, wanted: &'static str, zone: Tz) -> Result<Window, Flaw> {
    let minute = |clock: &str| {
        let (hours, minutes) = clock.split_once(':')?;
        let two = |digits: &str| {
            let plain = digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u32>().ok()).flatten()
        };
        let (hours, minutes) = (two(hours)?, two(minutes)?);
        (minutes < 60 && hours * 60 + minutes <= DAY).then_some(hours * 60 + minutes)
    };
    let read = text.split_once('-').and_then(|(from, to)| Some((minute(from)?, minute(to)?)));
    let Some((from, to)) = read.filter(|(from, to)| from != to && *from < DAY) else {
        return Err(unreadable(whole, wanted));
    };
    let window = Window { from, to };
    match window.lost_on(zone) {
        None => Ok(window),
        Some(date) => {
            let problem = Problem::LostHour { window: text.to_owned(), date: date.to_string() };
            Err(Flaw::new(whole.at, problem))
        }
    }
}

impl Window {
    /// A day on which the clocks jump over the whole window. The years stand for any others of
    /// today's rules.
    fn lost_on(self, zone: Tz) -> Option<NaiveDate> {
        let exists = |date: NaiveDate, minute: u32| {
            let time = NaiveTime::from_hms_opt(minute / 60, minute % 60, 0)?;
            zone.from_local_datetime(&date.and_time(time)).earliest()
        };
        let year = NaiveDate::from_ymd_opt(2026, 1, 1)?;
        year.iter_days().take(365).find(|date| {
            self.from < self.to && (self.from..self.to).all(|minute| exists(*date, minute).is_none())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> NaiveDate {
        text.parse().expect("a date")
    }

    #[test]
    fn easter_falls_where_the_almanac_says() {
        let almanac = [
            "1961-04-02",
            "2000-04-23",
            "2008-03-23",
            "2011-04-24",
            "2019-04-21",
            "2024-03-31",
            "2025-04-20",
            "2026-04-05",
            "2027-03-28",
            "2038-04-25",
            "2049-04-18",
            "2076-04-19",
            "2285-03-22",
        ];
        for day in almanac {
            assert_eq!(easter(date(day).year()), Some(date(day)));
        }
    }

    #[test]
    fn france_has_eleven_holidays_and_alsace_moselle_thirteen() {
        let of = |holidays: Holidays| -> Vec<String> {
            let year = date("2026-01-01").iter_days().take(365);
            year.filter(|day| holidays.hold(*day)).map(|day| day.format("%m-%d").to_string()).collect()
        };
        let france = of(Holidays::France);
        let expected = [
            "01-01", "04-06", "05-01", "05-08", "05-14", "05-25", "07-14", "08-15", "11-01", "11-11", "12-25",
        ];
        assert_eq!(france, expected);
        let mut alsace = of(Holidays::AlsaceMoselle);
        alsace.retain(|day| !france.contains(day));
        assert_eq!(alsace, ["04-03", "12-26"], "Good Friday and Saint Stephen");
    }

    fn pdsa() -> Calendar {
        let at = |text: &str| At { is: text.to_owned(), at: super::super::draft::Span { start: 0, end: 0 } };
        let draft = CalendarDraft {
            name: at("pdsa"),
            windows: vec![at("20:00-08:00")],
            days: vec![at("sat 12:00-24:00"), at("sun")],
            holidays: Some(at("fr")),
            open: vec![at("2026-05-15")],
            closed: vec![at("2026-12-24 20:00-22:00")],
        };
        Calendar::check(&draft, chrono_tz::Europe::Paris).expect("a calendar")
    }

    /// The calendar at a moment written with its offset.
    #[track_caller]
    fn check(moment: &str, open: bool) {
        let utc = DateTime::parse_from_rfc3339(moment).expect("a moment").timestamp();
        let utc =
            SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(u64::try_from(utc).expect("after 1970"));
        assert_eq!(pdsa().is_open(Local::of(utc, chrono_tz::Europe::Paris)), open, "{moment}");
    }

    #[test]
    fn the_night_begins_at_eight_and_ends_at_eight() {
        check("2026-11-23T19:59:59+01:00", false);
        check("2026-11-23T20:00:00+01:00", true);
        check("2026-11-24T07:59:59+01:00", true);
        check("2026-11-24T08:00:00+01:00", false);
    }

    #[test]
    fn saturday_afternoon_sunday_and_holidays_are_open() {
        check("2026-11-28T11:59:00+01:00", false);
        check("2026-11-28T12:00:00+01:00", true);
        check("2026-11-29T15:00:00+01:00", true);
        check("2026-05-14T15:00:00+02:00", true); // Ascension
        check("2026-05-15T15:00:00+02:00", true); // the bridge day, dated
        check("2026-05-18T15:00:00+02:00", false);
    }

    #[test]
    fn a_dated_closing_is_stronger_than_a_window() {
        check("2026-12-24T21:00:00+01:00", false);
        check("2026-12-24T22:00:00+01:00", true);
    }

    #[test]
    fn the_doubled_hour_is_open_twice_and_the_lost_one_never_missed() {
        // 2026-10-25: 03:00 becomes 02:00. 2026-03-29: 02:00 becomes 03:00.
        check("2026-10-25T02:30:00+02:00", true);
        check("2026-10-25T02:30:00+01:00", true);
        check("2026-10-26T07:59:00+01:00", true);
        check("2026-10-26T08:00:00+01:00", false);
        check("2026-03-30T07:59:00+02:00", true);
        check("2026-03-30T08:00:00+02:00", false);
    }

    #[test]
    fn a_moment_before_or_after_all_calendars_stops_nobody() {
        for utc in [
            SystemTime::UNIX_EPOCH - std::time::Duration::from_secs(1 << 40),
            SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1 << 60),
        ] {
            let _ = pdsa().is_open(Local::of(utc, chrono_tz::Europe::Paris));
        }
    }
}
