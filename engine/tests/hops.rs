//! Ways out to other centres, over all plans of a site: one hop, and somebody at its end.

use engine::dialplan::{Dialplan, Neighbour};

fn plan(name: &str, overflow: &str) -> Dialplan {
    let text = format!(
        r#"plan = "{name}"
version = "1"
[numbers]
"15" = "samu"
[class]
vital = {{ fence = true }}
unqualified = {{ target = "20s" }}
[queue.front]
skills = ["arm"]
offer = {{ mode = "shared" }}
{overflow}
[[route]]
name = "default"
priority = 0
then = {{ queue = "front", class = "unqualified" }}
"#
    );
    Dialplan::parse(&format!("{name}.toml"), &text).unwrap_or_else(|error| panic!("{error}"))
}

/// What a site says of three centres: each overflows to the next one named, and has so many people.
fn said(to: [&str; 3], people: [usize; 3]) -> Result<(), String> {
    let names = ["north", "south", "west"];
    let skills = ["arm".to_owned()];
    let plans = [0, 1, 2].map(|at| {
        let rule = format!("overflow = [{{ when = [\"nobody-signed-in\"], to = \"centre:{}\" }}]", to[at]);
        plan(names[at], if to[at].is_empty() { "" } else { &rule })
    });
    let site: Vec<Neighbour<'_>> = (0..3)
        .map(|at| Neighbour { name: names[at], plan: &plans[at], roster: vec![&skills[..]; people[at]] })
        .collect();
    plans.iter().try_for_each(|plan| plan.ends_at_people(&site)).map_err(|error| error.to_string())
}

#[test]
fn two_centres_may_help_each_other() {
    assert_eq!(said(["south", "north", ""], [1, 1, 0]), Ok(()));
}

#[test]
fn a_call_goes_over_one_centre_and_ends_at_people_there() {
    let error = said(["south", "west", ""], [1, 0, 1]).expect_err("nobody in the south");
    assert_eq!(
        error,
        "error: nobody of centre `south` can answer its queue `front`, where calls from here would wait
  --> north.toml:11:49
   |
11 | overflow = [{ when = [\"nobody-signed-in\"], to = \"centre:south\" }]
   |                                                 ^^^^^^^^^^^^^^
   = help: a call goes over one centre only: `south` does not pass it on to `west`; name \"centre:west\" here, or give somebody of `south` a skill of that queue"
    );
    assert_eq!(said(["west", "west", ""], [1, 0, 1]), Ok(()), "each names where people are");
}

#[test]
fn a_centre_without_people_is_no_way_out() {
    let error = said(["", "", "north"], [0, 1, 1]).expect_err("nobody in the north");
    assert!(
        error.ends_with("= help: give somebody of `north` a skill of that queue, or name another centre"),
        "{error}"
    );
}
