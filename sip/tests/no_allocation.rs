//! Scanning and reading a message allocates nothing: what a flood costs us is time only.

use sip::message::Message;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

/// The system's allocator, counting what the current thread asks of it.
struct Counting;

thread_local! {
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

// SAFETY: every call is passed on to `System` unchanged; the counter allocates nothing, being a
// constant-initialised thread local without a destructor.
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

/// How often this thread allocates while `act` runs.
fn allocations(act: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.with(Cell::get);
    act();
    ALLOCATIONS.with(Cell::get) - before
}

/// An INVITE as a carrier's border element sends it, with folds, lists, Latin-1 and repairs.
const INVITE: &[u8] = b"\r\nINVITE sip:15@192.0.2.1:5060;user=phone SIP/2.0\r\n\
    Via: SIP/2.0/UDP 198.51.100.1:5060;branch=z9hG4bK776asdhds;rport, SIP/2.0/UDP 198.51.100.2;branch=z9hG4bKb\r\n\
    Record-Route: <sip:198.51.100.1;lr>,\r\n <sip:198.51.100.2;lr>\r\n\
    From: \"H\xf4pital, <Necker>\" <sip:+33144494000@198.51.100.1;user=phone>;tag=1928301774\r\n\
    To: <sip:15@192.0.2.1>\r\nCall-ID: a84b4c76e66710@198.51.100.1\r\nCSeq: 314159 INVITE\r\nMax-Forwards: 70\r\n\
    Contact: <sip:198.51.100.1:5060;transport=udp>\r\nP-Asserted-Identity: <sip:+33144494000@h>, <tel:+33144494000>\r\n\
    Privacy: none\r\nSupported: timer, 100rel\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, PRACK, UPDATE\r\n\
    Diversion: <tel:+33100000000>;reason=unconditional\r\nHistory-Info: <sip:15@h>;index=1\r\nSession-Expires: 1800\r\n\
    Authorization: Digest username=\"a\", realm=\"r\", nonce=\"n\", uri=\"sip:h\", response=\"0\"\r\n\
    Reason: SIP;cause=200\r\nstray line\r\nContent-Type: application/sdp\r\nContent-Length: 9999\r\n\r\nv=0\r\n";

#[test]
fn scanning_and_reading_an_invite_allocates_nothing() {
    let mut read = 0;
    let count = allocations(|| {
        let Ok(message) = Message::scan(INVITE) else { return };
        read += usize::from(message.inspect().is_ok_and(|repairs| !repairs.is_empty()));
        read += message.vias().count() + message.record_routes().count() + message.contacts().count();
        read += message.identities().count() + message.diversion().count() + message.history_info().count();
        read += message.supported().count() + message.allow().count();
        read += usize::from(message.from().is_ok_and(|from| from.tag().is_some()));
        read += usize::from(message.request_uri().is_some_and(|uri| uri.user() == Some("15")));
        read += usize::from(message.authorization().is_some()) + usize::from(message.reason().is_some());
        read += usize::from(message.sdp().is_some()) + usize::from(!message.privacy().withholds());
    });
    assert_eq!(count, 0);
    assert_eq!(read, 1 + (2 + 2 + 1) + (2 + 1 + 1) + (2 + 7) + 1 + 1 + 2 + 2, "everything was really read");
}

#[test]
fn the_counter_counts() {
    assert_eq!(allocations(|| drop(std::hint::black_box(vec![1u8]))), 1);
}
