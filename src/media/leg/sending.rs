//! What a leg's peer is sent: frames of its own, what it is played, and what others say.

use super::{Heard, Kind, Leg, Line, Place, Way};
use crate::media::g711::{self, FRAME};
use crate::media::rtp::HEADER;
use std::io;

impl Leg {
    /// Says a frame that lies encoded in `packet`, due at `at`, or leaves it there for its page.
    ///
    /// # Errors
    /// The kernel took no packet; the frame is lost, as on any network.
    pub fn say(&mut self, packet: &mut [u8; HEADER + FRAME], at: u64) -> io::Result<Way> {
        if !self.may_send() {
            return Ok(Way::Nowhere);
        }
        packet[0] = 0;
        self.out.own(packet, self.stream.payload_type(), at);
        self.send(packet)
    }

    /// Sends the next frame of what it is played, due at `at`, or leaves it in `packet` for its page.
    /// True when the announcements have been played with it. Where nothing may be sent, nothing is
    /// used up: an announcement waits.
    ///
    /// # Errors
    /// The kernel took no packet; the frame is lost, as on any network.
    pub fn play(&mut self, packet: &mut [u8; HEADER + FRAME], at: u64) -> io::Result<(Way, bool)> {
        if !self.may_send() {
            return Ok((Way::Nowhere, false));
        }
        let (Place::Alone(Some(playing)) | Place::Bridge(_, playing)) = &mut self.place else {
            return Ok((Way::Nowhere, false));
        };
        let announced = playing.next(self.stream.codec, &mut packet[HEADER..]);
        // The bits of the last packet that was here.
        packet[0] = 0;
        self.out.own(packet, self.stream.payload_type(), at);
        Ok((self.send(packet)?, announced))
    }

    /// Passes on a packet another leg has heard, rewritten in place, or leaves it so for its page;
    /// `Nowhere` when this peer has agreed to nothing of the kind, or its number has been given.
    ///
    /// # Errors
    /// The kernel took no packet.
    pub fn pass(&mut self, packet: &mut [u8], heard: &Heard, now: u64) -> io::Result<Way> {
        if !self.may_send() {
            return Ok(Way::Nowhere);
        }
        let payload_type = match (heard.kind, self.stream.telephone_event) {
            (Kind::Audio(codec), _) => {
                if let Some(payload) = packet.get_mut(heard.header.payload_at..heard.header.payload_end) {
                    g711::translate(payload, codec, self.stream.codec);
                }
                self.stream.payload_type()
            }
            (Kind::Key, Some(agreed)) => agreed,
            (Kind::Key, None) | (Kind::Noise, _) => return Ok(Way::Nowhere),
        };
        if !self.out.relay(packet, &heard.header, payload_type, now) {
            return Ok(Way::Nowhere);
        }
        self.send(packet)
    }

    fn may_send(&self) -> bool {
        let is_known = match self.line {
            Line::Port(..) => self.target().is_some(),
            Line::Page(page) => page.is_some(),
        };
        is_known && self.stream.send
    }

    fn send(&mut self, packet: &[u8]) -> io::Result<Way> {
        let way = match (&self.line, self.target()) {
            (Line::Page(Some(page)), _) => Way::Page(*page),
            (Line::Port(_, pair), Some(target)) => {
                if self.stream.srtp.is_some() {
                    // What was to be enciphered never goes out in clear.
                    let sealed = self.srtp.as_mut().and_then(|srtp| srtp.seal(packet));
                    let Some(sealed) = sealed else { return Ok(Way::Nowhere) };
                    pair.rtp.send_to(sealed.as_ref(), target)?;
                } else {
                    pair.rtp.send_to(packet, target)?;
                }
                Way::Sent
            }
            (Line::Page(None), _) | (Line::Port(..), None) => return Ok(Way::Nowhere),
        };
        self.sent += 1;
        Ok(way)
    }
}
