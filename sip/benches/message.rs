//! What one INVITE of 1.2 kB costs: our scan with what finds its transaction and dialog, our full
//! typed parse, and `rsip`'s as the baseline (ADR 0002). Ratios are asserted, in one run.
//!
//! `cargo bench -p sip --bench message`. Prints nanoseconds and allocations per message, the best of
//! several runs, since other programs only ever add time.

#![allow(clippy::disallowed_methods, reason = "a bench reads a clock")]

use sip::message::{Message, Name};
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

/// A carrier's INVITE both can read: no fold, no compact name, no list.
const INVITE: &[u8] = b"INVITE sip:+33144490015@192.0.2.1:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK776asdhds3f1c;rport\r\n\
    Via: SIP/2.0/UDP 198.51.100.9:5060;branch=z9hG4bKnashds8ad2b77;received=198.51.100.9\r\n\
    Record-Route: <sip:198.51.100.1:5060;lr>\r\n\
    From: \"Hopital\" <sip:+33144494000@198.51.100.1;user=phone>;tag=1928301774-87a1\r\n\
    To: <sip:+33144490015@192.0.2.1;user=phone>\r\nCall-ID: a84b4c76e66710f2@198.51.100.1\r\nCSeq: 314159 INVITE\r\nMax-Forwards: 68\r\n\
    Contact: <sip:+33144494000@198.51.100.1:5060;transport=udp>\r\n\
    P-Asserted-Identity: <sip:+33144494000@198.51.100.1;user=phone>\r\nPrivacy: none\r\n\
    P-Access-Network-Info: 3GPP-E-UTRAN-FDD;utran-cell-id-3gpp=208010001a2b3c4d\r\n\
    Supported: timer, 100rel\r\nSession-Expires: 1800;refresher=uac\r\nMin-SE: 90\r\n\
    Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE, INFO\r\nUser-Agent: border 7.2\r\n\
    Content-Type: application/sdp\r\nContent-Length: 268\r\n\r\n\
    v=0\r\no=- 20518 1 IN IP4 198.51.100.1\r\ns=-\r\nc=IN IP4 198.51.100.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8 0 18 101\r\n\
    a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n\
    a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\na=maxptime:40\r\n";

/// The least our scan must be faster than rsip's typed parse, and our own full typed parse.
const SCAN_FASTER: f64 = 8.0;
const PARSE_FASTER: f64 = 1.5;

/// One thing measured: its name, and what it does.
type Case<'a> = (&'a str, &'a dyn Fn());

/// Nanoseconds and allocations of each case, the best of several rounds. The cases take turns, so that
/// what else the machine does falls on all of them alike.
fn measure<const N: usize>(cases: [Case<'_>; N]) -> [(f64, u64); N] {
    const ROUNDS: usize = 60;
    const TIMES: u32 = 2_000;
    let mut best = cases.map(|(_, act)| {
        let before = ALLOCATIONS.with(Cell::get);
        act();
        (f64::INFINITY, ALLOCATIONS.with(Cell::get) - before)
    });
    for _ in 0..ROUNDS {
        for (case, best) in cases.iter().zip(&mut best) {
            let start = Instant::now();
            (0..TIMES).for_each(|_| case.1());
            best.0 = best.0.min(start.elapsed().as_nanos() as f64 / f64::from(TIMES));
        }
    }
    for (case, (time, allocations)) in cases.iter().zip(&best) {
        println!("{:<58} {time:>6.0} ns {allocations:>5} allocations", case.0);
    }
    best
}

fn main() {
    println!("an INVITE of {} bytes", INVITE.len());
    assert!(rsip_read(INVITE).is_ok() && read_all(INVITE).is_some(), "both read it");
    let source = ([198, 51, 100, 1], 5060).into();
    let [(scan, allocations), (parse, _), _, _, _, _, (rsip, _)] = measure([
        ("scan, with branch, tags, Call-ID and CSeq", &|| {
            let Ok(message) = Message::scan(black_box(INVITE)) else { return };
            let branch = message.via().ok().and_then(|via| via.branch());
            let tags = (message.from_tag(), message.to_tag());
            let _ = black_box((branch, tags, message.call_id(), message.cseq()));
        }),
        ("full typed parse: every header of it", &|| {
            let _ = black_box(read_all(black_box(INVITE)));
        }),
        ("scan, and inspect as for a stranger", &|| {
            let _ = black_box(Message::scan(black_box(INVITE)).map(|message| message.inspect()));
        }),
        ("scan, and read its SDP", &|| {
            let Ok(message) = Message::scan(black_box(INVITE)) else { return };
            let _ = black_box(message.sdp().map(sip::sdp::Sdp::read));
        }),
        ("print a 180 to it", &|| {
            let Ok(message) = Message::scan(black_box(INVITE)) else { return };
            black_box(sip::message::Builder::response_to(&message, 180, Some("tag"), source).finish());
        }),
        ("rsip: headers as text", &|| {
            let _ = black_box(rsip::SipMessage::try_from(black_box(INVITE)));
        }),
        ("rsip: Via, From, To, Contact, CSeq typed, Call-ID", &|| {
            let _ = black_box(rsip_read(black_box(INVITE)));
        }),
    ]);
    println!("scan: {:.1} times faster than rsip's typed parse (at least {SCAN_FASTER})", rsip / scan);
    println!("full typed parse: {:.1} times faster (at least {PARSE_FASTER})", rsip / parse);
    torture();
    assert_eq!(allocations, 0, "a scan allocates nothing");
    assert!(rsip / scan >= SCAN_FASTER, "the scan is {:.1} times faster", rsip / scan);
    assert!(rsip / parse >= PARSE_FASTER, "the typed parse is {:.1} times faster", rsip / parse);
}

/// More than rsip is asked for: every header of the INVITE, typed where we have a type.
fn read_all(bytes: &[u8]) -> Option<usize> {
    let message = Message::scan(bytes).ok()?;
    let hops = message.vias().filter(|via| via.branch().is_some() || via.wants_rport()).count();
    let ends = (message.from().ok()?, message.to().ok()?, message.call_id().ok()?, message.cseq().ok()?);
    let tags = (ends.0.tag(), ends.1.tag(), ends.0.display.to_str().len());
    let places = (message.contact()?, message.record_routes().count(), message.request_uri()?);
    let people = (message.identities().count(), message.privacy());
    let numbers = (message.max_forwards(), message.session_expires(), message.min_se());
    let tokens = message.supported().count() + message.allow().count();
    let others = (message.header(Name::UserAgent), message.content_type(), message.sdp()?.len());
    let _ = black_box((ends, tags, places, people, numbers, others));
    Some(hops + tokens)
}

fn rsip_read(bytes: &[u8]) -> Result<rsip::SipMessage, rsip::Error> {
    use rsip::prelude::{HeadersExt, ToTypedHeader, UntypedHeader};
    let message = rsip::SipMessage::try_from(bytes)?;
    let via = message.via_header()?.typed()?;
    let ends = (message.from_header()?.typed()?, message.to_header()?.typed()?);
    let call = (message.cseq_header()?.typed()?, message.call_id_header()?.value().len());
    let contact = message.contact_header()?.typed()?;
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
