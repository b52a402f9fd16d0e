//! Changes of labels, and devices that move.

use std::collections::BTreeMap;

use feedwire_dialects::disruptive::body::{
    DEVICES_MAX, Update, batch_update, labels_changed, moved, transfer,
};
use feedwire_event::limits::LABELS_MAX;
use feedwire_event::{Labels, ProjectName, Subject, Timestamp};
use insta::assert_snapshot;
use proptest::prelude::*;

use crate::publishing::faults;

const DEVICE: &str = "projects/p1/devices/emudevice00000000000000";

fn update(body: &str) -> Update {
    batch_update(body.as_bytes()).expect("an update")
}

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let pairs = pairs.iter();
    let labels = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    Labels::new(labels.collect()).expect("labels")
}

#[test]
fn what_the_client_sends_is_applied() {
    let before = labels(&[("device-type", "touch"), ("k", "old"), ("gone", "x")]);
    let add = update(&format!(
        r#"{{"devices": ["{DEVICE}"], "addLabels": {{"k": "v", "n": ""}}}}"#
    ));
    assert_eq!(add.devices.len(), 1);
    let after = labels(&[
        ("device-type", "touch"),
        ("k", "v"),
        ("n", ""),
        ("gone", "x"),
    ]);
    assert_eq!(add.applied(&before), Ok(after.clone()));
    let remove = update(&format!(
        r#"{{"devices": ["{DEVICE}"], "remove_labels": ["gone", "k", "other"], "addLabels": {{}}}}"#
    ));
    let bare = labels(&[("device-type", "touch"), ("n", "")]);
    assert_eq!(remove.applied(&after), Ok(bare));
    let moved = transfer(format!(r#"{{"devices":["{DEVICE}"]}}"#).as_bytes());
    assert_eq!(moved.expect("devices").len(), 1);
}

#[test]
fn a_device_that_moves_takes_its_labels_and_what_it_is() {
    let to = ProjectName::new("p2").expect("a name");
    let known = labels(&[("device-type", "touch"), ("k", "v")]);
    let left = labels(&[("moved-to", "p2")]);
    let expected = Ok((known.clone(), left.clone()));
    assert_eq!(moved(&known, "ccon", &to), expected);
    let told = labels(&[("device-type", "ccon"), ("k", "v")]);
    let unknown = labels(&[("k", "v")]);
    assert_eq!(moved(&unknown, "ccon", &to), Ok((told, left)));
    let full: Vec<String> = (0..LABELS_MAX).map(|at| at.to_string()).collect();
    let full: Vec<(&str, &str)> = full.iter().map(|key| (key.as_str(), "")).collect();
    assert!(moved(&labels(&full), "ccon", &to).is_err());
}

#[test]
fn a_change_of_labels_is_an_event_without_a_key() {
    let device = Subject::new("a").expect("a subject");
    let told = |before: &Labels, after: &Labels| {
        labels_changed(&device, before, after, Timestamp::default()).map(|event| event.data)
    };
    let before = labels(&[
        ("device-type", "touch"),
        ("k", "old"),
        ("same", "x"),
        ("gone", "x"),
    ]);
    let after = labels(&[
        ("device-type", "ccon"),
        ("k", "\u{e9}"),
        ("same", "x"),
        ("new", ""),
    ]);
    assert_snapshot!(format!("{:?}", told(&before, &after)), @r#"Some(Some(Json({"added":{"new":""},"modified":{"k":"\u00e9"},"removed":["gone"],"updateTime":"1970-01-01T00:00:00.000000Z"})))"#);
    assert_eq!(told(&before, &before), None);
    let other = labels(&[("device-type", "ccon"), ("product-number", "7")]);
    assert_eq!(told(&labels(&[]), &other), None);
}

#[test]
fn what_cannot_be_meant_is_told_with_its_path() {
    let bodies = [
        "{}",
        r#"{"devices":[]}"#,
        r#"{"devices":"a"}"#,
        r#"{"devices":["a",7,null]}"#,
        r#"{"devices":["projects/p/devices/a"],"addLabels":{"device-type":"x"},"removeLabels":["product-number"]}"#,
        r#"{"devices":["projects/p/devices/a"],"addLabels":{"a=b":"x"},"removeLabels":{}}"#,
        r#"{"devices":["projects/p/devices/a"],"addLabels":{"a":"x"},"removeLabels":["a"]}"#,
        r#"{"devices":["projects/p/devices/a"],"addLabels":{},"add_labels":{}}"#,
    ];
    let told = bodies.map(|body| faults(batch_update(body.as_bytes())));
    assert_snapshot!(told.join("\n"), @r#"
    devices: it is missing | addLabels: there has to be something to add, or to remove
    devices: there has to be one at least | addLabels: there has to be something to add, or to remove
    devices: invalid type: string "a", expected an array | addLabels: there has to be something to add, or to remove
    devices[0]: it has to be the name of a device: projects/<project>/devices/<device> | devices[1]: it has to be a string | devices[2]: it is missing | addLabels: there has to be something to add, or to remove
    addLabels: device-type is kept by the server: it is what the device is | removeLabels: product-number is kept by the server: it is what the device is
    addLabels: a label's key has no '=', "a=b" does | removeLabels: invalid type: map, expected an array
    removeLabels: "a" is among addLabels, too
    addLabels: it is given twice | addLabels: there has to be something to add, or to remove
    "#);
    let many = vec![format!("\"{DEVICE}\""); DEVICES_MAX + 1].join(",");
    let many = transfer(format!(r#"{{"devices":[{many}]}}"#).as_bytes());
    assert_eq!(
        faults(many),
        "devices: there are at most 1000, here are 1001"
    );
}

proptest! {
    #[test]
    fn any_body_is_read_without_panic(bytes in any::<Vec<u8>>(), value in r#"[\[\]{}:,"a0\\ ]{0,20}"#) {
        let near = format!(r#"{{"devices":[{value}],"addLabels":{value},"removeLabels":{value}}}"#);
        for body in [&bytes, near.as_bytes()] {
            drop((batch_update(body), transfer(body)));
        }
    }

    #[test]
    fn a_change_is_told_exactly_where_labels_differ(
        before in prop::collection::btree_map("[a-c]", "[x-y]", 0..3), after in prop::collection::btree_map("[a-c]", "[x-y]", 0..3),
    ) {
        let differ = before != after;
        let [before, after]: [BTreeMap<String, String>; 2] = [before, after];
        let [before, after] = [before, after].map(|labels| Labels::new(labels).expect("labels"));
        let device = Subject::new("a").expect("a subject");
        let event = labels_changed(&device, &before, &after, Timestamp::default());
        prop_assert_eq!(event.is_some(), differ);
    }
}
