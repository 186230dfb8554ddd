//! The pages of one thread: one socket for all of them, and who of them a datagram is from.
//!
//! A binding request names its page by the user name fragment we have given it (RFC 8445 §7.2.2);
//! everything else is known by the address it comes from, once a request from there has been
//! answered: whoever could be answered knows the page's password.

use crate::media::port;
use crate::media::rtp::Outgoing;
use crate::media::sys;
use crate::media::webrtc::{Connection, OfferError, Told};
use engine::id::{LegId, PageId};
use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Instant;

/// What the kernel keeps for the thread's pages, doubled by it: 0.8 s of a hundred of them.
const KEEP: i32 = 1 << 20;
/// Addresses known of one page. A browser on three networks checks from six; older ones are
/// forgotten, and known again by their next check.
const ADDRESSES_MAX: usize = 8;
/// Pages of one thread: far more than agents it could serve.
pub const PAGES_MAX: usize = 4_096;

/// The pages of one thread, at places that stay while a page is open.
#[derive(Debug)]
pub struct Pages {
    socket: UdpSocket,
    /// Where pages are told to send: one address of each family.
    advertised: Vec<SocketAddr>,
    places: Vec<Option<Page>>,
    named: HashMap<PageId, u32>,
    by_ufrag: HashMap<String, u32>,
    by_address: HashMap<SocketAddr, u32>,
    /// The earliest any of them is due; may be early, never late.
    due: Option<Instant>,
    /// Datagrams the kernel refused to send, since they were last taken.
    send_errors: u64,
}

/// One page, for as long as its agent is signed in.
#[derive(Debug)]
pub struct Page {
    /// Whose.
    pub id: PageId,
    /// The leg that is attached.
    pub leg: Option<Attached>,
    /// A leg that is to follow an attached one of another thread, as soon as that one has closed.
    pub next: Option<LegId>,
    /// The stream the page hears: one for all calls and connections of the shift, so that its
    /// receiver never sees another begin.
    pub out: Outgoing,
    connection: Option<Connection>,
    /// The newest last.
    addresses: VecDeque<SocketAddr>,
    due: Option<Instant>,
}

/// Where the leg of a page is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attached {
    /// At this place among the legs of the page's own thread.
    Here(u32),
    /// In a conversation of another thread, with a page of that one.
    Away {
        /// Which leg.
        leg: LegId,
        /// On which thread.
        thread: usize,
    },
}

/// What a page has told its thread.
#[derive(Debug)]
pub enum News {
    /// A packet was heard, deciphered.
    Heard(rtc::rtp::Packet),
    /// Its connection stands.
    Up,
    /// Its connection is gone; a code.
    Down(&'static str),
}

impl Pages {
    /// Binds the pages' port of thread `index`; `first` is the first thread's, 0 any.
    ///
    /// # Errors
    /// The port is taken, or the address is not ours.
    pub fn bind(bind: IpAddr, advertised: &[IpAddr], first: u16, index: usize) -> io::Result<Pages> {
        let above = u16::try_from(index).map_err(|_| io::ErrorKind::InvalidInput)?;
        let port = match first {
            0 => 0,
            first => first.checked_add(above).ok_or(io::ErrorKind::InvalidInput)?,
        };
        let socket = port::bound(bind, port)?;
        sys::keep_received(&socket, KEEP)?;
        let port = socket.local_addr()?.port();
        let advertised = advertised.iter().map(|ip| SocketAddr::new(*ip, port)).collect();
        Ok(Pages {
            socket,
            advertised,
            places: Vec::new(),
            named: HashMap::new(),
            by_ufrag: HashMap::new(),
            by_address: HashMap::new(),
            due: None,
            send_errors: 0,
        })
    }

    /// What the thread waits for.
    pub fn socket(&self) -> &UdpSocket {
        &self.socket
    }

    /// The next datagram, and who has sent it.
    ///
    /// # Errors
    /// There is none.
    pub fn receive(&self, datagram: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        port::receive(&self.socket, datagram)
    }

    /// Whether no page is open.
    pub fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    /// Where a page is.
    pub fn find(&self, id: PageId) -> Option<u32> {
        self.named.get(&id).copied()
    }

