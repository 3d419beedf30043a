//! What members without a field said before: what comes again unchanged is not told again.

use std::collections::BTreeSet;

use super::members::Member;

/// Members of which it is remembered what they said, and the bytes of a name. No service has so many; those beyond
/// are told each time.
const MAX_SAID: usize = 64;
const MAX_NAME: usize = 256;

/// What the members of a stream said so far, as far as they may say it again.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<Member<'static>>);

impl Said {
    /// The names of the members that say something new.
    pub(super) fn news<'m>(&mut self, members: &'m [Member<'_>]) -> BTreeSet<&'m str> {
        members.iter().filter(|member| self.is_new(member)).map(|member| &*member.name).collect()
    }

    fn is_new(&mut self, member: &Member<'_>) -> bool {
        let Member { level, choice, ref name, hash } = *member;
        if !level.speaks_of_the_whole(name) {
            return true;
        }
        let is_same = |said: &&mut Member<'_>| (said.level, said.choice) == (level, choice) && said.name == *name;
        if let Some(said) = self.0.iter_mut().find(is_same) {
            return std::mem::replace(&mut said.hash, hash) != hash;
        }
        if self.0.len() < MAX_SAID && name.len() <= MAX_NAME {
            self.0.push(Member { level, choice, name: name.clone().into_owned().into(), hash });
        }
        true
    }
}
