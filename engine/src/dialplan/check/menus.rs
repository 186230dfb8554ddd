//! Checks menus: keys a telephone has, each raising the class or putting a tag, on a call that is
//! answered while it waits.

use super::{Names, label};
use crate::dialplan::draft::{KeyDraft, MenuDraft, RouteDraft};
use crate::dialplan::error::{Flaw, RouteFault};
use crate::dialplan::{ClassId, HoldMode, MenuKey, MenuPlan, urgency};

impl Names<'_> {
    /// The menu of a route that gives `class`.
    pub(super) fn menu(&self, draft: &MenuDraft, class: ClassId) -> Result<MenuPlan, Flaw> {
        if draft.keys.is_empty() {
            let problem = RouteFault::Menu {
                what: "this menu".into(),
                fault: "has no key",
                instead: "add a key, `\"1\" = { class = \"declared\" }`, or remove the menu",
            };
            return Err(Flaw::new(draft.at, problem));
        }
        let keys = draft.keys.iter().map(|key| self.key(key, class)).collect::<Result<_, _>>()?;
        Ok(MenuPlan { keys })
    }

    fn key(&self, draft: &KeyDraft, route: ClassId) -> Result<(char, MenuKey), Flaw> {
        let mut letters = draft.key.is.chars();
        let key = match (letters.next(), letters.next()) {
            (Some(key @ ('0'..='9' | '*' | '#')), None) => key,
            _ => return Err(Flaw::new(draft.key.at, RouteFault::MenuKey { key: draft.key.is.clone() })),
        };
        let wrong = |at, fault, instead| {
            let what = format!("key `{key}` of the menu");
            Err(Flaw::new(at, RouteFault::Menu { what, fault, instead }))
        };
        let class = draft.class.as_ref().map(|class| Ok((self.class(class)?, class.at))).transpose()?;
        match class {
            None if draft.tag.is_none() => {
                return wrong(
                    draft.key.at,
                    "does nothing",
                    "let it raise, `class = \"declared\"`, or mark the call, `tag = \"dentist\"`",
                );
            }
            Some((class, at)) if urgency(&self.classes, class) >= urgency(&self.classes, route) => {
                return wrong(at, "raises nobody", "a key may only raise: name a class above the route's");
            }
            Some((class, at)) if self.classes.get(usize::from(class.0)).is_some_and(|class| class.fence) => {
                return wrong(
                    at,
                    "confirms what nobody has heard",
                    "a key declares: name a class before the fence, as `declared`. Behind it stand what a person, a \
                     partner's line or an eCall says",
                );
            }
            _ => {}
        }
        let tag = draft.tag.as_ref().map(label).transpose()?;
        Ok((key, MenuKey { class: class.map(|(class, _)| class), tag }))
    }
}

/// Keys come back only from a call that is answered: networks pass none before the 200.
pub(super) fn is_answered(draft: &RouteDraft, hold: HoldMode) -> Result<(), Flaw> {
    match (&draft.menu, hold) {
        (Some(menu), HoldMode::Early { .. }) => Err(Flaw::new(
            menu.at,
            RouteFault::Menu {
                what: "this menu".into(),
                fault: "is on a call in early media, which passes no keys",
                instead: "write `hold = \"answered\"` in this route, or remove the menu",
            },
        )),
        _ => Ok(()),
    }
}
