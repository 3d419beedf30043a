//! Lenient JSON fields: a field of an unexpected type must not hide the rest of an event.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::text::as_text;

/// A string if the JSON has one there, `None` for every other type; borrows where the text has no escapes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Text<'a>(pub(crate) Option<Cow<'a, str>>);

impl Text<'_> {
    pub(crate) fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The text, unless it is missing or empty.
    pub(crate) fn non_empty(&self) -> Option<&str> {
        self.as_deref().filter(|text| !text.is_empty())
    }

    pub(crate) fn into_string(self) -> Option<String> {
        self.0.map(Cow::into_owned)
    }
}

/// An unsigned number if the JSON has one there, `None` for every other type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Number(pub(crate) Option<u64>);

impl Number {
    /// The number as an index; larger ones than an index can be count as missing.
    pub(crate) fn index(self) -> Option<u32> {
        self.0.and_then(|number| u32::try_from(number).ok())
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor).map(Self)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumberVisitor).map(Self)
    }
}

struct TextVisitor;

struct NumberVisitor;

/// The visits that mean "some other type": consume it whole and answer `None`.
macro_rules! ignore_other_types {
    ($($visit:ident: $type:ty),*) => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON value")
        }
        $(fn $visit<E: de::Error>(self, _: $type) -> Result<Self::Value, E> {
            Ok(None)
        })*
        fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(None)
        }
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(None)
        }
    };
}

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<Cow<'de, str>>;

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_owned())))
    }

    ignore_other_types!(visit_bool: bool, visit_u64: u64, visit_i64: i64, visit_f64: f64);
}

impl<'de> Visitor<'de> for NumberVisitor {
    type Value = Option<u64>;

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Some(number))
    }

    ignore_other_types!(visit_bool: bool, visit_str: &str, visit_i64: i64, visit_f64: f64);
}

/// Reads an object as `T`, and everything else as `T`'s default: a field that should be an object but is not must
/// not hide the rest of the event.
pub(crate) fn object_or_default<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: Deserialize<'de> + Default,
    D: Deserializer<'de>,
{
    struct ObjectVisitor<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for ObjectVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON value")
        }
        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
            T::deserialize(de::value::MapAccessDeserializer::new(map))
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<T, A::Error> {
            while seq.next_element::<IgnoredAny>()?.is_some() {}
            Ok(T::default())
        }
        fn visit_bool<E: de::Error>(self, _: bool) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_u64<E: de::Error>(self, _: u64) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_i64<E: de::Error>(self, _: i64) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_f64<E: de::Error>(self, _: f64) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_str<E: de::Error>(self, _: &str) -> Result<T, E> {
            Ok(T::default())
        }
        fn visit_unit<E: de::Error>(self) -> Result<T, E> {
            Ok(T::default())
        }
    }

    deserializer.deserialize_any(ObjectVisitor(PhantomData))
}

/// Reads only the top-level `type` of a payload, as far as the payload can be read: it may be broken behind it.
#[cold]
pub(crate) fn salvage_type(payload: &[u8]) -> Option<String> {
    struct Salvage<'s>(&'s mut Option<String>);

    impl<'de> Visitor<'de> for Salvage<'_> {
        type Value = ();

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
            while let Some(key) = map.next_key::<Cow<'_, str>>()? {
                if key == "type" {
                    *self.0 = map.next_value::<Text<'_>>()?.into_string();
                    return Ok(());
                }
                map.next_value::<IgnoredAny>()?;
            }
            Ok(())
        }
    }

    let mut found = None;
    // What follows the type may be broken; the type was read by then.
    let _ = serde_json::Deserializer::from_slice(payload).deserialize_map(Salvage(&mut found));
    found
}

/// Reads a payload. Checked to be text as a whole, its strings need no check of their own; where it is not, only the
/// strings that are read matter.
pub(crate) fn parse<'a, T: Deserialize<'a>>(payload: &'a [u8]) -> Result<T, String> {
    let parsed = match as_text(payload) {
        Some(text) => serde_json::from_str(text),
        None => serde_json::from_slice(payload),
    };
    parsed.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_numbers_tolerate_every_other_type() {
        for other in ["null", "true", "-1", "1.5", "[1,{}]", r#"{"a":[]}"#] {
            assert!(serde_json::from_str::<Text<'_>>(other).unwrap().0.is_none(), "{other}");
            assert!(serde_json::from_str::<Number>(other).unwrap().0.is_none(), "{other}");
        }
        assert_eq!(serde_json::from_str::<Text<'_>>(r#""a\n""#).unwrap().as_deref(), Some("a\n"));
        assert_eq!(serde_json::from_str::<Number>("7").unwrap().0, Some(7));
    }

    #[test]
    fn the_type_of_a_broken_payload_is_found() {
        assert_eq!(salvage_type(br#"{"a":{"type":"no"},"type":"yes","b":"#).as_deref(), Some("yes"));
        assert_eq!(salvage_type(br#"{"a":"#), None);
        assert_eq!(salvage_type(b"[1]"), None);
    }
}
