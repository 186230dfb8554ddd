//! What a packet thread does for its pages: their offers, their packets, their timers, and the legs
//! that come and go on them.

use crate::media::leg::{Leg, Line, PageAt};
use crate::media::mailbox::Mail;
use crate::media::pages::{Attached, News};
use crate::media::rtp::Outgoing;
use crate::media::sys;
use crate::media::webrtc;
use crate::media::worker::{DATAGRAM_MAX, Worker};
use engine::id::{LegId, PageId};
use engine::media::{MediaCommand, MediaEvent};
use std::net::{Ipv4Addr, SocketAddr};

/// Datagrams of pages read in one go: those of a hundred calls and 20 ms. More would keep the wheel
/// waiting, fewer cost a sleep each.
const READ_MAX: usize = 100;
/// Where packets of a page come from, as its leg sees it: always from the same place, whatever
/// network the page is on.
const FROM: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

impl<F: Fn(MediaEvent)> Worker<F> {
    /// A page offers: its audio begins, or begins again, with whatever leg is attached.
    pub(super) fn open_page(&mut self, page: PageId, offer: &str, now: u64) {
        let random = self.draw();
        match self.pages.open(page, offer, random, sys::instant(now)) {
            Ok(answer) => {
                (self.events)(MediaEvent::PageAnswered { page, answer });
                // Another browser may have placed its keys elsewhere.
                let Some(place) = self.pages.find(page) else { return };
                let keys = self.pages.telephone_event(place);
                let leg = self.pages.at(place).and_then(|page| page.leg);
                self.tell_leg(leg, Some(PageAt { page, thread: self.index, place }), keys);
            }
            Err(error) => {
                let why = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
                tracing::warn!(%page, %error, why, "a page's offer was refused");
                (self.events)(MediaEvent::PageDown { page, why: error.code().to_owned() });
            }
        }
    }

    pub(super) fn close_page(&mut self, id: PageId, now: u64) {
        let Some(place) = self.pages.find(id) else {
            return self.refuse_page(id, "there is no such page");
        };
        let Some(page) = self.pages.close(place) else { return };
        // It stays in its conversation, and will be reported silent.
        self.tell_leg(page.leg, None, None);
        if let Some(next) = page.next {
            self.resume(next, now);
        }
        self.turn_pages(now);
    }

    /// Tells the leg of a page what has become of the page's connection.
    fn tell_leg(&mut self, leg: Option<Attached>, at: Option<PageAt>, keys: Option<u8>) {
        match leg {
            Some(Attached::Here(place)) => {
                if let Some(leg) = self.legs.at(place) {
                    renew(leg, at, keys);
                }
            }
            Some(Attached::Away { leg, thread }) => self.post(thread, Mail::Renewed { leg, at, keys }),
            None => {}
        }
    }

    pub(super) fn renewed(&mut self, leg: LegId, at: Option<PageAt>, keys: Option<u8>) {
        if let Some(leg) = self.legs.find(leg).and_then(|place| self.legs.at(place)) {
            renew(leg, at, keys);
        }
    }

    /// A leg of a page has got its place here: the page's thread must know where to find it.
    pub(super) fn attach(&mut self, at: PageAt, leg: LegId, place: u32) {
        if at.thread != self.index {
            return self.post(at.thread, Mail::Moved { page: at.page, leg, thread: self.index });
        }
        match self.pages.at(at.place) {
            Some(page) if page.id == at.page => page.leg = Some(Attached::Here(place)),
            // It was closed while its leg was on the way back.
            _ => self.renewed(leg, None, None),
        }
    }

    pub(super) fn moved(&mut self, page: PageId, leg: LegId, thread: usize) {
        match self.pages.find(page).and_then(|place| self.pages.at(place)) {
            Some(page) => page.leg = Some(Attached::Away { leg, thread }),
            None => self.post(thread, Mail::Renewed { leg, at: None, keys: None }),
        }
    }

    /// The leg of a page has closed; the next one may have been waiting for that.
    pub(super) fn detached(&mut self, page: PageId, leg: LegId, out: Outgoing, now: u64) {
        let Some(page) = self.pages.find(page).and_then(|place| self.pages.at(place)) else { return };
        if matches!(page.leg, Some(Attached::Away { leg: other, .. }) if other != leg) {
            return;
        }
        page.leg = None;
        page.out = out;
        page.out.cut();
        if let Some(next) = page.next.take() {
            self.resume(next, now);
        }
    }

