//! Centres, their plans and numbers, their people and phones.

use super::draft::{self, Draft, Located};
use super::{Check, Fault, TrunkWire};
use engine::dialplan::{Dialplan, Neighbour, Surroundings};
use engine::site::{AgentSite, CentreSite, Phone, TrunkSite};
use sip::auth::ha1;
use sip::header::auth::Algorithm;
use std::collections::HashMap;
use std::sync::Arc;

/// Every way out to another centre ends at people there.
fn hops(centres: &[CentreSite]) -> Result<(), Fault> {
    let site: Vec<Neighbour<'_>> = centres.iter().map(neighbour).collect();
    let ends = centres.iter().try_for_each(|centre| centre.plan.ends_at_people(&site));
    ends.map_err(|error| Fault::Plan(Box::new(error)))
}

fn neighbour(centre: &CentreSite) -> Neighbour<'_> {
    Neighbour { name: &centre.name, plan: &centre.plan, roster: centre.skills() }
}

impl Check<'_> {
    pub(super) fn centres(
        &self,
        draft: &Draft,
        (trunks, wires): (&[TrunkSite], &[TrunkWire]),
        realm: &str,
    ) -> Result<Vec<CentreSite>, Fault> {
        if draft.centre.is_empty() {
            return Err(self.source.whole("no [[centre]]", "add one with a `name` and a `plan`"));
        }
        let names: Vec<String> = draft.centre.iter().map(|centre| centre.name.get_ref().clone()).collect();
        let mut centres: Vec<CentreSite> = Vec::new();
        for centre in &draft.centre {
            self.name(&centre.name)?;
            if centres.iter().any(|c| c.name == *centre.name.get_ref()) {
                return Err(self.at(
                    &centre.name,
                    "two centres of the same name",
                    "topics and records tell centres apart by name: rename one",
                ));
            }
            let indexes = self.trunks_named(&centre.trunks, trunks)?;
            let plan = self.plan(&centre.plan, trunks, &names, centre)?;
            let agents = self.agents(centre, realm)?;
            centres.push(CentreSite {
                name: centre.name.get_ref().clone(),
                plan: Arc::new(plan),
                trunks: indexes,
                agents,
                directory: self.directory(centre, (trunks, wires))?,
                wrap_up: centre.wrap_up.0,
            });
        }
        self.phones(draft)?;
        hops(&centres)?;
        Ok(centres)
    }

    pub(super) fn trunks_named(
        &self,
        names: &[Located<String>],
        trunks: &[TrunkSite],
    ) -> Result<Vec<u16>, Fault> {
        let place = |name: &Located<String>| {
            let found = trunks.iter().position(|trunk| trunk.name == *name.get_ref());
            let index = found.and_then(|index| u16::try_from(index).ok());
            index.ok_or_else(|| self.at(name, "no trunk has this name", "name a [[trunk]] of this file"))
        };
        names.iter().map(place).collect()
    }

    fn plan(
        &self,
        name: &Located<String>,
        trunks: &[TrunkSite],
        centres: &[String],
        centre: &draft::Centre,
    ) -> Result<Dialplan, Fault> {
        let path = self.base.join(name.get_ref());
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(&path).map_err(|e| {
            self.at(
                name,
                &format!("cannot read the dialplan `{shown}`: {e}"),
                "give a path that exists, relative to this file",
            )
        })?;
        let trunks: Vec<String> = trunks.iter().map(|trunk| trunk.name.clone()).collect();
        let agents: Vec<String> = centre.agent.iter().map(|agent| agent.name.get_ref().clone()).collect();
        let around = Surroundings {
            trunks: Some(&trunks),
            centres: Some(centres),
            centre: Some(centre.name.get_ref()),
            agents: Some(&agents),
        };
        Dialplan::parse_for(&shown, &text, around).map_err(|e| Fault::Plan(Box::new(e)))
    }

    fn agents(&self, centre: &draft::Centre, realm: &str) -> Result<Vec<AgentSite>, Fault> {
        let mut agents: Vec<AgentSite> = Vec::new();
        for agent in &centre.agent {
            self.name(&agent.name)?;
            if agents.iter().any(|a| a.name == *agent.name.get_ref()) {
                return Err(self.at(&agent.name, "two agents of the same name in one centre", "rename one"));
            }
            let phone = self.phone(&agent.phone, realm)?;
            let fallback = agent.fallback.as_ref().map(|f| self.fallback(f, &phone, realm)).transpose()?;
            if phone == Phone::Page && agent.always_ready {
                return Err(self.at(
                    &agent.phone,
                    "a page that is always ready",
                    "leave `always_ready` out: with a page somebody signs in, and says when calls may come",
                ));
            }
            agents.push(AgentSite {
                name: agent.name.get_ref().clone(),
                role: agent.role,
                skills: agent.skills.clone(),
                position: agent.position.clone(),
                phone,
                fallback,
                always_ready: agent.always_ready,
                wrap_up: agent.wrap_up.map(|d| d.0),
            });
        }
        Ok(agents)
    }

    /// The phone that rings when a page is lost in a conversation.
    fn fallback(&self, fallback: &Located<draft::Phone>, phone: &Phone, realm: &str) -> Result<Phone, Fault> {
        if *phone != Phone::Page {
            return Err(self.at(
                fallback,
                "a fall-back for a desk phone",
                "`fallback` is for agents with `phone = { page = true }`: a page may be lost while talking",
            ));
        }
        match self.phone(fallback, realm)? {
            Phone::Page => Err(self.at(
                fallback,
                "a page that falls back on a page",
                "name a phone: `{ uri = \"sip:..\", address = \"..\" }` or `{ user = .., password_file = .. }`",
            )),
            phone => Ok(phone),
        }
    }

    fn phone(&self, phone: &Located<draft::Phone>, realm: &str) -> Result<Phone, Fault> {
        let draft = phone.get_ref();
        match (&draft.uri, &draft.address, &draft.user) {
            (None, None, None) if draft.page => Ok(Phone::Page),
            (Some(uri), Some(address), None) if !draft.page => {
                let address = address.get_ref().parse().map_err(|_| {
                    self.at(address, "not an address and port", "write it like `192.0.2.20:5060`")
                })?;
                Ok(Phone::Static { uri: uri.clone(), address })
            }
            (None, None, Some(user)) if !draft.page => {
                let (ha1_md5, ha1_sha256) = self.ha1(phone, user, realm)?;
                Ok(Phone::Registered { user: user.clone(), ha1_md5, ha1_sha256 })
            }
            _ => Err(self.at(
                phone,
                "neither a fixed phone, nor a registering one, nor a page",
                "give `uri` and `address`, or `user` and `password_file`, or `page = true` alone",
            )),
        }
    }

    fn ha1(&self, phone: &Located<draft::Phone>, user: &str, realm: &str) -> Result<(String, String), Fault> {
        let draft = phone.get_ref();
        match (&draft.password_file, &draft.ha1_md5, &draft.ha1_sha256) {
            (Some(file), None, None) => {
                let path = self.base.join(file.get_ref());
                let password = std::fs::read_to_string(&path).map_err(|e| {
                    self.at(
                        file,
                        &format!("cannot read the password file: {e}"),
                        "write the phone's password, alone, in that file",
                    )
                })?;
                let password = password.trim_end_matches(['\r', '\n']);
                if password.is_empty() {
                    return Err(self.at(
                        file,
                        "the password file is empty",
                        "write the phone's password, alone, in that file",
                    ));
                }
                Ok((
                    ha1(Algorithm::Md5, user, realm, password),
                    ha1(Algorithm::Sha256, user, realm, password),
                ))
            }
            // Without the stronger hash the phone is challenged with MD5 only.
            (None, Some(md5), sha256) => Ok((md5.clone(), sha256.clone().unwrap_or_default())),
            _ => Err(self.at(
                phone,
                "a registering phone without a password",
                "give `password_file`, or `ha1_md5` and, when the phone can, `ha1_sha256`",
            )),
        }
    }

    /// A registering user or a fixed address belongs to one agent only: its key presses are theirs.
    fn phones(&self, draft: &Draft) -> Result<(), Fault> {
        let mut seen = HashMap::new();
        let agents = draft.centre.iter().flat_map(|c| &c.agent);
        let phones = |agent: &draft::Agent| {
            let phones = [Some(&agent.phone), agent.fallback.as_ref()];
            phones.map(|phone| phone.map(|phone| (agent.name.get_ref().clone(), phone.clone())))
        };
        for (agent, located) in agents.flat_map(phones).flatten() {
            let phone = located.get_ref();
            let key = phone.user.clone().or_else(|| phone.address.as_ref().map(|a| a.get_ref().clone()));
            let Some(key) = key else { continue };
            if let Some(other) = seen.insert(key, agent) {
                return Err(self.at(
                    &located,
                    &format!("the phone of agent `{other}` already"),
                    "give each agent a phone of their own",
                ));
            }
        }
        Ok(())
    }

    /// The called number chooses the centre, so two centres may share one only on different trunks.
    pub(super) fn numbers(&self, draft: &Draft, centres: &[CentreSite]) -> Result<(), Fault> {
        for (i, later) in centres.iter().enumerate() {
            for earlier in &centres[..i] {
                let apart = !later.trunks.is_empty()
                    && !earlier.trunks.is_empty()
                    && later.trunks.iter().all(|t| !earlier.trunks.contains(t));
                let shared = later.plan.numbers().filter(|n| earlier.plan.service(n).is_some()).min();
                if let (false, Some(number)) = (apart, shared) {
                    let what = format!("number `{number}` is also centre `{}`'s", earlier.name);
                    return Err(self.at(
                        &draft.centre[i].name,
                        &what,
                        "take it out of one plan, or give both centres `trunks` that differ",
                    ));
                }
            }
        }
        Ok(())
    }
}
