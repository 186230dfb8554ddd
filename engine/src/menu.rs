//! Menus as they run: a caller who waits may press a key, and says by it what the call is about.
//!
//! The item is in its queue from the INVITE on, and a free agent cuts the menu short. A key raises
//! the class or tags the call; whoever presses nothing loses nothing. Keys come in the audio
//! (RFC 4733) or as INFO; a caller whose line sends both says the same twice.

use crate::call::course::{KEYS_MAX, Menu};
use crate::call::event::{Actor, Beside, Event, Source};
use crate::dialplan::{Dialplan, MenuPlan};
use crate::engine::{Engine, Line};
use crate::id::{CallId, LegId};
use crate::media::MediaCommand;
use sip::endpoint::DialogId;

impl Engine {
    /// Opens the menu of a caller who has been answered.
    pub(crate) fn open_menu(&mut self, id: CallId, plan: &Dialplan, menu: &MenuPlan) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let key = |(key, does): &(char, crate::dialplan::MenuKey)| {
            let class = does.class.and_then(|class| plan.class(class)).map(|class| class.name.clone());
            (*key, class, does.tag.clone())
        };
        call.course.menu = Some(Menu { keys: menu.keys.iter().map(key).collect(), left: KEYS_MAX });
        let leg = call.caller().id;
        self.media(MediaCommand::Listen { leg, on: true });
    }

    /// Somebody answers, or the caller has pressed enough: keys mean nothing from here on.
    pub(crate) fn close_menu(&mut self, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        if call.course.menu.take().is_some() {
            let leg = call.caller().id;
            self.media(MediaCommand::Listen { leg, on: false });
        }
    }

    /// A key in a leg's audio.
    pub(crate) fn key_heard(&mut self, leg: LegId, key: char) {
        if let Some(&id) = self.legs.get(&leg) {
            self.key_pressed(id, leg, key);
        }
    }

    /// A key as a message within a dialog.
    pub(crate) fn key_told(&mut self, dialog: DialogId, content_type: &str, body: &[u8]) {
        let Some(&Line::Party(id, leg)) = self.lines.get(&dialog) else { return };
        if let Some(key) = key_in(content_type, body) {
            self.key_pressed(id, leg, key);
        }
    }

    fn key_pressed(&mut self, id: CallId, leg: LegId, key: char) {
        if self.shows_presence(id, leg) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let waits = call.caller().id == leg && call.work.is_some() && call.talk.is_none();
        let Some(menu) = call.course.menu.as_mut().filter(|_| waits) else { return };
        let Some((_, class, tag)) = menu.keys.iter().find(|(it, ..)| *it == key).cloned() else { return };
        menu.left = menu.left.saturating_sub(1);
        let over = menu.left == 0;
        self.log(id.centre, Event::Beside(Beside::KeyPressed { call: id, key }));
        if over {
            self.close_menu(id);
        }
        if let Some(tag) = tag {
            self.tag(id, &tag, Actor::Caller);
        }
        if let Some(class) = class {
            self.raise_to(id, &class, Actor::Caller, Source::Menu);
        }
    }
}

/// The key an INFO tells: `Signal=5` of application/dtmf-relay, or the bare key of application/dtmf.
fn key_in(content_type: &str, body: &[u8]) -> Option<char> {
    let kind = content_type.split(';').next().unwrap_or("").trim().to_ascii_lowercase();
    let text = std::str::from_utf8(body).ok()?;
    let value = match kind.as_str() {
        "application/dtmf-relay" => text.lines().find_map(|line| {
            let (name, value) = line.split_once('=')?;
            name.trim().eq_ignore_ascii_case("signal").then(|| value.trim())
        })?,
        "application/dtmf" => text.trim(),
        _ => return None,
    };
    // Some senders number the two keys that are no digits (RFC 4733 §3.2).
    match value {
        "10" => Some('*'),
        "11" => Some('#'),
        _ => {
            let mut signs = value.chars();
            let key = signs.next()?.to_ascii_uppercase();
            let known = matches!(key, '0'..='9' | '*' | '#' | 'A'..='D');
            (known && signs.next().is_none()).then_some(key)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::key_in;

    #[test]
    fn a_key_is_read_in_every_way_it_is_told() {
        let relay = "application/dtmf-relay";
        assert_eq!(key_in(relay, b"Signal=1\r\nDuration=160\r\n"), Some('1'));
        assert_eq!(key_in(relay, b"Duration= 250\r\nSignal= 11\r\n"), Some('#'));
        assert_eq!(key_in("Application/DTMF-Relay; charset=x", b"signal=10"), Some('*'));
        assert_eq!(key_in("application/dtmf", b" d\r\n"), Some('D'));
    }

    #[test]
    fn what_is_no_key_is_none() {
        for (kind, body) in [
            ("application/dtmf-relay", &b"Signal=12"[..]),
            ("application/dtmf-relay", b"Signal="),
            ("application/dtmf-relay", b"Duration=160"),
            ("application/dtmf", b""),
            ("application/dtmf", b"\xff"),
            ("text/plain", b"1"),
        ] {
            assert_eq!(key_in(kind, body), None, "{kind} {body:?}");
        }
    }
}