    /// The page of a leg here has said something to its own thread.
    pub(super) fn hear_away(&mut self, leg: LegId, packet: &[u8], now: u64) {
        let Some(place) = self.legs.find(leg) else { return };
        let Some(into) = self.datagram.get_mut(..packet.len()) else { return };
        into.copy_from_slice(packet);
        self.deliver(place, packet.len(), FROM, now);
    }

    /// A conversation elsewhere says something to a page here.
    pub(super) fn say_here(&mut self, page: PageId, packet: &[u8], now: u64) {
        let Some(place) = self.pages.find(page) else { return };
        let said = self.pages.say(place, packet, sys::instant(now));
        self.figures.packets_dropped += u64::from(!said);
    }

    pub(super) fn open_on_page(&mut self, id: LegId, page: PageId, now: u64) {
        if self.legs.find(id).is_some() {
            return self.refuse(id, "the leg is open already");
        }
        let Some(place) = self.pages.find(page) else { return self.refuse(id, "there is no such page") };
        let keys = self.pages.telephone_event(place);
        let thread = self.index;
        let Some(open) = self.pages.at(place) else { return };
        match open.leg {
            None => {}
            // Its end has been ordered on another thread, and is on its way here.
            Some(Attached::Away { .. }) if open.next.is_none() => {
                open.next = Some(id);
                let again = Mail::Command(MediaCommand::OpenOnPage { leg: id, page });
                self.expected.entry(id).or_default().push(again);
                return;
            }
            Some(_) => return self.refuse(id, "the page carries a leg already"),
        }
        let leg = Leg::open_on_page(id, PageAt { page, thread, place }, keys, open.out, now);
        self.settle(Box::new(leg), now);
    }

    /// Something has come on the pages' socket.
    pub(super) fn receive_from_pages(&mut self, now: u64) {
        for _ in 0..READ_MAX {
            let Ok((length, from)) = self.pages.receive(&mut self.datagram) else { return };
            self.figures.packets_in += 1;
            let datagram = &self.datagram[..length];
            match self.pages.of(datagram, from) {
                Some(place) if length < DATAGRAM_MAX => {
                    self.pages.hear(place, datagram, from, sys::instant(now));
                    self.drain(place, now);
                }
                _ => self.figures.packets_dropped += 1,
            }
        }
    }

    /// Timers of pages that are due.
    pub(super) fn turn_pages(&mut self, now: u64) {
        while let Some(place) = self.pages.due(sys::instant(now)) {
            self.drain(place, now);
        }
    }

    /// Everything a page has to say after something has happened to it.
    fn drain(&mut self, place: u32, now: u64) {
        while let Some(news) = self.pages.poll(place) {
            let Some(page) = self.pages.at(place) else { return };
            let id = page.id;
            match news {
                News::Heard(packet) => match (page.leg, webrtc::plain(&packet, &mut self.datagram)) {
                    (Some(Attached::Here(leg)), Some(length)) => self.deliver(leg, length, FROM, now),
                    (Some(Attached::Away { leg, thread }), Some(length)) => {
                        let packet = self.datagram[..length].into();
                        self.post(thread, Mail::Heard { leg, packet });
                    }
                    // It says something to nobody.
                    _ => self.figures.packets_dropped += 1,
                },
                News::Up => (self.events)(MediaEvent::PageUp { page: id }),
                News::Down(why) => (self.events)(MediaEvent::PageDown { page: id, why: why.to_owned() }),
            }
        }
        self.figures.send_errors += self.pages.take_send_errors();
    }

    fn refuse_page(&self, page: PageId, why: &str) {
        (self.events)(MediaEvent::Refused { leg: None, why: format!("page {page}: {why}") });
    }
}

/// A page's leg goes on with what its browser has now.
fn renew(leg: &mut Leg, at: Option<PageAt>, keys: Option<u8>) {
    leg.line = Line::Page(at);
    leg.stream.telephone_event = keys;
    leg.cut();
}
