//! What one INVITE costs: our scanner, our readers, and `rsip` as the baseline (ADR 0002).
//!
//! `cargo bench -p sip`. Prints nanoseconds and allocations per message, the best of several runs,
//! since other programs only ever add time.

#![allow(clippy::disallowed_methods, reason = "a bench reads a clock")]

use sip::message::Message;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::hint::black_box;
use std::time::Instant;

struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to `System` unchanged; the counter allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.with(|count| count.set(count.get() + 1));
        // SAFETY: the caller's contract is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's contract is `System`'s, and `pointer` came from it.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// An INVITE both can read: no fold, no compact name, no list.
const INVITE: &[u8] = b"INVITE sip:15@192.0.2.1:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK776asdhds;rport\r\n\
    Record-Route: <sip:198.51.100.1;lr>\r\n\
    From: \"Hopital\" <sip:0144494000@198.51.100.1;user=phone>;tag=1928301774\r\n\
    To: <sip:15@192.0.2.1>\r\nCall-ID: a84b4c76e66710@198.51.100.1\r\nCSeq: 314159 INVITE\r\nMax-Forwards: 70\r\n\
    Contact: <sip:0144494000@198.51.100.1:5060;transport=udp>\r\n\
    P-Asserted-Identity: <sip:0144494000@198.51.100.1>\r\nSupported: timer\r\nAllow: INVITE, ACK, BYE, CANCEL\r\n\
    User-Agent: border\r\nContent-Type: application/sdp\r\nContent-Length: 147\r\n\r\n\
    v=0\r\no=- 1 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 101\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n";

/// Runs `act` often enough to be measured, several times, and prints the best.
fn measure(what: &str, mut act: impl FnMut()) {
    const ROUNDS: u32 = 20_000;
    let before = ALLOCATIONS.with(Cell::get);
    act();
    let allocations = ALLOCATIONS.with(Cell::get) - before;
    let best = (0..9)
        .map(|_| {
            let start = Instant::now();
            (0..ROUNDS).for_each(|_| act());
            start.elapsed() / ROUNDS
        })
        .min()
        .unwrap_or_default();
    println!("{what:<44} {:>6} ns {allocations:>5} allocations", best.as_nanos());
}

fn main() {
    measure("scan", || {
        let _ = black_box(Message::scan(black_box(INVITE)));
    });
    measure("scan, and read what a call needs", || {
        let Ok(message) = Message::scan(black_box(INVITE)) else { return };
        let _ = black_box((message.via(), message.from(), message.to(), message.call_id(), message.cseq()));
        let _ = black_box((message.contact(), message.record_routes().count(), message.identities().count()));
        let _ = black_box((message.max_forwards(), message.privacy(), message.sdp(), message.request_uri()));
    });
    measure("scan, and inspect as for a stranger", || {
        let _ = black_box(Message::scan(black_box(INVITE)).map(|message| message.inspect()));
    });
    measure("print a 180 to it", || {
        let Ok(message) = Message::scan(black_box(INVITE)) else { return };
        let source = ([198, 51, 100, 1], 5060).into();
        black_box(sip::message::Builder::response_to(&message, 180, Some("tag"), source).finish());
    });
    measure("scan, and read its SDP", || {
        let Ok(message) = Message::scan(black_box(INVITE)) else { return };
        let _ = black_box(message.sdp().map(sip::sdp::Sdp::read));
    });
    measure("rsip: headers as text", || {
        let _ = black_box(rsip::SipMessage::try_from(black_box(INVITE)));
    });
    measure("rsip: and Via, From, To, Contact, CSeq read", || {
        let _ = black_box(rsip_read(black_box(INVITE)));
    });
    torture();
}

fn rsip_read(bytes: &[u8]) -> Result<rsip::SipMessage, rsip::Error> {
    use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
    let message = rsip::SipMessage::try_from(bytes)?;
    let via = message.via_header()?.typed()?;
    let ends = (message.from_header()?.typed()?, message.to_header()?.typed()?);
    let call = (message.cseq_header()?.typed()?, message.call_id_header()?.value().len());
    let contact = message.contact_header().map(|contact| contact.typed());
    let _ = black_box((via, ends, call, contact));
    Ok(message)
}

/// How many of the valid torture messages `rsip` takes, where they are beside the repository.
fn torture() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/rfc4475/");
    let names = "wsinv intmeth esc01 escnull esc02 lwsdisp longreq dblreq semiuri transports mpart01 unreason noreason";
    let read = |name: &str| std::fs::read(format!("{folder}{name}.dat")).ok();
    let messages: Vec<_> = names.split(' ').filter_map(read).collect();
    let ours =
        messages.iter().filter(|bytes| Message::scan(bytes).is_ok_and(|m| m.inspect().is_ok())).count();
    let theirs = messages.iter().filter(|bytes| rsip_read(bytes).is_ok()).count();
    println!("valid torture messages taken: ours {ours}, rsip {theirs} of {}", messages.len());
}
