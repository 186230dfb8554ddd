//! The house an evening is played in: its plan, its trunk, its roster, and where everybody is.

use super::phone::Phone;
use super::plans::{Asks, PlanScript};
use super::scenario::{AgentScript, Scenario};
use super::world::Fault;
use engine::dialplan::Dialplan;
use engine::id::CentreId;
use engine::live::cast::Cast;
use engine::site::{AgentSite, CentreSite, Phone as Kind, Reach, Role, Site, Strangers, TrunkSite};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

pub const ENGINE: &str = "127.0.0.1:5060";
pub const TRUNK: u16 = 6_000;
/// Where whoever is called back has a telephone.
pub const OUT: u16 = 6_500;
/// Desk phones, by the agent's place.
pub const DESKS: u16 = 7_000;
/// The other phone of each page.
pub const OTHERS: u16 = 7_500;

pub fn address(port: u16) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], port))
}

/// The plan the engine is given: the one the judge has, unless the fault is to forget a rule of it.
pub fn plan(script: &PlanScript, version: u32, fault: Fault) -> Arc<Dialplan> {
    match fault {
        Fault::Forgets(rule) => script.without(Some(rule)).read(version),
        Fault::OneStrategy => {
            script.as_if(&[Asks::Linear, Asks::LeastOccupied], Asks::LongestIdle).read(version)
        }
        Fault::OverflowsEarly => {
            script.read_as(version, |text| text.replace("after = \"12s\"", "after = \"3s\""))
        }
        Fault::WidensAtOnce => script.as_if(&[Asks::Widening], Asks::Shared).read(version),
        _ => script.read(version),
    }
}

/// The roster the engine is given.
pub fn as_engine_has(mut agents: Vec<AgentSite>, fault: Fault) -> Vec<AgentSite> {
    for skill in agents.iter_mut().flat_map(|agent| &mut agent.skills) {
        if fault == Fault::LevelsAlike && skill.starts_with("arm") {
            *skill = skill.split(':').next().unwrap_or_default().to_owned();
        }
    }
    agents
}

pub fn roster(scenario: &Scenario) -> Vec<AgentSite> {
    let phone = |port: u16| Kind::Static { uri: format!("sip:a@{}", address(port)), address: address(port) };
    let site = |(ix, script): (usize, &AgentScript)| {
        let nth = u16::try_from(ix).expect("few agents");
        AgentSite {
            name: format!("agent-{ix}"),
            role: if script.skills.contains(&"room") { Role::Regulator } else { Role::Agent },
            skills: script.skills.iter().map(|it| (*it).to_owned()).collect(),
            position: format!("P{ix}"),
            phone: if script.page { Kind::Page } else { phone(DESKS + nth) },
            fallback: script.page.then(|| phone(OTHERS + nth)),
            always_ready: false,
            wrap_up: Some(Duration::from_secs([0, 3][ix % 2])),
        }
    };
    scenario.agents.iter().enumerate().map(site).collect()
}

/// The telephones of whoever is called back.
pub fn telephones() -> (u16, Phone) {
    let mut phone = Phone::new(address(OUT));
    phone.many = true;
    (OUT, phone)
}

pub fn site(plan: Arc<Dialplan>, agents: Vec<AgentSite>) -> Site {
    let targets = vec![address(OUT)];
    let out = TrunkSite {
        name: "out".to_owned(),
        peers: vec![address(OUT)],
        reach: Reach { targets, ..Reach::default() },
    };
    let (name, trunks, wrap_up) = ("samu".to_owned(), Vec::new(), Duration::ZERO);
    let trunk = TrunkSite { name: "trunk".to_owned(), peers: vec![address(TRUNK)], reach: Reach::default() };
    Site {
        epoch: 1,
        product: "bandeau".to_owned(),
        contact: ENGINE.parse().expect("an address"),
        listeners: Vec::new(),
        realm: "sim".to_owned(),
        trunks: vec![trunk, out],
        centres: vec![CentreSite { name, plan, trunks, agents, directory: Vec::new(), wrap_up }],
        calls_max: 1_000,
        phones_srtp: engine::site::Srtp::Off,
        strangers: Strangers::Forbid,
    }
}

/// What a board is told of it.
pub fn cast(plan: &Dialplan, agents: Vec<AgentSite>) -> Cast {
    Cast {
        centre: CentreId(0),
        name: "samu".to_owned(),
        queues: plan.queues.iter().map(|it| it.name.clone()).collect(),
        classes: plan.classes.iter().map(|it| it.name.clone()).collect(),
        contacts: Vec::new(),
        agents,
    }
}
