//! Fields that the caller sets by their path.

use serde_json::{Map, Value};

use super::EncodeError;

/// Sets the field at a dotted path, or removes it if the value is `null`.
pub(super) fn apply(body: &mut Map<String, Value>, path: &str, value: Value) -> Result<(), EncodeError> {
    let wrong = || EncodeError::Path(path.to_owned());
    if path.split('.').any(str::is_empty) {
        return Err(wrong());
    }
    let (parents, last) = path.rsplit_once('.').unwrap_or(("", path));
    let mut object = body;
    for key in parents.split('.').filter(|key| !key.is_empty()) {
        if value.is_null() && !object.contains_key(key) {
            // Nothing to remove.
            return Ok(());
        }
        let next = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
        object = next.as_object_mut().ok_or_else(wrong)?;
    }
    if value.is_null() {
        object.remove(last);
    } else {
        object.insert(last.to_owned(), value);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(path: &str, value: Value, expected: Option<Value>) {
        let Value::Object(mut body) = json!({"a": {"b": 1}, "c": 2}) else { unreachable!() };
        let result = apply(&mut body, path, value);
        match expected {
            Some(expected) => assert_eq!(Value::Object(body), expected, "{path}"),
            None => assert_eq!(result, Err(EncodeError::Path(path.to_owned()))),
        }
    }

    #[test]
    fn paths_set_make_and_remove_fields() {
        check("c", json!(3), Some(json!({"a": {"b": 1}, "c": 3})));
        check("a.b", json!([1]), Some(json!({"a": {"b": [1]}, "c": 2})));
        check("a.x.y", json!(true), Some(json!({"a": {"b": 1, "x": {"y": true}}, "c": 2})));
        check("a.b", Value::Null, Some(json!({"a": {}, "c": 2})));
        check("x.y", Value::Null, Some(json!({"a": {"b": 1}, "c": 2})));
        for wrong in ["", ".", "a.", ".a", "a..b", "c.d"] {
            check(wrong, json!(1), None);
        }
    }
}
