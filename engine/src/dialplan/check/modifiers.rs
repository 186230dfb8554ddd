//! Checks modifiers: each does something, and nothing it does lowers.

use super::queues::skill;
use super::{Names, few, label, title, twice};
use crate::dialplan::Dialplan;
use crate::dialplan::draft::{Draft, ModifierDraft, one_of};
use crate::dialplan::error::{Flaw, Problem, RouteFault};
use crate::dialplan::eval::{Change, Modifier, Route};
use crate::dialplan::grammar::INHERITED;

impl Draft {
    pub(super) fn modifiers(&self, names: &Names<'_>) -> Result<Vec<Modifier>, Flaw> {
        few("modifiers", self.modifiers.len(), &self.name)?;
        let mut read: Vec<Modifier> = Vec::new();
        for draft in &self.modifiers {
            let modifier = names.modifier(draft)?;
            if read.iter().any(|other| other.name == modifier.name) {
                return Err(twice("modifier", &draft.name));
            }
            read.push(modifier);
        }
        Ok(read)
    }

    /// A modifier that names a class must be able to raise somebody to it.
    pub(super) fn only_raises(&self, plan: &Dialplan) -> Result<(), Flaw> {
        for (modifier, draft) in plan.modifiers.iter().zip(&self.modifiers) {
            let Change::AtLeast(class) = modifier.change else { continue };
            let below = |route: &Route| plan.urgency(route.class) > plan.urgency(class);
            if !plan.routes.iter().chain([&plan.default]).any(below) {
                let at = draft.class.as_ref().map_or(draft.name.at, |class| class.at);
                let class = plan.class(class).map_or_else(String::new, |class| class.name.clone());
                let name = modifier.name.clone();
                return Err(Flaw::new(at, RouteFault::NeverRaises { name, class }));
            }
        }
        Ok(())
    }
}

impl Names<'_> {
    fn modifier(&self, draft: &ModifierDraft) -> Result<Modifier, Flaw> {
        let name = title(&draft.name)?;
        let fault = |fault, instead| {
            Err(Flaw::new(draft.name.at, RouteFault::Modifier { name: name.clone(), fault, instead }))
        };
        let when = self.condition(&draft.when)?;
        let nothing = draft.inherit.is_none()
            && draft.show.is_none()
            && draft.tags.is_empty()
            && draft.add.is_empty()
            && draft.language.is_none();
        let change = match (&draft.class, &draft.raise) {
            (Some(_), Some(_)) => return fault("has both `class` and `raise`", "keep one of the two"),
            (Some(class), None) => Change::AtLeast(self.class(class)?),
            (None, Some(raise)) => match u8::try_from(raise.is) {
                Ok(steps @ 1..=9) => Change::Up(steps),
                _ => {
                    let (text, bounds) =
                        (raise.is.to_string(), "a modifier may only raise, by 1 to 9 classes");
                    return Err(Flaw::new(raise.at, Problem::OutOfBounds { key: "raise", text, bounds }));
                }
            },
            (None, None) if nothing => {
                return fault(
                    "does nothing",
                    "let it raise: `class = \"vital\"`, `raise = 1` or `inherit = \"waited\"`",
                );
            }
            (None, None) => Change::Nothing,
        };
        if let Some(inherit) = &draft.inherit {
            one_of("inherit", inherit, INHERITED)?;
            if draft.when.repeat.is_none() {
                return fault(
                    "inherits from no earlier call",
                    "add `repeat = \"abandoned\", within = \"10m\"` to its `when`",
                );
            }
        }
        Ok(Modifier {
            when,
            change,
            inherit: draft.inherit.is_some(),
            show: draft.show.as_ref().map(title).transpose()?,
            tags: draft.tags.iter().map(label).collect::<Result<_, _>>()?,
            add: draft.add.iter().map(skill).collect::<Result<_, _>>()?,
            language: draft.language.as_ref().map(label).transpose()?,
            name,
        })
    }
}
