//! The order of distribution, with real calls and one phone.

mod common;

use common::{Node, Phones, eventually, free_udp};

#[test]
fn i11_vital_then_partner_then_the_others_in_order_of_arrival() {
    let first = free_udp(1);
    let node = Node::start(Phones::Static { first, count: 1 });
    let phone = node.phones(first, "--phones 1 --ring 0 --phone-talk 1 --seconds 22");

    // One keeps the phone busy, five wait, none of them qualified.
    let ordinary = node.load("--count 6 --rate 20 --to 15 --from 060000000* --talk 60 --seconds 40");
    eventually("the first talks", || node.log().contains("connected"));
    eventually("five callers wait", || node.metric("bandeau_waiting") == 5.0);
    let vital =
        node.load("--count 1 --to urn:service:sos.ecall.automatic --from 0611111111 --talk 60 --seconds 40");
    eventually("the eCall waits", || node.metric("bandeau_waiting") == 6.0);
    let partner = node.load("--count 1 --to +33388000018 --from 0622222222 --talk 60 --seconds 40");
    eventually("the partner waits", || node.metric("bandeau_waiting") == 7.0);

    for (who, calls, count) in [("vital", vital, 1), ("partner", partner, 1), ("ordinary", ordinary, 6)] {
        let report = calls.report();
        assert_eq!((&report["completed"], &report["failed"]), (&count.into(), &0.into()), "{who}: {report}");
    }
    let order = phone.report()["phones_order"].clone();
    let expected = [
        "0600000000",
        "0611111111",
        "0622222222",
        "0600000001",
        "0600000002",
        "0600000003",
        "0600000004",
        "0600000005",
    ];
    assert_eq!(order, serde_json::json!(expected));
}
