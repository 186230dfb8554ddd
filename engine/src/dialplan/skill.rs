//! Skills, with how well they are held: "arm", "german:2".

use std::fmt;

/// A skill and its level. As a need, whoever holds the skill at this level or above meets it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SkillNeed {
    /// The skill's name, as people and plans write it.
    pub name: String,
    /// From 1 to [`SkillNeed::LEVEL_MAX`]; a skill written without a level is held at 1.
    pub level: u8,
}

impl SkillNeed {
    /// More levels than a roster keeps apart; fewer would not carry the six of the European
    /// reference frame for languages.
    pub const LEVEL_MAX: u8 = 9;

    /// Reads `arm` or `german:2`. `None` for a level that is no digit from 1 to 9, or an empty name.
    pub fn parse(text: &str) -> Option<SkillNeed> {
        let (name, level) = match text.split_once(':') {
            None => (text, 1),
            Some((name, digit)) => (name, digit.parse().ok().filter(|_| digit.len() == 1)?),
        };
        let good = !name.is_empty() && (1..=Self::LEVEL_MAX).contains(&level);
        good.then(|| SkillNeed { name: name.to_owned(), level })
    }

    /// Whether somebody with these skills, written like `german:3`, meets the need. What cannot be
    /// read is held at level 1 under its whole name: a slip of the pen takes no skill away.
    pub fn met_by(&self, held: &[String]) -> bool {
        held.iter().any(|text| {
            let held = SkillNeed::parse(text);
            held.map_or(text == &self.name && self.level == 1, |held| held.covers(self))
        })
    }

    /// Whether `text`, written like `german:3`, is this skill at any level.
    pub fn is_of(&self, text: &str) -> bool {
        SkillNeed::parse(text).map_or(text == self.name, |skill| skill.name == self.name)
    }

    /// Whether whoever holds this also meets `need`.
    pub fn covers(&self, need: &SkillNeed) -> bool {
        self.name == need.name && self.level >= need.level
    }
}

impl fmt::Display for SkillNeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.level {
            1 => f.write_str(&self.name),
            level => write!(f, "{}:{level}", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_skill_without_a_level_is_held_at_one() {
        let need = |text: &str| SkillNeed::parse(text).map(|need| (need.name, need.level));
        assert_eq!(need("arm"), Some(("arm".to_owned(), 1)));
        assert_eq!(need("german:1"), Some(("german".to_owned(), 1)));
        assert_eq!(need("german:9"), Some(("german".to_owned(), 9)));
        for wrong in ["", ":2", "german:", "german:0", "german:10", "german:+1", "german:x", "a:1:2"] {
            assert_eq!(need(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_level_is_met_by_itself_and_above() {
        let need = SkillNeed::parse("german:2").expect("a skill");
        let met = |held: &str| need.met_by(&[held.to_owned()]);
        assert!(met("german:2") && met("german:3"));
        assert!(!met("german:1") && !met("german") && !met("dutch:2") && !need.met_by(&[]));
        let plain = SkillNeed::parse("arm").expect("a skill");
        assert!(plain.met_by(&["mr".to_owned(), "arm".to_owned()]));
        assert_eq!((need.to_string(), plain.to_string()), ("german:2".to_owned(), "arm".to_owned()));
    }
}
