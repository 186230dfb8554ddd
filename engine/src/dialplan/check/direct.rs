//! Checks who is asked before the team, or instead of it: the owner of a file, a person by name, leads.

use super::queues::skill;
use super::{Names, find, within};
use crate::dialplan::draft::{At, Draft, OwnerDraft, RouteDraft, Span};
use crate::dialplan::error::{Flaw, RouteFault};
use crate::dialplan::{ClassId, Dialplan, OwnerPlan, Place, SkillNeed};
use std::time::Duration;

impl Names<'_> {
    /// Whom a route asks first. Where the roster is known, a person must be of it.
    pub(super) fn owner(&self, draft: &RouteDraft) -> Result<Option<OwnerPlan>, Flaw> {
        let Some(owner) = &draft.owner else { return Ok(None) };
        if let (OwnerDraft::Person(name), Some(agents)) = (&owner.is, self.around.agents) {
            let written = At { is: name.clone(), at: owner.at };
            find("agent", &written, agents.iter().map(String::as_str))?;
        }
        Ok(owner.is.meant())
    }

    /// Who alone may be asked. A confirmed vital call is everybody's: leads would say what is not so.
    pub(super) fn leads(&self, draft: &RouteDraft, class: ClassId) -> Result<Vec<SkillNeed>, Flaw> {
        let fenced = self.classes.get(usize::from(class.0)).is_some_and(|class| class.fence);
        match draft.leads.first() {
            Some(first) if fenced => {
                let name = draft.name.is.clone();
                Err(Flaw::new(first.at, RouteFault::LeadsBehindFence { name }))
            }
            _ => draft.leads.iter().map(skill).collect(),
        }
    }
}

/// How long a route's owner is asked alone.
pub(super) fn alone(draft: &RouteDraft) -> Result<Duration, Flaw> {
    let owned = draft.owner.as_ref().is_some_and(|owner| owner.is.meant().is_some());
    match &draft.alone {
        None => Ok(Dialplan::ALONE),
        Some(alone) if !owned => {
            Err(Flaw::new(alone.at, RouteFault::AloneWithoutOwner { name: draft.name.is.clone() }))
        }
        Some(alone) => within(
            alone,
            "alone",
            1,
            120,
            "an owner is asked alone for 1s to 2m: longer keeps a caller from everybody else",
        ),
    }
}

impl Draft {
    /// The routes only leads are asked for, and where they say so.
    pub(super) fn led(
        &self,
        place: &dyn Fn(Span) -> Place,
    ) -> Result<Vec<(Place, String, Vec<SkillNeed>)>, Flaw> {
        let routes = self.routes.iter().filter_map(|route| Some((route, route.leads.first()?)));
        let led = routes.map(|(route, first)| {
            let leads = route.leads.iter().map(skill).collect::<Result<_, _>>()?;
            Ok((place(first.at), route.name.is.clone(), leads))
        });
        led.collect()
    }
}
