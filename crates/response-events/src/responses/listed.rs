//! The list of items in a `response` object.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::Value;

use crate::collected::MAX_ITEMS;

/// A list, if the JSON has one there, of which no more than [`MAX_ITEMS`] are kept: each is many times as large in
/// memory as on the wire.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Listed {
    pub(super) items: Vec<Value>,
    /// Whether there were more of them.
    pub(super) is_cut: bool,
}

impl Listed {
    pub(super) const NONE: Self = Self { items: Vec::new(), is_cut: false };
}

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = Listed;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Listed, A::Error> {
        let mut list = Listed::NONE;
        while list.items.len() < MAX_ITEMS {
            match seq.next_element()? {
                Some(item) => list.items.push(item),
                None => return Ok(list),
            }
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            list.is_cut = true;
        }
        Ok(list)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Listed, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Listed::NONE)
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<Listed, E> {
        Ok(Listed::NONE)
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Listed, E> {
        Ok(Listed::NONE)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Listed, E> {
        Ok(Listed::NONE)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Listed, E> {
        Ok(Listed::NONE)
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<Listed, E> {
        Ok(Listed::NONE)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Listed, E> {
        Ok(Listed::NONE)
    }
}
