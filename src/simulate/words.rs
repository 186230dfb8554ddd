//! The report's words, in French and in English.

use super::figures::{Figures, Report};
use super::setting::Lang;

/// One language.
pub(super) struct Words {
    pub(super) lang: &'static str,
    pub(super) title: &'static str,
    pub(super) all: &'static str,
    pub(super) confirmed: &'static str,
    pub(super) later_vital: &'static str,
    pub(super) later: &'static str,
    pub(super) second: &'static str,
    pub(super) answered: &'static str,
    pub(super) mean: &'static str,
    pub(super) longest: &'static str,
    pub(super) seconds: &'static str,
    pub(super) broken: &'static str,
    pub(super) without_changes: &'static str,
    pub(super) variants: &'static str,
    pub(super) waiting: &'static str,
    pub(super) times: &'static str,
    pub(super) occupancy: &'static str,
    pub(super) on_shift: &'static str,
    pub(super) busy: &'static str,
    pub(super) promises: &'static str,
    pub(super) calls: &'static str,
    pub(super) abandons: &'static str,
    pub(super) order: &'static str,
    pub(super) model: &'static str,
    french: bool,
}

const FR: Words = Words {
    lang: "fr",
    title: "Simulation du plan",
    all: "tous les appels",
    confirmed: "vital connu à l'arrivée",
    later_vital: "vital découvert au décroché",
    later: "découverts",
    second: "médecin, depuis la remise",
    answered: "décrochés",
    mean: "moyenne",
    longest: "maximum",
    seconds: "secondes jusqu'au décroché",
    broken: "non tenu",
    without_changes: "Les mêmes soirées sans changement d'effectif :",
    variants: "Attente des appels vitaux connus, selon le plan",
    waiting: "Appels en attente, par classe",
    times: "Délai de décroché, en secondes",
    occupancy: "Occupation",
    on_shift: "en poste",
    busy: "occupés",
    promises: "Ce que le plan promet",
    calls: "appels",
    abandons: "abandons de 15 s et plus",
    order: "ordre rompu",
    model: "Modèle : arrivées sans mémoire selon le profil d'un dimanche, patience et rappels, durées à longue traîne. Chaque \
            nombre est un paramètre ; les parts marquées comme hypothèses doivent être mesurées dans le centre.",
    french: true,
};

const EN: Words = Words {
    lang: "en",
    title: "Simulation of the plan",
    all: "all calls",
    confirmed: "vital, known on arrival",
    later_vital: "vital, found at the answer",
    later: "found",
    second: "doctor, from the hand-over",
    answered: "answered",
    mean: "mean",
    longest: "longest",
    seconds: "seconds to the answer",
    broken: "broken",
    without_changes: "The same evenings with everybody staying:",
    variants: "Wait of vital calls known on arrival, by plan",
    waiting: "Calls waiting, by class",
    times: "Answer times, in seconds",
    occupancy: "Occupancy",
    on_shift: "on shift",
    busy: "busy",
    promises: "What the plan promises",
    calls: "calls",
    abandons: "abandoned after 15 s or more",
    order: "order broken",
    model: "Model: arrivals without memory along a Sunday's profile, patience and redials, talks with a long tail. Every number is \
            a parameter; shares that are assumptions have to be measured in the centre.",
    french: false,
};

/// The words of a language.
pub(super) fn of(lang: Lang) -> &'static Words {
    match lang {
        Lang::Fr => &FR,
        Lang::En => &EN,
    }
}

impl Words {
    /// What was played, in one line.
    pub(super) fn setting(&self, report: &Report) -> String {
        let (hours, evenings) = (report.hours, report.evenings);
        let (from, rate) =
            (format!("{:02}:{:02}", report.from / 60, report.from % 60), report.calls_per_hour);
        let agents = report.agents.join(" ; ");
        if self.french {
            format!(
                "{evenings} soirées de {hours} h à partir de {from}, {rate:.0} appels à l'heure de pointe, {agents}"
            )
        } else {
            format!(
                "{evenings} evenings of {hours} h from {from}, {rate:.0} calls in the busiest hour, {agents}"
            )
        }
    }

    /// What came of it, in one line.
    pub(super) fn counts(&self, figures: &Figures) -> String {
        let Figures { calls, redials, answered, short_abandons, abandons, refused, .. } = figures;
        let (judged, broken, vital_lost) = (figures.judged, figures.order_broken, figures.vital_lost);
        let (alerts, occupancy) = (figures.alerts, 100.0 * figures.occupancy);
        if self.french {
            format!(
                "{calls} appels dont {redials} rappels, {answered} décrochés, {short_abandons} abandons avant 15 s, \
                 {abandons} après ; {refused} refusés ; ordre rompu {broken} fois sur {judged} ; {alerts} alertes ; \
                 {vital_lost} appels vitaux perdus ; occupation {occupancy:.0} %"
            )
        } else {
            format!(
                "{calls} calls, {redials} of them redials, {answered} answered, {short_abandons} abandoned before 15 s, \
                 {abandons} later; {refused} refused; order broken {broken} times of {judged}; {alerts} alerts; \
                 {vital_lost} vital calls lost; occupancy {occupancy:.0} %"
            )
        }
    }

    /// A changed plan.
    pub(super) fn variant(&self, key: &str) -> &'static str {
        match (key, self.french) {
            ("no-alert", true) => "sans alerte aux postes occupés",
            ("alert", true) => "avec alerte aux postes occupés",
            ("reserve", true) => "un agent de plus en réserve",
            ("shared", true) => "offres partagées",
            ("exclusive", true) => "offres exclusives",
            ("no-alert", false) => "without alerts to busy consoles",
            ("alert", false) => "with alerts to busy consoles",
            ("reserve", false) => "one more agent in reserve",
            ("shared", false) => "shared offers",
            ("exclusive", false) => "exclusive offers",
            (_, true) => "autre",
            (_, false) => "other",
        }
    }
}
