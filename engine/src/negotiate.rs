//! What a leg and its peer say about audio (RFC 3264), between the SDP of `sip` and the streams of
//! the media plane.

use crate::media::{Codec, MediaPort, SrtpKeys, Stream};
use crate::site::Srtp;
use serde::{Deserialize, Serialize};
use sip::sdp::{self, Agreement, Cipher, Direction, Key, OurKeys, Sdp, Session, Wish};
use std::net::{IpAddr, SocketAddr};

/// The payload type of telephone-event in the first of our own offers: what most equipment uses, so
/// that few have to map it.
const TELEPHONE_EVENT: u8 = 101;

/// What an INVITE says about audio.
pub(crate) enum Offer {
    /// A description with a codec of ours.
    Made(Sdp),
    /// None: the peer wants ours, and answers in its ACK.
    Wanted,
    /// Nothing we could speak.
    Unusable,
}

/// Reads an INVITE's body.
pub(crate) fn read_offer(sdp: Option<&[u8]>) -> Offer {
    let Some(body) = sdp else { return Offer::Wanted };
    match Sdp::read(body) {
        Ok(sdp) if sdp.agreed().is_ok() => Offer::Made(sdp),
        _ => Offer::Unusable,
    }
}

/// Whether this port has an address of the family a description speaks of.
pub(crate) fn is_served(sdp: &Sdp, port: MediaPort) -> bool {
    sdp.audio_address().is_none_or(|address| port.serves(address))
}

/// What an answer to an offer of ours agrees to; `None`: nothing.
pub(crate) fn read_answer(sdp: &[u8]) -> Option<Stream> {
    Sdp::read(sdp).ok()?.agreed().ok().map(stream)
}

/// Our side of a leg's descriptions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocalSdp {
    session: Session,
    /// The payload type of telephone-event in it: by it keys come.
    #[serde(default)]
    keys_come_as: Option<u8>,
    /// That its audio is plain against our wish has been told.
    #[serde(default)]
    told_plain: bool,
    /// That its peer wants its audio where we cannot bring it has been told.
    #[serde(default)]
    told_family: bool,
    /// Where we have last said that we listen.
    #[serde(default)]
    at: Option<IpAddr>,
    /// The description in force: 183 and 200 carry the same one.
    pub body: Vec<u8>,
}

impl LocalSdp {
    /// A leg that has said nothing yet; `origin` differs between legs.
    pub(crate) fn new(origin: u64) -> LocalSdp {
        LocalSdp {
            session: Session::new(origin),
            keys_come_as: None,
            told_plain: false,
            told_family: false,
            at: None,
            body: Vec::new(),
        }
    }

    /// Whether and with what its audio is enciphered; before its first words.
    pub(crate) fn cipher(&mut self, srtp: Srtp, keys: OurKeys) {
        let wish = match srtp {
            Srtp::Off => Wish::Plain,
            Srtp::Offered => Wish::Either,
            Srtp::Required => Wish::Enciphered,
        };
        self.session.cipher(Cipher { keys, wish });
    }

    /// What was agreed, with what we said ourselves: our key (the peer's answer names one of our
    /// lines), and how we want to be told of pressed keys.
    pub(crate) fn with_our_half(&self, stream: Stream) -> Stream {
        let mut whole = Stream { keys_come_as: self.keys_come_as, ..stream };
        let Some(keys) = &mut whole.srtp else { return whole };
        match self.session.key_of(keys.suite) {
            Some(said) => (keys.ours, keys.our_name) = (said.key, said.name),
            // Keys nobody has asked for, beside plain audio: it stays plain.
            None if keys.beside_plain => whole.srtp = None,
            // A suite we have not offered: where keys are agreed nothing goes out in clear.
            None => whole.send = false,
        }
        whole
    }

    /// Answers an offer in full; `None`, and nothing changed, when there is nothing to agree on.
    pub(crate) fn answer(&mut self, offer: &Sdp, ours: SocketAddr) -> Option<Stream> {
        let (agreement, body) = self.session.answer(offer, ours, Direction::SendRecv).ok()?;
        self.body = body;
        self.at = Some(ours.ip());
        self.keys_come_as = agreement.telephone_event;
        Some(self.with_our_half(stream(agreement)))
    }

