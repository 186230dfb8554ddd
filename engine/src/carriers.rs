//! Our side of the carriers: asked whether they live, told where we are, and in which order calls of
//! ours try them. What comes from them is `inbound`'s.

use crate::call::event::{Event, TrunkState};
use crate::engine::Engine;
use crate::id::CentreId;
use crate::site::{CentreSite, Identity, Srtp};
use crate::trunks::{TrunkStep, Way};
use sip::endpoint::{Ask, Errand};
use sip::transport::{Flow, Peer};

impl Engine {
    /// Does what the trunks' states ask for.
    pub(crate) fn follow_trunks(&mut self) {
        self.trunks.handle_due(self.now.at);
        while let Some(step) = self.trunks.poll() {
            match step {
                TrunkStep::Ask { trunk, flow, ask } => self.ask_trunk(trunk, flow, ask),
                TrunkStep::Drop(errand) => self.endpoint.drop_errand(errand),
                TrunkStep::Changed { trunk, state } => self.trunk_changed(trunk, state),
            }
        }
    }

    fn ask_trunk(&mut self, trunk: usize, flow: Flow, ask: Ask) {
        let Some(reach) = self.trunks.reach(trunk).cloned() else { return };
        let host = reach.domain.unwrap_or_else(|| flow.remote.to_string());
        let user = match (ask, &reach.account) {
            (Ask::Register { .. }, Some(account)) => Some(account.user.clone()),
            _ => None,
        };
        let from = match (&user, ask) {
            (Some(user), _) => format!("<sip:{user}@{host}>"),
            (None, _) => format!("<sip:{}>", flow.local),
        };
        let to = if user.is_some() { from.clone() } else { format!("<sip:{host}>") };
        let (mut call_id, mut cseq) = (String::new(), 0);
        if user.is_some() && self.trunks.registration(trunk).is_some_and(|it| it.call_id.is_empty()) {
            let fresh = self.endpoint.fresh_call_id();
            if let Some(registration) = self.trunks.registration(trunk) {
                registration.call_id = fresh;
            }
        }
        if user.is_some()
            && let Some(registration) = self.trunks.registration(trunk)
        {
            (call_id, cseq) = (registration.call_id.clone(), registration.cseq);
        }
        let uri = format!("sip:{host}");
        let errand = Errand { ask, flow, uri, from, to, user, call_id, cseq, credentials: reach.account };
        let id = self.endpoint.run(self.now, errand);
        self.trunks.asked(self.now.at, trunk, flow.remote, ask, id);
    }

    /// Every room that a trunk's calls reach is told how it stands.
    fn trunk_changed(&mut self, trunk: usize, state: TrunkState) {
        let Some(name) = self.site.trunks.get(trunk).map(|trunk| trunk.name.clone()) else { return };
        let index = u16::try_from(trunk).unwrap_or(u16::MAX);
        let uses = |centre: &CentreSite| centre.trunks.is_empty() || centre.trunks.contains(&index);
        let rooms = (0u16..).map(CentreId).zip(&self.site.centres);
        let rooms: Vec<CentreId> = rooms.filter(|(_, centre)| uses(centre)).map(|(id, _)| id).collect();
        for centre in rooms {
            self.log(centre, Event::TrunkChanged { trunk: name.clone(), state });
        }
    }

    /// Whether audio with this peer is enciphered.
    pub(crate) fn srtp_of(&self, peer: Peer) -> Srtp {
        match peer {
            Peer::Trunk(index) => {
                self.site.trunks.get(usize::from(index)).map_or(Srtp::Off, |trunk| trunk.reach.srtp)
            }
            Peer::Phone | Peer::Stranger => self.site.phones_srtp,
        }
    }

    /// Whose word is taken for a caller's number. What a phone of ours asserts is never read.
    pub(crate) fn identity_of(&self, trunk: Option<u16>) -> Identity {
        let trunk = trunk.and_then(|index| self.site.trunks.get(usize::from(index)));
        trunk.map_or(Identity::Asserted, |trunk| trunk.reach.identity)
    }

    /// Every way out of a centre, best first: over the trunk named, else over each of its own. Try
    /// them in this order as [`fault`](crate::trunks::fault) says.
    pub(crate) fn ways_out(&self, centre: CentreId, trunk: Option<&str>) -> Vec<Way> {
        let named = |name: &str| self.site.trunks.iter().position(|trunk| trunk.name == name);
        let all = || (0..self.site.trunks.len()).filter_map(|index| u16::try_from(index).ok());
        let trunks: Vec<u16> = match (trunk, self.site.centre(centre)) {
            (Some(name), _) => named(name).and_then(|index| u16::try_from(index).ok()).into_iter().collect(),
            (None, Some(centre)) if !centre.trunks.is_empty() => centre.trunks.clone(),
            (None, _) => all().collect(),
        };
        self.trunks.ways(&trunks)
    }
}
