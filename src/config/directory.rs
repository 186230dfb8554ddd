//! Whom a centre's agents may ask in from outside: names, numbers, and the trunks that lead there.

use super::draft;
use super::{Check, Fault, TrunkWire};
use engine::site::{ContactSite, TrunkSite};

impl Check<'_> {
    /// Whom a centre's agents may ask in from outside.
    pub(super) fn directory(
        &self,
        centre: &draft::Centre,
        (trunks, wires): (&[TrunkSite], &[TrunkWire]),
    ) -> Result<Vec<ContactSite>, Fault> {
        let mut directory: Vec<ContactSite> = Vec::new();
        for contact in &centre.contact {
            let name = contact.name.get_ref().clone();
            self.name(&contact.name)?;
            if directory.iter().any(|other| other.name == name) {
                return Err(self.at(
                    &contact.name,
                    "two contacts have this name",
                    "give each a name of its own",
                ));
            }
            let number = contact.number.get_ref().clone();
            let dialled = number.strip_prefix('+').unwrap_or(&number);
            if dialled.is_empty() || !dialled.chars().all(|sign| sign.is_ascii_digit()) {
                return Err(self.at(
                    &contact.number,
                    "this cannot be dialled",
                    "write digits only, with a leading `+` if it is international",
                ));
            }
            let ways = self.trunks_named(&contact.trunks, trunks)?;
            let leads = |way: &u16| {
                let way = usize::from(*way);
                trunks.get(way).zip(wires.get(way)).is_some_and(leads_out)
            };
            if !ways.iter().any(leads) {
                return Err(self.at(
                    &contact.name,
                    "no trunk leads there",
                    "name at least one [[trunk]] whose address our calls can go to",
                ));
            }
            directory.push(ContactSite { name, number, trunks: ways });
        }
        Ok(directory)
    }
}

/// Whether calls of ours can go out over a trunk: to its addresses, or to those its names stand for. Its
/// `domain` is what it is called there, and leads nowhere.
fn leads_out((trunk, wire): (&TrunkSite, &TrunkWire)) -> bool {
    !trunk.reach.targets.is_empty() || !wire.names.is_empty()
}
