use serde_json::{Value, json};

use super::mentions;

/// A crate `top` whose root holds the items 1 and up, and the types 90 of tokio, 91 of std and 92 of its own.
fn rustdoc(items: &[Value]) -> Value {
    let mut index = serde_json::Map::new();
    let ids: Vec<usize> = (1..=items.len()).collect();
    let root = json!({"name": "top", "inner": {"module": {"items": ids, "is_crate": true}}});
    index.insert("0".to_owned(), root);
    for (id, item) in ids.iter().zip(items) {
        index.insert(id.to_string(), item.clone());
    }
    json!({
        "root": 0, "format_version": 57, "index": index,
        "paths": {
            "90": {"crate_id": 5, "path": ["tokio", "io", "AsyncRead"]},
            "91": {"crate_id": 1, "path": ["std", "io", "Error"]},
            "92": {"crate_id": 0, "path": ["top", "Own"]},
        },
        "external_crates": {"1": {"name": "std"}, "5": {"name": "tokio"}},
    })
}

fn names(id: u64) -> Value {
    json!({"resolved_path": {"path": "as::written", "id": id, "args": null}})
}

fn check(items: &[Value], expected: &[&str]) {
    let found = mentions(&rustdoc(items)).unwrap();
    let places: Vec<_> = found.iter().map(|mention| mention.place.as_str()).collect();
    assert_eq!(places, expected, "{items:?}");
    assert!(found.iter().all(|mention| mention.owner == "tokio" && mention.path == "tokio::io::AsyncRead"));
}

#[test]
fn a_type_is_found_wherever_a_signature_names_it() {
    let function = |inputs: Value| json!({"name": "f", "inner": {"function": {"sig": {"inputs": inputs}}}});
    check(&[function(json!([["x", names(90)]]))], &["top::f"]);
    let nested = json!({"resolved_path": {"path": "Box", "id": 91, "args": {"angle_bracketed": {"args": [
        {"type": {"dyn_trait": {"traits": [{"trait": {"path": "AsyncRead", "id": 90, "args": null}}]}}},
    ]}}}});
    check(&[function(json!([["x", nested]]))], &["top::f"]);
    let bound = json!({"name": "f", "inner": {"function": {"sig": {"inputs": []}, "generics": {"params": [
        {"name": "T", "kind": {"type": {"bounds": [{"trait_bound": {"trait": {"path": "R", "id": 90}}}]}}},
    ]}}}});
    check(&[bound], &["top::f"]);
}

#[test]
fn own_and_standard_types_are_nobodys_business() {
    let alias = |id| json!({"name": "Alias", "inner": {"type_alias": {"type": names(id)}}});
    check(&[alias(91)], &[]);
    check(&[alias(92)], &[]);
    check(&[alias(90)], &["top::Alias"]);
}

#[test]
fn items_in_items_have_their_path() {
    let module = json!({"name": "io", "inner": {"module": {"items": [2]}}});
    let structure = json!({"name": "Socket", "inner": {"struct": {"kind": {"plain": {"fields": [3]}}, "impls": [4]}}});
    let field = json!({"name": "read", "inner": {"struct_field": names(90)}});
    let implementation = json!({"name": null, "inner": {"impl": {
        "trait": {"path": "AsyncRead", "id": 90}, "for": names(92), "items": [], "is_synthetic": false,
        "blanket_impl": null,
    }}});
    let mut rustdoc = rustdoc(&[module, structure, field, implementation]);
    rustdoc["index"]["0"]["inner"]["module"]["items"] = json!([1]);
    let places: Vec<_> = mentions(&rustdoc).unwrap().into_iter().map(|mention| mention.place).collect();
    assert_eq!(places, ["top::io::Socket", "top::io::Socket::read"]);
}

#[test]
fn tuple_fields_and_variants_are_items_too() {
    let sum = json!({"name": "Sum", "inner": {"enum": {"variants": [2], "impls": []}}});
    let variant = json!({"name": "One", "inner": {"variant": {"kind": {"tuple": [null, 3]}}}});
    let field = json!({"name": "1", "inner": {"struct_field": names(90)}});
    let mut rustdoc = rustdoc(&[sum, variant, field]);
    rustdoc["index"]["0"]["inner"]["module"]["items"] = json!([1]);
    assert_eq!(mentions(&rustdoc).unwrap()[0].place, "top::Sum::One::1");
}

#[test]
fn impls_that_the_compiler_adds_are_left_out() {
    let implementation = |is_synthetic: bool, blanket: Value| {
        json!({"name": null, "inner": {"impl": {
            "trait": {"path": "T", "id": 90}, "for": names(92), "items": [], "is_synthetic": is_synthetic,
            "blanket_impl": blanket,
        }}})
    };
    check(&[implementation(true, Value::Null)], &[]);
    check(&[implementation(false, json!({"generic": "T"}))], &[]);
    check(&[implementation(false, Value::Null)], &["top"]);
}

#[test]
fn types_that_macros_hide_are_left_out() {
    let hidden = |path: &str| json!({"name": "f", "inner": {"type_alias": {"type": {"resolved_path": {"path": path, "id": 99}}}}});
    check(&[hidden("__Origin")], &[]);
    assert!(mentions(&rustdoc(&[hidden("Origin")])).is_err());
}

#[test]
fn exports_lie_where_users_find_them() {
    let export =
        |id: u64, name: &str| json!({"name": null, "inner": {"use": {"name": name, "id": id, "is_glob": false}}});
    check(&[export(90, "AsyncRead")], &["top::AsyncRead"]);
    check(&[export(91, "Error")], &[]);
    let renamed = [export(2, "New"), json!({"name": "Old", "inner": {"type_alias": {"type": names(90)}}})];
    check(&renamed, &["top::New", "top::Old"]);
}

#[test]
fn what_has_another_form_is_an_error() {
    assert!(mentions(&json!({})).is_err());
    let stranger = json!({"name": "f", "inner": {"type_alias": {"type": names(99)}}});
    let error = mentions(&rustdoc(&[stranger])).unwrap_err();
    assert_eq!(error, "top::f names an item that rustdoc does not describe");
    let mut without_paths = rustdoc(&[json!({"name": "A", "inner": {"type_alias": {"type": names(90)}}})]);
    without_paths["paths"] = Value::Null;
    let error = mentions(&without_paths).unwrap_err();
    assert_eq!(error, "rustdoc's JSON (format 57) has no `paths` where it is looked for");
}
