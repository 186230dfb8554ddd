//! What is known of a call when its route is chosen. Nothing else may enter a decision of the plan.

use std::fmt;
use std::time::{Duration, SystemTime};

/// The facts of one call, borrowed from whoever gathered them for the length of one evaluation.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    /// What the trunk delivered: the user part of the Request-URI, or the whole of it for a URN.
    pub called: &'a str,
    /// The service URN (RFC 5031), when the call carries one.
    pub urn: Option<&'a str>,
    /// The trunk's name in the site's configuration; [`Facts::INTERNAL`] for a phone of ours.
    pub trunk: &'a str,
    /// Best number to call back, from the network or the caller; `None` when neither gave one.
    pub caller: Option<&'a str>,
    /// The caller asked for privacy (RFC 3323), whether or not the network tells us the number.
    pub withheld: bool,
    /// When the INVITE came. Calendars read it in the plan's zone.
    pub utc: SystemTime,
    /// The latest earlier call of the same number, if it is remembered.
    pub repeat: Option<Repeat>,
    /// Headers kept from the INVITE, as name and value.
    pub headers: &'a [(String, String)],
    /// The caller's place as the network gives it ([`Facts::location_in`]).
    pub location: Option<&'a str>,
    /// How the centre stands when the call comes.
    pub room: Room<'a>,
}

/// How a centre stands.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room<'a> {
    /// A major event is open.
    pub crisis: bool,
    /// Its queues, in the plan's order. A condition on a queue that is not here is not true.
    pub queues: &'a [State],
    /// All of them together; `None` when nobody counted.
    pub whole: Option<State>,
}

/// How one queue stands, or the centre as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Calls that wait.
    pub waiting: u32,
    /// The longest of them, since its INVITE.
    pub longest_wait: Duration,
    /// Agents who could be offered a call at once.
    pub free: u32,
    /// Agents who are signed in.
    pub signed_in: u32,
}

impl Facts<'_> {
    /// Headers a condition may read: those whoever gathers the facts keeps of an INVITE. A condition
    /// on another would never be true, and its author would not know.
    pub const HEADERS: [&'static str; 9] = [
        "Priority",
        "Resource-Priority",
        "Diversion",
        "History-Info",
        "Call-Info",
        "User-to-User",
        "P-Access-Network-Info",
        "Accept-Language",
        "User-Agent",
    ];
    /// The caller's place among kept headers: the `operator-specific-GI` of P-Access-Network-Info
    /// (RFC 7315 section 5.4). What it holds is between a centre and its operators; in France, where
    /// it is sent at all, the commune's INSEE code.
    pub fn location_in(headers: &[(String, String)]) -> Option<&str> {
        const FIELD: &str = "operator-specific-gi";
        let access = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("P-Access-Network-Info"));
        let mut fields = access.flat_map(|(_, value)| value.split([';', ',']));
        let place = fields.find_map(|field| {
            let (name, value) = field.split_once('=')?;
            name.trim().eq_ignore_ascii_case(FIELD).then(|| value.trim().trim_matches('"'))
        });
        place.filter(|place| !place.is_empty())
    }

    /// The trunk of a call that one of our own phones makes.
    pub const INTERNAL: &'static str = "internal";
}

impl fmt::Debug for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Facts")
            .field("called", &self.called)
            .field("trunk", &self.trunk)
            .finish_non_exhaustive()
    }
}

/// An earlier call of the same number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeat {
    /// How it ended.
    pub outcome: Earlier,
    /// Since it ended.
    pub ago: Duration,
    /// How long its caller waited in a queue, in all.
    pub waited: Duration,
}

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Earlier::Answered => "answered",
            Earlier::Abandoned => "abandoned",
        })
    }
}

/// How an earlier call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Earlier {
    /// Somebody talked with the caller.
    Answered,
    /// The caller left, or was cut off, while waiting.
    Abandoned,
}