    /// The page at a place.
    pub fn at(&mut self, place: u32) -> Option<&mut Page> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    /// Takes a page's offer: its first, or one that ends what it had before. Answers with its place
    /// and what its browser must be told.
    ///
    /// # Errors
    /// The offer cannot be used: the page has no connection from here on.
    pub fn open(&mut self, id: PageId, offer: &str, random: u64, now: Instant) -> Result<String, OfferError> {
        let place = match self.find(id) {
            Some(place) => place,
            None => self.insert(id, random)?,
        };
        self.hang_up(place);
        let Some(page) = self.places.get_mut(place as usize).and_then(Option::as_mut) else {
            return Err(OfferError::Fault);
        };
        let (connection, answer) = Connection::answer(offer, &self.advertised, page.out.ssrc(), now)?;
        self.by_ufrag.insert(connection.ufrag().to_owned(), place);
        page.connection = Some(connection);
        self.reckon(place);
        Ok(answer)
    }

    fn insert(&mut self, id: PageId, random: u64) -> Result<u32, OfferError> {
        let free = self.places.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            self.places.push(None);
            self.places.len() - 1
        });
        if place >= PAGES_MAX {
            return Err(OfferError::Fault);
        }
        let out = Outgoing::new(random);
        let addresses = VecDeque::new();
        let page = Page { id, leg: None, next: None, out, connection: None, addresses, due: None };
        self.places[place] = Some(page);
        self.named.insert(id, place as u32);
        Ok(place as u32)
    }

    /// Ends a page; answers with what it was.
    pub fn close(&mut self, place: u32) -> Option<Page> {
        self.hang_up(place);
        let page = self.places.get_mut(place as usize)?.take()?;
        self.named.remove(&page.id);
        Some(page)
    }

    /// Ends a page's connection, if it has one.
    fn hang_up(&mut self, place: u32) {
        let Some(page) = self.places.get_mut(place as usize).and_then(Option::as_mut) else { return };
        page.due = None;
        for address in page.addresses.drain(..) {
            // Another page may have it by now.
            if self.by_address.get(&address) == Some(&place) {
                self.by_address.remove(&address);
            }
        }
        let Some(mut connection) = page.connection.take() else { return };
        self.by_ufrag.remove(connection.ufrag());
        connection.close();
        while let Some((to, datagram)) = connection.poll_send() {
            // A farewell: nobody may be left to hear it.
            let _ = self.socket.send_to(&datagram, to);
        }
    }

    /// Whose a datagram from `from` is.
    pub fn of(&self, datagram: &[u8], from: SocketAddr) -> Option<u32> {
        match datagram.first()? {
            0..4 if datagram.starts_with(&BINDING_REQUEST) => self.by_ufrag.get(ufrag(datagram)?).copied(),
            _ => self.by_address.get(&from).copied(),
        }
    }

    /// Hands a datagram to the page it is from.
    pub fn hear(&mut self, place: u32, datagram: &[u8], from: SocketAddr, now: Instant) {
        if let Some(connection) = self.connection(place) {
            connection.hear(datagram, from, now);
        }
    }

    /// Says a packet to a page; false when its connection would not have it, which is a fault.
    pub fn say(&mut self, place: u32, packet: &[u8], now: Instant) -> bool {
        let Some(Some(page)) = self.places.get_mut(place as usize) else { return true };
        let Some(connection) = &mut page.connection else { return true };
        let said = connection.say(packet, now);
        while let Some((to, datagram)) = connection.poll_send() {
            self.send_errors += u64::from(self.socket.send_to(&datagram, to).is_err());
        }
        said
    }

    /// What has come of the last input of a page, until `None`; what it sends is sent.
    pub fn poll(&mut self, place: u32) -> Option<News> {
        loop {
            let page = self.places.get_mut(place as usize)?.as_mut()?;
            let Some(told) = page.connection.as_mut()?.poll() else {
                self.reckon(place);
                return None;
            };
            match told {
                Told::Send { to, datagram } => {
                    if datagram.starts_with(&BINDING_SUCCESS) {
                        self.know(place, to);
                    }
                    self.send_errors += u64::from(self.socket.send_to(&datagram, to).is_err());
                }
                Told::Heard(packet) => return Some(News::Heard(packet)),
                Told::Up => return Some(News::Up),
                Told::Down(why) => {
                    self.hang_up(place);
                    return Some(News::Down(why));
                }
            }
        }
    }

    /// A request from this address has been answered: it is the page's.
    fn know(&mut self, place: u32, address: SocketAddr) {
        let Some(page) = self.places.get_mut(place as usize).and_then(Option::as_mut) else { return };
        if self.by_address.get(&address) == Some(&place) {
            return;
        }
        // Another page was there before: a browser that was closed, and its port used again.
        self.by_address.insert(address, place);
        page.addresses.push_back(address);
        if page.addresses.len() > ADDRESSES_MAX
            && let Some(oldest) = page.addresses.pop_front()
            && self.by_address.get(&oldest) == Some(&place)
        {
            self.by_address.remove(&oldest);
        }
    }

    /// When [`Pages::due`] has something to give.
    pub fn next(&self) -> Option<Instant> {
        self.due
    }

    /// The next page that is due at `now`, told so, until `None`; poll it.
    pub fn due(&mut self, now: Instant) -> Option<u32> {
        if self.due.is_none_or(|due| now < due) {
            return None;
        }
        let late =
            |page: &Option<Page>| page.as_ref().and_then(|page| page.due).is_some_and(|due| due <= now);
        let Some(place) = self.places.iter().position(late) else {
            self.due = self.places.iter().flatten().filter_map(|page| page.due).min();
            return None;
        };
        let page = self.places[place].as_mut()?;
        page.due = None;
        if let Some(connection) = &mut page.connection {
            connection.due(now);
        }
        Some(place as u32)
    }

    /// Notes when a page is due next.
    fn reckon(&mut self, place: u32) {
        let Some(page) = self.places.get_mut(place as usize).and_then(Option::as_mut) else { return };
        page.due = page.connection.as_mut().and_then(Connection::poll_timeout);
        self.due = self.due.into_iter().chain(page.due).min();
    }

    /// Whether a page's connection stands.
    pub fn is_up(&mut self, place: u32) -> bool {
        self.connection(place).is_some_and(|connection| connection.is_up())
    }

    /// The payload type of a page's key presses.
    pub fn telephone_event(&mut self, place: u32) -> Option<u8> {
        self.connection(place)?.telephone_event()
    }

    /// Datagrams the kernel refused to send since the last time.
    pub fn take_send_errors(&mut self) -> u64 {
        std::mem::take(&mut self.send_errors)
    }

    fn connection(&mut self, place: u32) -> Option<&mut Connection> {
        self.at(place)?.connection.as_mut()
    }
}

