//! What is offered to an agent.

use super::Millis;
use crate::call::event::{Because, OfferKind, Private, Signed};
use serde::{Deserialize, Serialize};

/// An offer, on the page of the agent it is made to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct OfferRow {
    /// The offer.
    pub offer: String,
    /// Reservation, invitation, alert or join.
    pub kind: OfferKind,
    /// The item.
    pub work: String,
    /// Its call.
    pub call: String,
    /// Its class.
    pub class: String,
    /// The service that was dialled.
    pub service: String,
    /// Number to call back.
    pub caller: Private,
    /// Name shown by the network.
    pub caller_name: Option<Private>,
    /// The caller asked for privacy.
    pub withheld: bool,
    /// What the call's INVITE said beside who calls whom, as far as the viewer may see it.
    pub signed: Option<Box<Signed>>,
    /// When the offer lapses.
    pub deadline: Millis,
    /// How long the item had waited when it was made.
    pub waited: Millis,
    /// Why.
    pub because: Because,
    /// The phone rings.
    pub alerting: bool,
    /// The page takes it by itself, after a tone: the agent wants it so, and is there.
    pub auto_answer: bool,
}
