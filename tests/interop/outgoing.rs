//! SIPp as whoever we call, and as a carrier that asks for our offer in the middle of a call.

use crate::common::{Node, PLAN, Phones, eventually, free_udp, local};
use crate::ear::Ear;
use crate::sipp::{SIPP, Sipp, elsewhere, heard_call_from, scenario};
use crate::table::row;
use bandeau::load::tone::{CALLER_HZ, PHONE_HZ};
use std::net::SocketAddr;

/// A node where nobody works: after a second each caller is given to somebody outside, who is at `out`.
fn node_that_calls(out: SocketAddr) -> Node {
    let rule = r#"{ when = ["waited"], after = "1s", to = "trunk:test-trunk", number = "+33388000018" }"#;
    let plan = PLAN.replace("hold   = \"answered\"", &format!("hold   = \"answered\"\noverflow = [{rule}]"));
    Node::start_edited(Phones::None, &plan, |text, _| {
        let peers = format!("peers = [\"127.0.0.2\", \"{out}\"]\noptions = \"off\"");
        text.replace("peers = [\"127.0.0.1\"]", &peers)
    })
}

/// A caller who is given to a scenario of ours outside; both must hear each other.
fn talks_outside(name: &str, keys: &[&str], lasts: u32) {
    let out = elsewhere();
    let node = node_that_calls(out);
    let (caller, outside) = (Ear::of(CALLER_HZ, 8), Ear::of(PHONE_HZ, 8));
    let (file, audio) = (scenario(name), outside.port.to_string());
    let args = [&["-sf", &file, "-key", "audio", &audio], keys].concat();
    let somebody = Sipp::start(None, out, &args, 1);
    let call = heard_call_from(elsewhere(), node.sip, "talk", &caller, lasts);
    eventually("both hear each other", || caller.hears_phone() && outside.hears(CALLER_HZ));
    somebody.passes();
    call.passes();
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}

#[test]
#[ignore = "make test-all"]
fn an_answer_in_a_reliable_183_that_an_update_moves_holds_when_the_200_says_nothing() {
    let _row = row("SIPp", SIPP, "called by us: SDP in a reliable 183, PRACK, UPDATE, 200 without SDP");
    let early = Ear::of(440.0, 8);
    talks_outside("reliable", &["-key", "early", &early.port.to_string()], 6_000);
}

#[test]
#[ignore = "make test-all"]
fn a_session_interval_that_is_too_short_is_asked_for_again_and_refreshed_by_us() {
    let _row = row("SIPp", SIPP, "called by us: 422, a longer interval, UPDATEs of ours in time");
    talks_outside("timer", &[], 8_000);
}

#[test]
#[ignore = "make test-all"]
fn both_sides_offer_at_once_and_each_tries_again() {
    let _row = row("SIPp", SIPP, "called by us: re-INVITEs cross, 491 both ways, audio moves");
    let mute = free_udp(1).to_string();
    talks_outside("glare", &["-key", "mute", &mute], 9_000);
}

#[test]
#[ignore = "make test-all"]
fn an_enciphered_call_that_is_refreshed_without_sdp_keeps_its_keys_and_its_audio() {
    let _row = row("SIPp", SIPP, "RTP/SAVP, re-INVITE without SDP: same keys, audio both ways");
    let first = free_udp(1);
    let node = Node::start_edited(Phones::Static { first, count: 1 }, PLAN, |text, _| text);
    let phone = node.phones(first, "--phones 1 --ring 0 --seconds 12");
    let ear = Ear::open();
    let key = "inline:PS1uQCVeeCFCanVmcjkpPywjNWhcYD0mXXtxaVBR";
    let (file, audio) = (scenario("delayed"), ear.port.to_string());
    let args = ["-sf", &file, "-s", "15", "-d", "4000", "-key", "audio", &audio, "-key", "key", key];
    let call = Sipp::start(Some(node.sip), local(free_udp(1)), &args, 1);
    let theirs = call.says_line(0);
    ear.encipher(&format!("a=crypto:1 AES_CM_128_HMAC_SHA1_80 {key}"), &theirs);
    eventually("the phone is heard", || ear.hears_phone());
    assert_eq!(call.says_line(1), theirs, "our offer says the key in force");
    let before = ear.packets();
    eventually("the phone is heard on", || ear.packets() > before + 50 && ear.hears_phone());
    call.passes();
    assert_eq!(phone.report()["phones_heard_caller"], 1, "and hears the caller");
    assert_eq!(node.metric("bandeau_never_total"), 0.0);
}
