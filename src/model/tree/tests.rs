use serde_json::json;

use super::*;

fn tree(value: &Value) -> Tree {
    Tree::try_from(value).expect("a small value")
}

/// Every kind of value, and the edges of numbers.
fn every_kind() -> Value {
    json!({
        "b": [null, true, false, 0, 1, -1, 0.5, 1e300, i64::MIN, u64::MAX, Slot::MOST, Slot::MOST + 1],
        "a": {"": "", "é": "ü\u{0}", "b": {}, "a": []},
        "text": "a",
    })
}

#[test]
fn a_value_comes_back_as_it_went_in() {
    for value in [every_kind(), json!(null), json!("x"), json!([]), json!({})] {
        let tree = tree(&value);
        assert_eq!(Value::from(&tree), value);
        assert_eq!(tree.to_string(), value.to_string());
        let text = serde_json::to_string(&tree).expect("JSON");
        assert_eq!(text, serde_json::to_string(&value).expect("JSON"));
        assert_eq!(serde_json::from_str::<Tree>(&text).expect("JSON"), tree);
    }
}

#[test]
fn of_a_key_that_comes_twice_the_last_counts() {
    let tree: Tree = serde_json::from_str(r#"{"b": 1, "a": 2, "b": 3}"#).expect("JSON");
    assert_eq!(tree.to_string(), r#"{"a":2,"b":3}"#);
}

#[test]
fn it_is_asked_as_a_value_is() {
    let value = every_kind();
    let tree = tree(&value);
    for pointer in [
        "",
        "/",
        "/a",
        "/a/",
        "/a/é",
        "/b/0",
        "/b/3",
        "/b/03",
        "/b/+3",
        "/b/12",
        "/b/-",
        "/text/0",
        "x",
        "/a/b/c",
        "/b/99999999999999999999",
    ] {
        assert_eq!(
            tree.pointer(pointer).map(Value::from).as_ref(),
            value.pointer(pointer),
            "{pointer}"
        );
    }
    let escaped = json!({"a/b": {"m~n": 1}});
    let escaped = super::Tree::try_from(&escaped).expect("a small value");
    assert_eq!(
        escaped.pointer("/a~1b/m~0n").and_then(Branch::as_u64),
        Some(1)
    );
    let numbers = tree.get("b").and_then(Branch::as_array).expect("a list");
    assert_eq!(numbers.len(), 12);
    for (index, number) in numbers.iter().enumerate() {
        let other = &value["b"][index];
        assert_eq!(number.as_u64(), other.as_u64(), "{other}");
        assert_eq!(number.as_i64(), other.as_i64(), "{other}");
        assert_eq!(number.as_bool(), other.as_bool(), "{other}");
        assert_eq!(number.is_null(), other.is_null(), "{other}");
        assert_eq!(numbers.get(index), Some(number));
    }
    assert_eq!(numbers.get(12), None);
}

#[test]
fn every_key_of_a_wide_object_is_found() {
    let wide: Value = (0..1000)
        .map(|n| (format!("key-{n}"), json!(n)))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let tree = tree(&wide);
    for n in 0..1000_u64 {
        let found = tree.get(&format!("key-{n}"));
        assert_eq!(found.and_then(Branch::as_u64), Some(n));
    }
    for absent in ["", "key-", "key-1000", "zzz"] {
        assert_eq!(tree.get(absent), None, "{absent}");
    }
}

#[test]
fn depth_is_bounded() {
    let nested = |depth: usize| (0..depth).fold(json!(1), |inner, _| json!([inner]));
    assert!(Tree::try_from(&nested(200)).is_ok());
    assert_eq!(Tree::try_from(&nested(300)), Err(Oversized));
}

/// The reason for all this: about a word for each value beside the text.
#[test]
fn it_is_smaller_than_its_text() {
    let container = |n: u32| {
        json!({"name": format!("c-{n}"), "image": "registry.k8s.io/pause:3.10", "command": ["/pause", "-v"],
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
            "env": [{"name": "A", "value": "a"}, {"name": "B", "value": "b"}],
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"})
    };
    let pod = json!({"spec": {"containers": (0..10).map(container).collect::<Vec<_>>()}});
    let (size, text) = (tree(&pod).size(), pod.to_string().len());
    assert!(size < text, "{size} bytes for {text} of text");
}
