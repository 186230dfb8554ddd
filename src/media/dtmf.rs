//! Keys of the peer's telephone, as telephone-events (RFC 4733 §2.5): each press is told in many
//! packets of one timestamp, and reported once.

/// Remembers the last press of one peer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Keys {
    last: Option<u32>,
}

impl Keys {
    /// Takes one telephone-event packet; answers with the key when its press had not been seen.
    /// The end of a press whose beginning was lost still counts; a repeat, or a packet overtaken by
    /// a later press, does not.
    pub fn hear(&mut self, timestamp: u32, payload: &[u8]) -> Option<char> {
        let [event, _, _, _, ..] = payload else { return None };
        let digit = match event {
            0..=9 => char::from(b'0' + event),
            10 => '*',
            11 => '#',
            12..=15 => char::from(b'A' + event - 12),
            // Flash hook, fax and modem tones: nothing a menu waits for.
            _ => return None,
        };
        let seen = self.last.is_some_and(|last| timestamp.wrapping_sub(last).wrapping_sub(1) >= 1 << 31);
        if seen {
            return None;
        }
        self.last = Some(timestamp);
        Some(digit)
    }

    /// Forgets what was pressed: another source counts time from elsewhere.
    pub fn forget(&mut self) {
        self.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pressed(packets: &[(u32, u8, bool)]) -> String {
        let mut keys = Keys::default();
        let hear = |(timestamp, event, end): &(u32, u8, bool)| {
            keys.hear(*timestamp, &[*event, if *end { 0x8A } else { 0x0A }, 0, 160])
        };
        packets.iter().filter_map(hear).collect()
    }

    #[test]
    fn one_press_of_many_packets_is_reported_once() {
        let press = [(800, 5, false), (800, 5, false), (800, 5, true), (800, 5, true), (800, 5, true)];
        assert_eq!(pressed(&press), "5");
    }

    #[test]
    fn the_same_key_twice_is_two_presses() {
        assert_eq!(pressed(&[(800, 1, true), (2_400, 1, false), (2_400, 1, true)]), "11");
    }

    #[test]
    fn a_press_of_which_only_the_end_came_counts() {
        assert_eq!(pressed(&[(800, 11, true)]), "#");
    }

    #[test]
    fn a_late_repeat_of_an_earlier_press_does_not_count() {
        assert_eq!(pressed(&[(800, 1, true), (2_400, 2, true), (800, 1, true)]), "12");
    }

    #[test]
    fn timestamps_may_wrap() {
        assert_eq!(pressed(&[(u32::MAX - 5, 1, true), (900, 2, true), (u32::MAX - 5, 1, true)]), "12");
    }

    #[test]
    fn all_sixteen_keys_and_nothing_else() {
        let all: Vec<_> = (0..40).map(|event| (u32::from(event) * 160, event, true)).collect();
        assert_eq!(pressed(&all), "0123456789*#ABCD");
        assert_eq!(Keys::default().hear(1, &[5, 0]), None, "cut short");
    }
}
