//! Ways out to other centres, seen from the whole site. A call goes over one centre and no further, so
//! somebody there must be able to answer it, whatever that centre itself does with calls of its own.

use super::error::{PlanError, Problem, QueueFault};
use super::{Destination, Dialplan, Facts, QueuePlan, Room};
use std::collections::BTreeSet;
use std::time::SystemTime;

/// A centre that others may overflow to.
#[derive(Clone, Debug)]
pub struct Neighbour<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its plan.
    pub plan: &'a Dialplan,
    /// The skills of each of its people.
    pub roster: Vec<&'a [String]>,
}

impl Dialplan {
    /// Whether each centre this plan overflows to has somebody for its calls; `site` are all there are.
    ///
    /// # Errors
    /// The first way out that ends at nobody, with its place.
    pub fn ends_at_people(&self, site: &[Neighbour<'_>]) -> Result<(), PlanError> {
        for (place, name) in &self.places.hops {
            let Some(there) = site.iter().find(|centre| centre.name == *name) else { continue };
            if let Some(queue) = there.unanswered(self) {
                let onward = queue.overflow.iter().find_map(|rule| match &rule.to {
                    Destination::Centre(next) => Some(next.clone()),
                    _ => None,
                });
                let (centre, queue) = (name.clone(), queue.name.clone());
                let problem = Problem::Queue(QueueFault::NobodyThere { centre, queue, onward });
                return Err(PlanError { place: place.clone(), problem: Box::new(problem) });
            }
        }
        Ok(())
    }
}

impl Neighbour<'_> {
    /// A queue where calls of another plan would wait here, and which nobody here could ever answer.
    fn unanswered(&self, from: &Dialplan) -> Option<&QueuePlan> {
        let numbers: BTreeSet<&str> = from.numbers().collect();
        let mut queues = numbers.into_iter().filter_map(|called| {
            let facts = Facts {
                called,
                urn: Some(called).filter(|called| called.starts_with("urn:")),
                trunk: "",
                caller: None,
                withheld: false,
                utc: SystemTime::UNIX_EPOCH,
                repeat: None,
                headers: &[],
                location: None,
                room: Room::default(),
            };
            self.plan.queues.get(self.plan.route(&facts).queue as usize)
        });
        queues.find(|queue| !self.roster.iter().any(|held| queue.takes_after(std::time::Duration::MAX, held)))
    }
}
