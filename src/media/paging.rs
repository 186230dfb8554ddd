//! What a packet thread does for its pages: their offers, their packets, their timers, and the legs
//! that come and go on them.

use crate::media::leg::{Leg, Line};
use crate::media::pages::News;
use crate::media::sys;
use crate::media::webrtc;
use crate::media::worker::{DATAGRAM_MAX, Worker};
use engine::id::{LegId, PageId};
use engine::media::MediaEvent;
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
                if let Some(leg) = leg.and_then(|leg| self.legs.at(leg)) {
                    leg.stream.telephone_event = keys;
                    leg.cut();
                }
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
        if let Some(leg) = page.leg.and_then(|leg| self.legs.at(leg)) {
            // It stays in its conversation, and will be reported silent.
            leg.line = Line::Page(None);
        }
        self.turn_pages(now);
    }

    pub(super) fn open_on_page(&mut self, id: LegId, page: PageId, now: u64) {
        if self.legs.find(id).is_some() {
            return self.refuse(id, "the leg is open already");
        }
        let Some(place) = self.pages.find(page) else { return self.refuse(id, "there is no such page") };
        let keys = self.pages.telephone_event(place);
        let Some(page) = self.pages.at(place) else { return };
        if page.leg.is_some() {
            return self.refuse(id, "the page carries a leg already");
        }
        let leg = Leg::open_on_page(id, place, keys, page.out, now);
        self.settle(Box::new(leg), now);
        let leg = self.legs.find(id);
        if let Some(page) = self.pages.at(place) {
            page.leg = leg;
        }
    }

    /// Something has come on the pages' socket.
    pub(super) fn receive_from_pages(&mut self, now: u64) {
        for _ in 0..READ_MAX {
            let Ok((length, from)) = self.pages.socket().recv_from(&mut self.datagram) else { return };
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
                    (Some(leg), Some(length)) => self.deliver(leg, length, FROM, now),
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
