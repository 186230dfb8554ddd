//! Every metric by name, kind and labels.

use crate::driver::crowd::Tally;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use std::sync::atomic::Ordering;

/// Waits of emergency calls: the thresholds of the trade's indicators (10, 15, 20, 30, 60 s) among them.
const WAITS: [f64; 12] = [0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0];

/// Steps: from what one costs to what a person would notice.
const STEPS: [f64; 10] = [0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.004, 0.01, 0.1, 1.0];

/// What the core itself counts; shared with the scraper.
#[derive(Clone)]
pub(in crate::driver) struct CoreFigures {
    /// From reading an input to having carried out everything it caused.
    pub(in crate::driver) step: Histogram,
    /// The same, for steps that made an offer: what a waiting caller feels of us.
    pub(in crate::driver) offer: Histogram,
    /// Things handed to the store and not written yet.
    pub(in crate::driver) unwritten: IntGauge,
    /// When the last step ended, for readiness.
    pub(in crate::driver) datagrams: IntCounter,
    /// The same, of everybody who has no socket of their own.
    of_others: IntCounter,
    /// Messages of strangers beyond their budget: dropped unread.
    over_budget: IntCounter,
    /// Connections of SIP that stand.
    connections: IntGauge,
    /// Connections closed at the door, their places being taken.
    turned_away: IntCounter,
    /// Handshakes with somebody at a trunk's address that came to nothing.
    handshakes_failed: IntCounter,
    /// Datagrams the system would not send.
    pub(in crate::driver) unsent: IntCounter,
}

/// What is folded from the logs.
pub(super) struct Metrics {
    pub(super) arrived: IntCounterVec,
    pub(super) calls: IntCounterVec,
    pub(super) waiting: IntGaugeVec,
    pub(super) wait: HistogramVec,
    pub(super) offers: IntCounterVec,
    pub(super) agents: IntGaugeVec,
    pub(super) trunks: IntGaugeVec,
    pub(super) losses: IntCounterVec,
    pub(super) no_media: IntCounterVec,
    pub(super) unenciphered: IntCounterVec,
    pub(super) reasons: IntCounterVec,
    pub(super) other_family: IntCounterVec,
    pub(super) parse_errors: IntCounterVec,
    pub(super) repaired: IntCounterVec,
    pub(super) refused: IntCounterVec,
    pub(super) retransmissions: IntCounter,
    pub(super) commands_refused: IntCounterVec,
    pub(super) never: IntCounterVec,
    pub(super) media: IntGaugeVec,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<Metrics> {
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            prometheus::Result::Ok(metric)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let metric = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(metric.clone()))?;
            prometheus::Result::Ok(metric)
        };
        Ok(Metrics {
            arrived: counters(
                "bandeau_calls_arrived_total",
                "Calls that reached us",
                &["centre", "service"],
            )?,
            calls: counters(
                "bandeau_calls_total",
                "Calls that are over",
                &["centre", "service", "class", "outcome"],
            )?,
            waiting: gauges("bandeau_waiting", "Callers waiting", &["centre", "queue"])?,
            wait: waits(registry)?,
            offers: counters("bandeau_offers_total", "Offers that are over", &["centre", "end"])?,
            agents: gauges("bandeau_agents", "Agents by state", &["centre", "state"])?,
            trunks: gauges(
                "bandeau_trunk_state",
                "How trunks that are asked stand: 1 on the state that holds",
                &["trunk", "state"],
            )?,
            losses: counters(
                "bandeau_agent_losses_total",
                "Agents' legs that failed in a conversation",
                &["centre"],
            )?,
            unenciphered: counters(
                "bandeau_unenciphered_total",
                "Legs with plain audio where it should be enciphered: an alarm",
                &["centre"],
            )?,
            other_family: counters("bandeau_other_family_total", "Legs of a family we lack", &["centre"])?,
            no_media: counters("bandeau_no_media_total", "Legs that fell silent", &["centre", "seconds"])?,
            reasons: counters(
                "bandeau_end_reasons_total",
                "Why peers ended calls or refused ours, in their networks' words",
                &["centre", "protocol", "cause"],
            )?,
            parse_errors: counters(
                "bandeau_sip_parse_errors_total",
                "Messages that could not be read",
                &["rule"],
            )?,
            repaired: counters("bandeau_sip_repaired_total", "Odd messages that were repaired", &["what"])?,
            refused: counters(
                "bandeau_sip_refused_total",
                "Requests refused; a trunk's is an alarm",
                &["peer", "code"],
            )?,
            retransmissions: retransmissions(registry)?,
            commands_refused: counters(
                "bandeau_commands_refused_total",
                "Commands without effect",
                &["why"],
            )?,
            never: counters("bandeau_never_total", "Bugs of ours that took the safe branch", &["what"])?,
            media: gauges("bandeau_media", "The media plane since its start", &["figure"])?,
        })
    }
}

