//! Challenges to what we ask (RFC 3261 §22.2): each is answered once, with the credentials of the trunk.

use super::responses::TRIES_MAX;
use super::{Credentials, DialogId, Endpoint, Purpose};
use crate::auth::{self, Claim};
use crate::dialog::{Phase, Usage};
use crate::header::auth::Challenge;
use crate::message::{Builder, Message, Name, StartLine};
use crate::time::Instant;
use crate::transport::Flow;
use bytes::Bytes;

impl Endpoint {
    /// What this dialog's peer is answered when it challenges what we ask within it. Calls of ours have
    /// theirs from the start.
    pub fn prove_with(&mut self, dialog: DialogId, credentials: Credentials) {
        match self.usages.get_mut(&dialog) {
            Some(Usage::Ringing(ringing)) => ringing.credentials = Some(credentials),
            Some(Usage::Standing(session)) => session.credentials = Some(credentials),
            Some(Usage::Calling(_)) | None => {}
        }
    }

    /// Answers a challenge to what we `said`, once and only with credentials; false when the refusal
    /// stands.
    pub(super) fn prove(
        &mut self,
        now: Instant,
        purpose: Purpose,
        message: &Message<'_>,
        said: (Flow, Bytes),
    ) -> bool {
        let Some(round) = Round::of(message, self.local.tag()) else { return false };
        match purpose {
            Purpose::Errand(id) => self.prove_errand(now, id, &round),
            Purpose::Invite(dialog) => self.prove_invite(now, dialog, &round),
            Purpose::Reoffer(dialog) => self.prove_reoffer(now, dialog, &round),
            Purpose::Bye(dialog)
            | Purpose::Probe(dialog)
            | Purpose::Refresh(dialog)
            | Purpose::Refer(dialog)
            | Purpose::Prack(dialog)
            | Purpose::Parting(dialog) => self.prove_within(now, dialog, purpose, &round, said),
            Purpose::Cancel(_) | Purpose::Nothing => false,
        }
    }

    fn prove_invite(&mut self, now: Instant, dialog: DialogId, round: &Round<'_>) -> bool {
        let Some(Usage::Calling(set)) = self.usages.get_mut(&dialog) else { return false };
        let unwanted = matches!(set.phase, Phase::Holding | Phase::Cancelling);
        let refused = set.tried_credentials && !round.challenge.stale;
        if unwanted || refused || set.tries >= TRIES_MAX {
            return false;
        }
        let Some(credentials) = &set.outgoing.credentials else { return false };
        let value = round.proof(credentials, "INVITE", &set.outgoing.uri);
        set.tried_credentials = true;
        set.phase = Phase::Calling;
        self.send_invite(now, dialog, Some((round.header, &value)));
        true
    }

    fn prove_reoffer(&mut self, now: Instant, dialog: DialogId, round: &Round<'_>) -> bool {
        let Some(Usage::Standing(session)) = self.usages.get_mut(&dialog) else { return false };
        let Some(credentials) = &session.credentials else { return false };
        if session.ours.as_ref().is_none_or(|ours| ours.tried_credentials) {
            return false;
        }
        let value = round.proof(credentials, "INVITE", &session.dialog.target);
        let Some(ours) = session.ours.take() else { return false };
        self.schedule.cancel(ours.deadline);
        self.send_reoffer(now, dialog, ours.sdp, Some((round.header, &value)));
        true
    }

    /// Any other request within a dialog: the same again, under the next number and with its proof. One
    /// that bore a proof is refused for good.
    fn prove_within(
        &mut self,
        now: Instant,
        id: DialogId,
        purpose: Purpose,
        round: &Round<'_>,
        (sent_over, said): (Flow, Bytes),
    ) -> bool {
        let Ok(said) = Message::scan(&said) else { return false }; // our own words
        let proved = said.header(Name::Authorization).or(said.header(Name::ProxyAuthorization));
        let StartLine::Request { token, uri, .. } = said.start else { return false };
        let (branch, key) = self.new_branch();
        let Some((number, flow, credentials)) = self.next_within(id, &said, sent_over) else { return false };
        let (None, Some(credentials)) = (proved, credentials) else { return false };
        let value = round.proof(&credentials, token, uri);
        let Some(bytes) = again(&said, &branch, number, (round.header, &value)) else { return false };
        self.transactions.open_other_client(now, key, flow, bytes, purpose);
        true
    }

    /// The number and the path of what follows a request of ours at the fork it went to, early or not, and
    /// what that is proved with.
    fn next_within(
        &mut self,
        id: DialogId,
        said: &Message<'_>,
        sent_over: Flow,
    ) -> Option<(u32, Flow, Option<Credentials>)> {
        let tag = said.to_tag().unwrap_or_default();
        let (dialog, credentials) = match self.usages.get_mut(&id)? {
            Usage::Standing(session) if session.dialog.remote_tag != tag => {
                // A fork that lost: nothing is known of it but what it was told.
                return Some((said.cseq().ok()?.number + 1, sent_over, session.credentials.clone()));
            }
            Usage::Standing(session) => (&mut session.dialog, &session.credentials),
            Usage::Calling(set) => {
                let early = set.early.iter_mut().find(|early| early.dialog.remote_tag == tag)?;
                (&mut early.dialog, &set.outgoing.credentials)
            }
            Usage::Ringing(ringing) => (&mut ringing.dialog, &ringing.credentials),
        };
        dialog.local_cseq += 1;
        Some((dialog.local_cseq, dialog.next_hop(&self.local), credentials.clone()))
    }
}

/// One challenge, and what is needed to answer it.
pub(super) struct Round<'a> {
    pub(super) header: &'static str,
    pub(super) challenge: Challenge<'a>,
    cnonce: String,
}

impl<'a> Round<'a> {
    /// The strongest challenge of a 401 or a 407, and the header that answers it.
    fn of(message: &'a Message<'_>, cnonce: String) -> Option<Self> {
        let (header, challenge) = match message.code() {
            Some(407) => ("Proxy-Authorization", auth::strongest(message.proxy_authenticate())),
            _ => ("Authorization", auth::strongest(message.www_authenticate())),
        };
        Some(Round { header, challenge: challenge?, cnonce })
    }

    pub(super) fn proof(&self, credentials: &Credentials, method: &str, uri: &str) -> String {
        let Credentials { user, password } = credentials;
        auth::respond(&self.challenge, &Claim { user, password, method, uri, cnonce: &self.cnonce, nc: 1 })
    }
}

/// A request of ours again: another branch and number, and a proof.
fn again(said: &Message<'_>, branch: &str, number: u32, (header, value): (&str, &str)) -> Option<Bytes> {
    let StartLine::Request { token, uri, .. } = said.start else { return None };
    let before = said.via().ok()?.branch()?.to_owned();
    let mut text = Builder::request(token, uri);
    for (name, line) in said.all() {
        let name = std::str::from_utf8(name).ok()?;
        text = match name {
            "Via" => text.other(name, crate::dialog::text(line).replace(&before, branch)),
            "CSeq" => text.other(name, format!("{number} {token}")),
            "Content-Type" | "Content-Length" => text,
            _ => text.other(name, line),
        };
    }
    text = text.other(header, value);
    let kind = said.header(Name::ContentType).map(crate::dialog::text);
    Some(match kind {
        Some(kind) if !said.body().is_empty() => text.body(&kind, said.body()).into(),
        _ => text.finish().into(),
    })
}
