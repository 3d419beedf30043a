//! Formats that write the number of fields first need the right one.

use std::time::Duration;

use response_events::{Failure, FailureKind};
use serde::{
    Serialize, Serializer,
    de::value::Error,
    ser::{Error as _, Impossible, SerializeStruct},
};

/// Counts the fields of a struct, and refuses whatever else is larger than one value.
struct Lengths;

/// The fields that were announced, and those that were written.
#[derive(Debug, Default, PartialEq, Eq)]
struct Fields(usize, usize);

impl SerializeStruct for Fields {
    type Ok = Fields;
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, _: &T) -> Result<(), Error> {
        self.1 += 1;
        Ok(())
    }

    fn end(self) -> Result<Fields, Error> {
        Ok(self)
    }
}

macro_rules! refuse {
    ($($method:ident($($argument:ty),*) -> $answer:ty;)*) => {
        $(fn $method(self, $(_: $argument),*) -> Result<$answer, Error> {
            Err(Error::custom("no struct"))
        })*
    };
}

type No = Impossible<Fields, Error>;

impl Serializer for Lengths {
    type Ok = Fields;
    type Error = Error;
    type SerializeSeq = No;
    type SerializeTuple = No;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = Fields;
    type SerializeStructVariant = No;

    fn serialize_struct(self, _: &'static str, len: usize) -> Result<Fields, Error> {
        Ok(Fields(len, 0))
    }

    refuse! {
        serialize_bool(bool) -> Fields;
        serialize_i8(i8) -> Fields;
        serialize_i16(i16) -> Fields;
        serialize_i32(i32) -> Fields;
        serialize_i64(i64) -> Fields;
        serialize_u8(u8) -> Fields;
        serialize_u16(u16) -> Fields;
        serialize_u32(u32) -> Fields;
        serialize_u64(u64) -> Fields;
        serialize_f32(f32) -> Fields;
        serialize_f64(f64) -> Fields;
        serialize_char(char) -> Fields;
        serialize_str(&str) -> Fields;
        serialize_bytes(&[u8]) -> Fields;
        serialize_none() -> Fields;
        serialize_unit() -> Fields;
        serialize_unit_struct(&'static str) -> Fields;
        serialize_unit_variant(&'static str, u32, &'static str) -> Fields;
        serialize_seq(Option<usize>) -> No;
        serialize_tuple(usize) -> No;
        serialize_tuple_struct(&'static str, usize) -> No;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No;
        serialize_map(Option<usize>) -> No;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No;
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Fields, Error> {
        self.serialize_none()
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, _: &T) -> Result<Fields, Error> {
        self.serialize_none()
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        _: &'static str,
        _: &T,
    ) -> Result<Fields, Error> {
        self.serialize_none()
    }
}

#[test]
fn a_failure_announces_as_many_fields_as_it_writes() {
    let mut failure = Failure::new(FailureKind::Closed, "closed");
    assert_eq!(failure.serialize(Lengths), Ok(Fields(5, 5)));
    failure.close_code = Some(1011);
    failure.retry_after = Some(Duration::from_secs(1));
    assert_eq!(failure.serialize(Lengths), Ok(Fields(7, 7)));
}
