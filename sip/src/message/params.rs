//! Parameters behind a value: `;name=value;flag`.

use super::text::{find_outside, trim, unquote};

/// The parameters of a header value or of a URI, read when asked. Names compare without case.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Params<'a> {
    text: &'a [u8],
    separator: u8,
}

impl<'a> Params<'a> {
    /// Parameters separated by `;` (the usual ones); a leading `;` is allowed.
    pub fn new(text: &'a [u8]) -> Params<'a> {
        Params { text, separator: b';' }
    }

    /// Parameters separated by `,` (those of challenges and credentials).
    pub fn by_commas(text: &'a [u8]) -> Params<'a> {
        Params { text, separator: b',' }
    }

    /// The bytes as they stand.
    pub fn as_bytes(&self) -> &'a [u8] {
        self.text
    }

    /// No parameter at all?
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// A parameter's value, without quotes; `Some("")` when it has none. `None` when it is absent
    /// or not UTF-8.
    pub fn value(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))?;
        std::str::from_utf8(unquote(value.unwrap_or_default())).ok()
    }

    /// Is the parameter there, with or without a value?
    pub fn has(&self, name: &str) -> bool {
        self.iter().any(|(found, _)| found.eq_ignore_ascii_case(name.as_bytes()))
    }

    /// Every parameter in order: its name, and its value as it stands, quotes included. Empty
    /// ones (`;;`) are skipped.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.text;
        let separator = self.separator;
        std::iter::from_fn(move || {
            while !rest.is_empty() {
                let (item, after) = match find_outside(rest, separator) {
                    Some(at) => (&rest[..at], &rest[at + 1..]),
                    None => (rest, &rest[rest.len()..]),
                };
                rest = after;
                let item = trim(item);
                if item.is_empty() {
                    continue;
                }
                return Some(match memchr::memchr(b'=', item) {
                    Some(at) => (trim(&item[..at]), Some(trim(&item[at + 1..]))),
                    None => (item, None),
                });
            }
            None
        })
    }

    /// Is there a `;` with nothing behind it?
    pub(crate) fn has_gap(&self) -> bool {
        let mut rest = self.text;
        let mut first = true;
        loop {
            let Some(at) = find_outside(rest, self.separator) else { return !first && trim(rest).is_empty() };
            if !first && trim(&rest[..at]).is_empty() {
                return true;
            }
            first = false;
            rest = &rest[at + 1..];
        }
    }
}

impl std::fmt::Debug for Params<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.iter().map(|(name, _)| String::from_utf8_lossy(name))).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_separators_is_no_part_of_a_parameter() {
        let params = Params::new(b" ; tag \r\n = 9 ;\r\n lr ; Q= \"a;b\"");
        assert_eq!(params.value("TAG"), Some("9"));
        assert_eq!(params.value("lr"), Some(""));
        assert_eq!(params.value("q"), Some("a;b"));
        assert_eq!(params.value("branch"), None);
    }

    #[test]
    fn a_value_may_hold_colons_and_equal_signs() {
        let params = Params::new(b";received=2001:db8::1;cause=a=b");
        assert_eq!(params.value("received"), Some("2001:db8::1"));
        assert_eq!(params.value("cause"), Some("a=b"));
    }

    #[test]
    fn empty_parameters_are_skipped_and_noticed() {
        assert!(Params::new(b";;,;").has_gap());
        assert!(Params::new(b";a=1;").has_gap());
        assert!(!Params::new(b";a=1;b").has_gap());
        assert!(!Params::new(b"").has_gap());
        assert_eq!(Params::new(b";;a;;b").iter().count(), 2);
    }
}
