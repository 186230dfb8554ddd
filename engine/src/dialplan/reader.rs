//! Reads TOML tables key by key, and knows where each stands.

use super::draft::{At, Span};
use super::error::{Flaw, Problem};
use super::grammar::{Grammar, REFUSALS};
use std::time::Duration;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table of the file.
pub(super) struct Table<'t> {
    keys: &'t DeTable<'t>,
    /// Its header or its braces.
    pub(super) at: Span,
    /// What errors call it.
    pub(super) place: String,
}

impl<'t> Table<'t> {
    /// The whole file.
    pub(super) fn root(keys: &'t DeTable<'t>, grammar: &Grammar) -> Result<Table<'t>, Flaw> {
        let table = Table { keys, at: Span { start: 0, end: 0 }, place: "the plan".into() };
        table.allow(grammar)?;
        Ok(table)
    }

    /// A value that must be a table with these keys.
    pub(super) fn open(entry: &Entry<'t>, place: String, grammar: &Grammar) -> Result<Table<'t>, Flaw> {
        let table = Self::free(entry, place)?;
        table.allow(grammar)?;
        Ok(table)
    }

    /// A value that must be a table; its keys are names.
    pub(super) fn free(entry: &Entry<'t>, place: String) -> Result<Table<'t>, Flaw> {
        match entry.value.get_ref() {
            DeValue::Table(keys) => Ok(Table { keys, at: entry.at(), place }),
            _ => Err(entry.wrong("a table")),
        }
    }

    fn allow(&self, grammar: &Grammar) -> Result<(), Flaw> {
        for entry in self.entries() {
            let key = entry.key.is.as_str();
            if grammar.names().any(|name| name == key) {
                continue;
            }
            let place = self.place.clone();
            let elsewhere = grammar.elsewhere.iter().find(|(name, _)| *name == key);
            let problem = if let Some((_, instead)) = elsewhere {
                Problem::Elsewhere { key: key.to_owned(), place, instead }
            } else if REFUSALS.contains(&key) {
                Problem::CannotRefuse { key: key.to_owned() }
            } else {
                let known = grammar.names().map(str::to_owned).collect();
                Problem::UnknownKey { key: key.to_owned(), place, known }
            };
            return Err(Flaw::new(entry.key.at, problem));
        }
        Ok(())
    }

    /// Its keys and values in the order of the file.
    pub(super) fn entries(&self) -> Vec<Entry<'t>> {
        let mut entries: Vec<Entry<'t>> = self
            .keys
            .iter()
            .map(|(key, value)| Entry {
                key: At { is: key.get_ref().to_string(), at: key.span().into() },
                value,
            })
            .collect();
        entries.sort_by_key(|entry| entry.key.at.start);
        entries
    }

    /// One key, if it is there.
    pub(super) fn entry(&self, key: &str) -> Option<Entry<'t>> {
        let (key, value) = self.keys.iter().find(|(name, _)| name.get_ref() == key)?;
        Some(Entry { key: At { is: key.get_ref().to_string(), at: key.span().into() }, value })
    }

    /// One key that must be there; `sample` shows how it is written.
    pub(super) fn need(&self, key: &'static str, sample: &'static str) -> Result<Entry<'t>, Flaw> {
        self.entry(key)
            .ok_or_else(|| Flaw::new(self.at, Problem::Missing { place: self.place.clone(), key, sample }))
    }

    /// Reads one key if it is there.
    pub(super) fn read<T>(
        &self,
        key: &str,
        read: impl FnOnce(&Entry<'t>) -> Result<T, Flaw>,
    ) -> Result<Option<T>, Flaw> {
        self.entry(key).map(|entry| read(&entry)).transpose()
    }
}

/// One key and its value.
pub(super) struct Entry<'t> {
    pub(super) key: At<String>,
    pub(super) value: &'t Spanned<DeValue<'t>>,
}

impl<'t> Entry<'t> {
    /// Where the value stands; for a table with a header, its name there.
    pub(super) fn at(&self) -> Span {
        let value = Span::from(self.value.span());
        if value.start < value.end { value } else { self.key.at }
    }

    pub(super) fn wrong(&self, wanted: &'static str) -> Flaw {
        Flaw::new(self.at(), Problem::WrongType { key: self.key.is.clone(), wanted })
    }

    pub(super) fn text(&self) -> Result<At<String>, Flaw> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(At { is: text.to_string(), at: self.at() }),
            _ => Err(self.wrong("a text in quotes")),
        }
    }

    /// A text, or a list of them. Never empty.
    pub(super) fn texts(&self) -> Result<Vec<At<String>>, Flaw> {
        const WANTED: &str = "a text in quotes, or a list with at least one";
        match self.value.get_ref() {
            DeValue::String(text) => Ok(vec![At { is: text.to_string(), at: self.at() }]),
            DeValue::Array(items) if !items.is_empty() => self
                .items(WANTED)?
                .iter()
                .map(|item| item.text().map_err(|flaw| Flaw { at: flaw.at, ..self.wrong(WANTED) }))
                .collect(),
            _ => Err(self.wrong(WANTED)),
        }
    }

    /// The elements of a list, each under this key's name.
    pub(super) fn items(&self, wanted: &'static str) -> Result<Vec<Entry<'t>>, Flaw> {
        match self.value.get_ref() {
            DeValue::Array(items) => {
                let key = || At { is: self.key.is.clone(), at: self.key.at };
                Ok(items.iter().map(|value| Entry { key: key(), value }).collect())
            }
            _ => Err(self.wrong(wanted)),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, Flaw> {
        self.value.get_ref().as_bool().ok_or_else(|| self.wrong("true or false"))
    }

    pub(super) fn integer(&self) -> Result<At<i64>, Flaw> {
        let number = self.value.get_ref().as_integer();
        let number = number.and_then(|n| i64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok());
        Ok(At { is: number.ok_or_else(|| self.wrong("a whole number"))?, at: self.at() })
    }

    pub(super) fn number(&self) -> Result<At<f64>, Flaw> {
        let value = self.value.get_ref();
        let whole = value.as_integer().map(|_| self.integer()).transpose()?;
        let number = match (whole, value.as_float()) {
            // Exact up to 2^53, far above any bound of a plan.
            (Some(whole), _) => i32::try_from(whole.is).ok().map(f64::from),
            (None, Some(float)) => {
                float.as_str().replace('_', "").parse().ok().filter(|n: &f64| n.is_finite())
            }
            (None, None) => None,
        };
        Ok(At { is: number.ok_or_else(|| self.wrong("a number"))?, at: self.at() })
    }

    /// A duration with its unit: `20s`, `15m`, `2h`. At most a week.
    pub(super) fn duration(&self) -> Result<At<Duration>, Flaw> {
        const WEEK: u64 = 7 * 24 * 3600;
        let text = match self.value.get_ref() {
            DeValue::String(text) => text.to_string(),
            DeValue::Integer(number) => number.as_str().to_owned(),
            _ => return Err(self.wrong("a duration in quotes, with its unit")),
        };
        let scale = [('s', 1), ('m', 60), ('h', 3600)];
        let seconds = scale.iter().find_map(|(unit, factor)| {
            let digits = text.strip_suffix(*unit)?;
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u64>().ok())??.checked_mul(*factor)
        });
        match seconds {
            Some(seconds) if seconds <= WEEK => Ok(At { is: Duration::from_secs(seconds), at: self.at() }),
            _ => Err(Flaw::new(self.at(), Problem::Duration { text })),
        }
    }
}