    /// Makes an offer of both codecs, `first` first: the codec of the other party, so that nothing
    /// has to be converted.
    pub(crate) fn offer(&mut self, ours: SocketAddr, first: Codec) -> Stream {
        self.offer_again(ours, &Stream::of(first))
    }

    /// Makes an offer of both codecs to a peer with whom `agreed` is in force: its codec first, and the
    /// rest from what we said last, so that streams, numbers and keys stay what they have been (RFC 3264
    /// §8).
    pub(crate) fn offer_again(&mut self, ours: SocketAddr, agreed: &Stream) -> Stream {
        let first = on_the_wire(agreed.codec);
        let second = match first {
            sdp::Codec::Pcma => sdp::Codec::Pcmu,
            sdp::Codec::Pcmu => sdp::Codec::Pcma,
        };
        let fresh = Some(TELEPHONE_EVENT).filter(|number| agreed.dynamic != Some(*number));
        let keys = self.keys_come_as.or(fresh);
        self.keys_come_as = keys;
        let suite = agreed.srtp.map(|keys| keys.suite);
        let both = [first, second];
        self.at = Some(ours.ip());
        self.body = self.session.offer_again(ours, &both, keys, Direction::SendRecv, suite);
        // Until the answer comes, what we hope for: nowhere to send to, but audio may come in.
        let dynamic = agreed.dynamic;
        Stream { dynamic, telephone_event: keys, keys_come_as: keys, ..Stream::of(agreed.codec) }
    }

    /// Whether an agreement is plain where we want keys, or keys are agreed that we have not; true once.
    /// Before the peer has said where its audio goes, nothing is agreed.
    pub(crate) fn falls_short(&mut self, agreed: &Stream) -> bool {
        let wanted = agreed.srtp.is_some() || self.session.wants_keys();
        let short = agreed.remote.is_some() && wanted && !agreed.is_enciphered();
        short && !std::mem::replace(&mut self.told_plain, true)
    }

    /// Whether the peer wants its audio at an address of a family this port has none of; true once.
    pub(crate) fn falls_apart(&mut self, agreed: &Stream, port: MediaPort) -> bool {
        let apart = agreed.remote.is_some_and(|remote| !port.serves(remote.ip()));
        apart && !std::mem::replace(&mut self.told_family, true)
    }

    /// What an offer is answered with: an address of the family it speaks of; where it names none, as we
    /// have said before, or as the signalling comes.
    pub(crate) fn ours_for(&self, offer: Option<&Sdp>, port: MediaPort, signalling: IpAddr) -> SocketAddr {
        let named = offer.and_then(Sdp::audio_address);
        port.told_to(named.or(self.at).unwrap_or(signalling))
    }

    /// Whether audio that is not enciphered is against our wish.
    pub(crate) fn wants_keys(&self) -> bool {
        self.session.wants_keys()
    }
}

fn stream(agreed: Agreement) -> Stream {
    let format = agreed.format;
    let codec = match format.codec {
        sdp::Codec::Pcma => Codec::Pcma,
        sdp::Codec::Pcmu => Codec::Pcmu,
    };
    Stream {
        remote: agreed.remote,
        dynamic: Some(format.payload_type).filter(|number| *number != format.codec.payload_type()),
        telephone_event: agreed.telephone_event,
        send: agreed.direction.sends(),
        receive: agreed.direction.receives(),
        srtp: agreed.theirs.map(|theirs| SrtpKeys {
            suite: theirs.suite,
            ours: Key::NONE,
            theirs: theirs.key,
            our_name: None,
            their_name: theirs.name,
            beside_plain: !agreed.is_enciphered,
        }),
        ..Stream::of(codec)
    }
}

fn on_the_wire(codec: Codec) -> sdp::Codec {
    match codec {
        Codec::Pcma => sdp::Codec::Pcma,
        Codec::Pcmu => sdp::Codec::Pcmu,
    }
}