/// From an INVITE to the conversation, in the steps of the trade's indicators.
fn waits(registry: &Registry) -> prometheus::Result<HistogramVec> {
    let opts = HistogramOpts::new("bandeau_answer_seconds", "From the INVITE to the conversation");
    let waits = HistogramVec::new(opts.buckets(WAITS.to_vec()), &["centre", "queue", "class"])?;
    registry.register(Box::new(waits.clone()))?;
    Ok(waits)
}

fn retransmissions(registry: &Registry) -> prometheus::Result<IntCounter> {
    let again = IntCounter::new("bandeau_sip_retransmissions_total", "SIP messages sent again")?;
    registry.register(Box::new(again.clone()))?;
    Ok(again)
}

impl CoreFigures {
    pub(super) fn new(registry: &Registry) -> prometheus::Result<CoreFigures> {
        let histogram = |name: &str, help: &str| {
            let metric = Histogram::with_opts(HistogramOpts::new(name, help).buckets(STEPS.to_vec()))?;
            registry.register(Box::new(metric.clone()))?;
            prometheus::Result::Ok(metric)
        };
        let counter = |name: &str, help: &str| {
            let metric = IntCounter::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            prometheus::Result::Ok(metric)
        };
        let gauge = |name: &str, help: &str| {
            let metric = IntGauge::new(name, help)?;
            registry.register(Box::new(metric.clone()))?;
            prometheus::Result::Ok(metric)
        };
        Ok(CoreFigures {
            step: histogram("bandeau_step_seconds", "From an input to everything it caused")?,
            offer: histogram(
                "bandeau_offer_latency_seconds",
                "From the input that allowed an offer to the offer sent",
            )?,
            unwritten: gauge("bandeau_store_unwritten", "Snapshots and records not written yet")?,
            datagrams: counter("bandeau_sip_datagrams_total", "SIP datagrams of trunks and phones")?,
            of_others: counter(
                "bandeau_sip_datagrams_of_others_total",
                "SIP datagrams of everybody else, dropped ones included",
            )?,
            over_budget: counter(
                "bandeau_sip_over_budget_total",
                "Messages of strangers dropped unread: beyond [sip] source_rate",
            )?,
            connections: gauge("bandeau_sip_connections", "SIP connections that stand")?,
            turned_away: counter(
                "bandeau_sip_turned_away_total",
                "SIP connections closed at the door: every place of [sip] connections was taken",
            )?,
            handshakes_failed: counter(
                "bandeau_trunk_handshakes_failed_total",
                "TLS handshakes with somebody at a trunk's address that came to nothing",
            )?,
            unsent: counter("bandeau_sip_unsent_total", "SIP datagrams the system would not send")?,
        })
    }

    /// Connections that stand, and what was counted beside the core.
    pub(in crate::driver) fn crowd(&self, standing: usize, tally: &Tally) {
        self.connections.set(i64::try_from(standing).unwrap_or(i64::MAX));
        for (metric, figure) in [
            (&self.of_others, &tally.datagrams),
            (&self.over_budget, &tally.over_budget),
            (&self.turned_away, &tally.turned_away),
            (&self.handshakes_failed, &tally.handshakes_failed),
        ] {
            metric.inc_by(figure.load(Ordering::Relaxed).saturating_sub(metric.get()));
        }
    }
}