const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];

/// Our fragment of the user name of a binding request: what stands before the colon (RFC 8445
/// §7.2.2, RFC 8489 §14).
fn ufrag(datagram: &[u8]) -> Option<&str> {
    const USERNAME: u16 = 0x0006;
    let mut attributes = datagram.get(20..)?;
    while let [a, b, c, d, rest @ ..] = attributes {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = rest.get(..length)?;
        if u16::from_be_bytes([*a, *b]) == USERNAME {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        // Attributes are padded to four bytes; the last one's padding may be missing.
        attributes = rest.get(length.next_multiple_of(4)..)?;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(attributes: &[(u16, &[u8])]) -> Vec<u8> {
        let mut datagram = vec![0; 20];
        datagram[1] = 1;
        for (kind, value) in attributes {
            datagram.extend(kind.to_be_bytes());
            datagram.extend((value.len() as u16).to_be_bytes());
            datagram.extend(*value);
            datagram.resize(datagram.len().next_multiple_of(4), 0);
        }
        datagram
    }

    #[test]
    fn a_check_names_its_page_before_the_colon() {
        let datagram = request(&[(0x24, &[0; 4]), (6, b"ours:theirs"), (8, &[0; 20])]);
        assert_eq!(ufrag(&datagram), Some("ours"));
    }

    #[test]
    fn a_check_cut_anywhere_or_without_a_name_is_nobodys() {
        let datagram = request(&[(0x25, b""), (6, b"ours:theirs")]);
        for length in 0..datagram.len() - 1 {
            assert_eq!(ufrag(&datagram[..length]), None, "{length}");
        }
        assert_eq!(ufrag(&request(&[(0x24, &[0; 4])])), None);
        assert_eq!(ufrag(&request(&[(6, &[0xFF, 0xFE])])), None);
    }

    #[test]
    fn a_stranger_is_no_page() {
        let pages = Pages::bind([127, 0, 0, 1].into(), &[[127, 0, 0, 1].into()], 0, 0).unwrap();
        let from = SocketAddr::from(([127, 0, 0, 1], 9));
        for datagram in [&request(&[(6, b"x:y")])[..], &[0x80, 8, 0, 0], &[22, 254, 253], &[], &[1]] {
            assert_eq!(pages.of(datagram, from), None);
        }
    }
}
