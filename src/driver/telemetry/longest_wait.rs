//! The longest wait of each queue: a figure that changes while nothing happens.

use super::CentreNames;
use crate::driver::clock::Clock;
use engine::id::{CentreId, QueueId, WorkId};
use engine::time::Instant;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Who waits, where and since when; shared with the scraper.
pub(super) type Waiting = Arc<Mutex<HashMap<WorkId, (QueueId, Instant)>>>;

/// A queue, its centre's name and its own.
type Named = (QueueId, String, String);

/// The longest wait of each queue, worked out when asked for.
#[derive(Clone)]
pub(super) struct LongestWait {
    gauge: GaugeVec,
    /// Shared with the scraper, since another plan has other queues.
    queues: Arc<Mutex<Vec<Named>>>,
    clock: Clock,
    waiting: Waiting,
}

impl LongestWait {
    pub(super) fn new(names: &[CentreNames], clock: Clock, waiting: Waiting) -> prometheus::Result<Self> {
        let gauge = GaugeVec::new(
            Opts::new("bandeau_longest_wait_seconds", "How long the longest waiting caller has waited"),
            &["centre", "queue"],
        )?;
        let mut queues = Vec::new();
        for (centre, names) in (0..).map(CentreId).zip(names) {
            queues.extend(named(centre, names));
        }
        Ok(LongestWait { gauge, queues: Arc::new(Mutex::new(queues)), clock, waiting })
    }

    /// Another plan serves a centre. A queue that is no more is shown with no wait.
    pub(super) fn rename(&self, centre: CentreId, names: &CentreNames) {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, centre_name, name) in queues.extract_if(.., |(queue, ..)| queue.centre == centre) {
            self.gauge.with_label_values(&[centre_name.as_str(), name.as_str()]).set(0.0);
        }
        queues.extend(named(centre, names));
    }
}

impl Collector for LongestWait {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let now = self.clock.now().at;
        let mut longest: HashMap<QueueId, Duration> = HashMap::new();
        for (queue, arrived) in self.waiting.lock().unwrap_or_else(PoisonError::into_inner).values() {
            let wait = longest.entry(*queue).or_default();
            *wait = (*wait).max(now.since(*arrived));
        }
        for (queue, centre, name) in self.queues.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let wait = longest.get(queue).copied().unwrap_or_default();
            self.gauge.with_label_values(&[centre.as_str(), name.as_str()]).set(wait.as_secs_f64());
        }
        self.gauge.collect()
    }
}

fn named(centre: CentreId, names: &CentreNames) -> impl Iterator<Item = Named> {
    let queue =
        move |(index, queue): (u32, &String)| (QueueId { centre, index }, names.name.clone(), queue.clone());
    (0..).zip(&names.queues).map(queue)
}
