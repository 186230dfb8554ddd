//! Who may look and steer.

use super::draft::{self, Draft, Located};
use super::{Access, Check, Fault, Right};

impl Check<'_> {
    pub(super) fn access(&self, draft: &Draft) -> Result<Vec<Access>, Fault> {
        let mut list: Vec<Access> = Vec::new();
        for access in &draft.access {
            if list.iter().any(|a| a.name == *access.name.get_ref()) {
                return Err(self.at(
                    &access.name,
                    "two accesses of the same name",
                    "commands are attributed by name: rename one",
                ));
            }
            let token_sha256 = hex32(access.token_sha256.get_ref()).ok_or_else(|| {
                self.at(
                    &access.token_sha256,
                    "not a SHA-256 in hexadecimal",
                    "make one with `printf %s TOKEN | sha256sum`",
                )
            })?;
            let right = match (access.role, &access.agent) {
                (draft::AccessRole::Agent, Some(agent)) => {
                    self.agent_of(draft, agent, access.centre.as_ref())?
                }
                (draft::AccessRole::Agent, None) => {
                    return Err(self.at(
                        &access.name,
                        "an agent's access without an agent",
                        "add `agent = \"NAME\"`",
                    ));
                }
                (_, Some(agent)) => {
                    return Err(self.at(
                        agent,
                        "`agent` is for the role `agent`",
                        "leave it out, or make the role `agent`",
                    ));
                }
                (draft::AccessRole::Observer, None) => Right::Observer,
                (draft::AccessRole::Supervisor, None) => Right::Supervisor,
            };
            list.push(Access { name: access.name.get_ref().clone(), right, token_sha256 });
        }
        Ok(list)
    }

    fn agent_of(
        &self,
        draft: &Draft,
        agent: &Located<String>,
        centre: Option<&Located<String>>,
    ) -> Result<Right, Fault> {
        let mut found = draft.centre.iter().filter(|c| {
            centre.is_none_or(|name| name.get_ref() == c.name.get_ref())
                && c.agent.iter().any(|a| a.name.get_ref() == agent.get_ref())
        });
        match (found.next(), found.next()) {
            (Some(centre), None) => {
                Ok(Right::Agent { centre: centre.name.get_ref().clone(), agent: agent.get_ref().clone() })
            }
            (None, _) => Err(self.at(agent, "no such agent", "name a [[centre.agent]] of this file")),
            _ => Err(self.at(agent, "an agent of several centres", "add `centre = \"NAME\"`")),
        }
    }
}

fn hex32(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
    }
    Some(bytes)
}
