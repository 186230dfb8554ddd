//! Who is gone and who is back: whoever left without help is called, and nobody is who is on the line.

use super::invariants::{Held, broken};
use super::room::{Kind, Room, Talks};
use engine::call::event::Cause;
use engine::id::CallId;

/// A person of one number: no partner's line.
fn person(room: &Room, call: CallId) -> Option<&str> {
    let it = room.calls.get(&call).filter(|it| !it.service.starts_with("partner"))?;
    Some(&it.caller).filter(|number| !number.is_empty()).map(String::as_str)
}

fn is_to_be_called(it: &Talks) -> bool {
    it.callback.is_some_and(|back| back.is_open())
}

/// The work stays when its caller is gone: before the end of the call somebody is to be called.
pub fn i06_work_stays(room: &Room, call: CallId, cause: Cause) -> Held {
    let lost = matches!(cause, Cause::Abandon | Cause::Network);
    let unreached = room.calls.get(&call).and_then(|it| it.callback).is_some_and(|it| it.is_open());
    let stands = |number| room.calls.values().any(|it| it.caller == number && is_to_be_called(it));
    // Or somebody has answered them on another line of theirs: what there is to do is done there.
    let helped = |number| {
        let theirs =
            |(other, _): &(&CallId, &Talks)| **other != call && person(room, **other) == Some(number);
        room.calls.iter().filter(|it| !is_to_be_called(it.1)).filter(theirs).any(|it| it.1.helped)
    };
    let kept = unreached
        || room.called_back.contains(&call)
        || person(room, call).is_none_or(|number| stands(number) || helped(number));
    if lost && room.plan.callback.is_some() && !kept {
        return broken("I6", format!("{call} is gone, {cause:?}, and nobody will be called"));
    }
    Ok(())
}

/// Whoever is back on the line is rung by nobody meanwhile.
pub fn i17_is_back(room: &Room, call: CallId) -> Held {
    let calls = room.calls.get(&call).is_some_and(|it| it.callback.is_none());
    let Some(number) = person(room, call).filter(|_| calls) else { return Ok(()) };
    let open = room.works.iter().find(|(work, other)| {
        let same = room.calls.get(other).is_some_and(|it| it.callback.is_some() && it.caller == number);
        // Whoever is wanted in the talk with somebody who was reached calls nobody.
        let waits = room.waiting.get(work).is_some_and(|it| it.kind == Kind::Callback);
        **other != call && same && waits
    });
    match open {
        Some((_, other)) => broken("I17", format!("{call} is on the line, and {other} waits to be called")),
        None => Ok(()),
    }
}

/// A person says that a callback is not needed: nobody is on the line by it.
pub fn i07_is_no_caller(room: &Room, call: CallId) -> Held {
    if room.calls.get(&call).is_some_and(|it| is_to_be_called(it) && room.ears(call).is_empty()) {
        return Ok(());
    }
    broken("I7", format!("{call} is dismissed, and somebody is on the line"))
}
