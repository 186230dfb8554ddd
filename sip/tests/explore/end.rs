//! Who speaks at one side: our endpoint, or somebody else's user agent.

use super::foreign::Foreign;
use crate::wire::now;
use sip::endpoint::{Endpoint, Event};
use sip::time::Instant;
use sip::transport::{Flow, Peer};

#[derive(Clone)]
pub enum End {
    Ours(Box<Endpoint>),
    Foreign(Box<Foreign>),
}

impl End {
    pub fn ours(&mut self) -> Option<&mut Endpoint> {
        match self {
            End::Ours(endpoint) => Some(endpoint),
            End::Foreign(_) => None,
        }
    }

    pub fn foreign(&self) -> Option<&Foreign> {
        match self {
            End::Ours(_) => None,
            End::Foreign(foreign) => Some(foreign),
        }
    }

    pub fn hear(&mut self, at: Instant, flow: Flow, bytes: &[u8]) {
        match self {
            End::Ours(endpoint) => endpoint.handle_message(now(at), flow, Peer::Trunk(0), bytes),
            End::Foreign(foreign) => foreign.hear(at, &String::from_utf8_lossy(bytes)),
        }
    }

    pub fn handle_due(&mut self, at: Instant) {
        match self {
            End::Ours(endpoint) => endpoint.handle_due(now(at)),
            End::Foreign(foreign) => foreign.handle_due(at),
        }
    }

    pub fn poll_transmit(&mut self) -> Option<String> {
        match self {
            End::Ours(endpoint) => {
                endpoint.poll_transmit().map(|it| String::from_utf8_lossy(&it.bytes).into_owned())
            }
            End::Foreign(foreign) => foreign.poll_transmit(),
        }
    }

    pub fn poll_event(&mut self) -> Option<Event> {
        self.ours().and_then(Endpoint::poll_event)
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        match self {
            End::Ours(endpoint) => endpoint.poll_timeout(),
            End::Foreign(foreign) => foreign.poll_timeout(),
        }
    }

    pub fn is_idle(&self) -> bool {
        match self {
            End::Ours(endpoint) => endpoint.is_idle(),
            End::Foreign(foreign) => foreign.is_idle(),
        }
    }
}
