//! Who and what a centre consists of, by the names pages use.

use crate::id::{AgentId, CentreId, QueueId};
use crate::site::{AgentSite, Role};

/// What a centre's board needs to know before its first event.
#[derive(Clone, Debug)]
pub struct Cast {
    /// Which centre.
    pub centre: CentreId,
    /// Its name.
    pub name: String,
    /// The queues of its plan by name, in plan order.
    pub queues: Vec<String>,
    /// The classes of its plan by name, in plan order.
    pub classes: Vec<String>,
    /// Its directory by name: whom an agent may ask outside.
    pub contacts: Vec<String>,
    /// Its roster, in the site's order.
    pub agents: Vec<AgentSite>,
}

impl Cast {
    /// The agent of that name.
    pub fn agent_named(&self, name: &str) -> Option<AgentId> {
        let index = self.agents.iter().position(|agent| agent.name == name)?;
        Some(AgentId { centre: self.centre, index: u32::try_from(index).ok()? })
    }

    /// The queue of that name.
    pub fn queue_named(&self, name: &str) -> Option<QueueId> {
        let index = self.queues.iter().position(|queue| queue == name)?;
        Some(QueueId { centre: self.centre, index: u32::try_from(index).ok()? })
    }

    /// Whether the roster has them as a supervisor.
    pub(super) fn steers(&self, agent: AgentId) -> bool {
        self.site(agent).is_some_and(|site| matches!(site.role, Role::Supervisor | Role::Administrator))
    }

    /// How an agent is called on boards.
    pub fn agent_name(&self, agent: AgentId) -> String {
        self.site(agent).map_or_else(|| agent.to_string(), |site| site.name.clone())
    }

    pub(super) fn queue_name(&self, queue: QueueId) -> String {
        let named = usize::try_from(queue.index).ok().and_then(|index| self.queues.get(index));
        named.cloned().unwrap_or_else(|| queue.to_string())
    }

    pub(super) fn site(&self, agent: AgentId) -> Option<&AgentSite> {
        let index = usize::try_from(agent.index).ok().filter(|_| agent.centre == self.centre)?;
        self.agents.get(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::Phone;

    #[test]
    fn a_guest_is_not_taken_for_the_person_of_the_same_place_here() {
        let nour = AgentSite {
            name: "nour".to_owned(),
            role: Role::Supervisor,
            skills: Vec::new(),
            position: "p1".to_owned(),
            fallback: None,
            phone: Phone::Page,
            always_ready: false,
            wrap_up: None,
        };
        let (queues, classes, contacts) = (Vec::new(), Vec::new(), Vec::new());
        let centre = CentreId(1);
        let cast = Cast { centre, name: "samu-67".to_owned(), queues, classes, contacts, agents: vec![nour] };
        let of = |centre| AgentId { centre, index: 0 };
        assert_eq!(cast.agent_name(of(centre)), "nour");
        assert_ne!(cast.agent_name(of(CentreId(0))), "nour");
        assert!(cast.steers(of(centre)) && !cast.steers(of(CentreId(0))));
    }
}
