//! Who is gone and who is back: whoever left without help is called, and nobody is who is on the line.

use super::invariants::{Held, broken};
use super::room::Room;
use engine::call::event::Cause;
use engine::id::CallId;

/// A person of one number: no partner's line.
fn person(room: &Room, call: CallId) -> Option<&str> {
    let it = room.calls.get(&call).filter(|it| !it.service.starts_with("partner"))?;
    Some(&it.caller).filter(|number| !number.is_empty()).map(String::as_str)
}

/// The work stays when its caller is gone: before the end of the call somebody is to be called.
pub fn i06_work_stays(room: &Room, call: CallId, cause: Cause) -> Held {
    let lost = matches!(cause, Cause::Abandon | Cause::Network);
    let unreached = room.calls.get(&call).and_then(|it| it.callback).is_some_and(|it| it.is_open());
    let kept = unreached || person(room, call).is_none() || room.called_back.contains(&call);
    if lost && room.plan.callback.is_some() && !kept {
        return broken("I6", format!("{call} is gone, {cause:?}, and nobody will be called"));
    }
    Ok(())
}

/// Whoever is back on the line is called no more.
pub fn i17_is_back(room: &Room, call: CallId) -> Held {
    let calls = room.calls.get(&call).is_some_and(|it| it.callback.is_none());
    let Some(number) = person(room, call).filter(|_| calls) else { return Ok(()) };
    let open = room.calls.iter().find(|(other, it)| {
        let waits = it.callback.is_some_and(|back| back.is_open() && !back.dialling);
        **other != call && waits && it.caller == number
    });
    match open {
        Some((other, _)) => {
            broken("I17", format!("{call} is on the line, and {other} is still to be called"))
        }
        None => Ok(()),
    }
}
