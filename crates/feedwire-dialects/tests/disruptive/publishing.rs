//! What emulated devices are made of, and what they tell.

use feedwire_dialects::disruptive::body::{Error, Fault, create, device_type, emulated, publish};
use feedwire_event::{Data, Event, Subject, Timestamp, TypeName};
use insta::assert_snapshot;
use proptest::prelude::*;

fn device() -> Subject {
    Subject::new("emudevice00000000000000").expect("a subject")
}

fn now() -> Timestamp {
    "2021-05-16T08:13:15.36Z".parse().expect("a time")
}

fn read(body: &str) -> Result<Event, Error> {
    publish(&device(), body.as_bytes(), now())
}

fn data(body: &str) -> String {
    let event = read(body).unwrap_or_else(|error| panic!("{body}: {error}"));
    assert_eq!(event.subject, Some(device()));
    match event.data {
        Some(Data::Json(data)) => {
            assert!(
                data.as_str()
                    .bytes()
                    .all(|byte| matches!(byte, b' '..=b'~'))
            );
            data.as_str().to_owned()
        }
        other => panic!("{other:?}"),
    }
}

pub(crate) fn faults<T: std::fmt::Debug>(read: Result<T, Error>) -> String {
    match read {
        Err(Error::Members(faults)) => {
            let told: Vec<String> = faults.iter().map(Fault::to_string).collect();
            told.join(" | ")
        }
        Err(error @ Error::Json { .. }) => error.to_string(),
        Ok(other) => format!("{other:?}"),
    }
}

#[test]
fn every_type_of_event_is_published_with_what_it_needs() {
    let bodies = [
        r#"{"touch": {}}"#,
        r#"{"temperature": {"value": 21.5}}"#,
        r#"{"humidity": {"temperature": 20, "relativeHumidity": 30}}"#,
        r#"{"object_present": {"state": "PRESENT"}}"#,
        r#"{"objectPresentCount": {"total": 4176}}"#,
        r#"{"touchCount": {"total": 469}}"#,
        r#"{"waterPresent": {"state": "NOT_PRESENT"}}"#,
        r#"{"networkStatus": {"signalStrength": 50, "rssi": -80, "transmissionMode": "LOW_POWER_STANDARD_MODE", "cloud_connectors": [{"id": "c1", "signalStrength": 50}]}}"#,
        r#"{"batteryStatus": {"percentage": 100}}"#,
        r#"{"connectionStatus": {"connection": "ETHERNET"}}"#,
        r#"{"ethernetStatus": {"mac_address": "f0:b5:b7:00:0a:08", "errors": [{"code": 7}]}}"#,
        r#"{"cellularStatus": {"signalStrength": 80}}"#,
        r#"{"co2": {"ppm": 402}}"#,
        r#"{"pressure": {"pascal": 101325}}"#,
        r#"{"motion": {"state": "MOTION_DETECTED"}}"#,
        r#"{"deskOccupancy": {"state": "OCCUPIED", "remarks": ["SATURATED \u00e9"]}}"#,
        r#"{"contact": {"state": "OPEN"}}"#,
        r#"{"probeWireStatus": {"state": "VALID"}}"#,
    ];
    assert_snapshot!(bodies.map(data).join("\n"), @r#"
    {"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"temperature":{"value":21.5,"samples":[{"value":21.5,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"humidity":{"temperature":20,"relativeHumidity":30,"samples":[{"temperature":20,"relativeHumidity":30,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"objectPresent":{"state":"PRESENT","updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"objectPresentCount":{"total":4176,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"touchCount":{"total":469,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"waterPresent":{"state":"NOT_PRESENT","updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"networkStatus":{"signalStrength":50,"rssi":-80,"cloudConnectors":[{"id":"c1","signalStrength":50,"rssi":0}],"transmissionMode":"LOW_POWER_STANDARD_MODE","updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"batteryStatus":{"percentage":100,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"connectionStatus":{"connection":"ETHERNET","available":[],"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"ethernetStatus":{"macAddress":"f0:b5:b7:00:0a:08","ipAddress":"","errors":[{"code":7}],"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"cellularStatus":{"signalStrength":80,"errors":[],"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"co2":{"ppm":402,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"pressure":{"pascal":101325,"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"motion":{"state":"MOTION_DETECTED","updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"deskOccupancy":{"state":"OCCUPIED","remarks":["SATURATED \u00e9"],"updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"contact":{"state":"OPEN","updateTime":"2021-05-16T08:13:15.360000Z"}}
    {"probeWireStatus":{"state":"VALID","updateTime":"2021-05-16T08:13:15.360000Z"}}
    "#);
}

#[test]
fn what_an_event_says_itself_is_kept() {
    let body = r#"{"temperature":{"isBackfilled":true,"updateTime":"2021-01-01T02:00:00+02:00","value":2.150e1,"other":[[]],
        "samples":[{"value":21.5,"sampleTime":"2021-01-01T00:00:00.5Z"},{"value":22}]},"other":{}}"#;
    let event = read(body).expect("an event");
    assert_eq!(event.time, "2021-01-01T00:00:00Z".parse().ok());
    assert_snapshot!(data(body), @r#"{"temperature":{"value":2.150e1,"samples":[{"value":21.5,"sampleTime":"2021-01-01T00:00:00.500000Z"},{"value":22,"sampleTime":"2021-01-01T00:00:00.000000Z"}],"isBackfilled":true,"updateTime":"2021-01-01T00:00:00.000000Z"}}"#);
    assert_eq!(read(r#"{"touch":{}}"#).expect("an event").time, Some(now()));
}

#[test]
fn what_cannot_be_meant_is_told_with_its_path() {
    let bodies = [
        "",
        "[]",
        "{\"touch\":}",
        "{}",
        r#"{"touch":null,"smell":{}}"#,
        r#"{"touch":{},"motion":{"state":"X"}}"#,
        r#"{"touch":{},"touch":{}}"#,
        r#"{"object_present":{},"objectPresent":{}}"#,
        r#"{"touch":[]}"#,
        r#"{"temperature":7}"#,
        r#"{"temperature":{}}"#,
        r#"{"temperature":{"value":"21.5","isBackfilled":0}}"#,
        r#"{"temperature":{"value":1,"value":2}}"#,
        r#"{"temperature":{"value":1,"updateTime":"now"}}"#,
        r#"{"touch":{"updateTime":7,"update_time":8}}"#,
        r#"{"temperature":{"value":1,"samples":[{"value":1},7,{"value":true,"sampleTime":"x"}]}}"#,
        r#"{"objectPresent":{"state":"MAYBE"}}"#,
        r#"{"touchCount":{"total":-1}}"#,
        r#"{"networkStatus":{"signalStrength":50,"cloudConnectors":[{"signalStrength":5}]}}"#,
        r#"{"deskOccupancy":{"state":"\ud800","remarks":[7]}}"#,
        r#"{"labelsChanged":{"added":{}}}"#,
    ];
    let told = bodies.map(|body| faults(read(body)));
    assert_snapshot!(told.join("\n"), @"
    line 1 column 0: EOF while parsing a value
    line 1 column 0: invalid type: sequence, expected an object
    line 1 column 10: expected value
    the body: it has to hold one of touch, temperature, humidity, objectPresent, objectPresentCount, touchCount, waterPresent, networkStatus, batteryStatus, connectionStatus, ethernetStatus, cellularStatus, co2, pressure, motion, deskOccupancy, contact, probeWireStatus
    the body: it has to hold one of touch, temperature, humidity, objectPresent, objectPresentCount, touchCount, waterPresent, networkStatus, batteryStatus, connectionStatus, ethernetStatus, cellularStatus, co2, pressure, motion, deskOccupancy, contact, probeWireStatus
    motion: one event is published at a time; touch is another
    touch: it is given twice
    objectPresent: it is given twice | objectPresent.state: it is missing
    touch: invalid type: sequence, expected an object
    temperature: invalid type: integer `7`, expected an object
    temperature.value: it is missing
    temperature.value: it has to be a number | temperature.isBackfilled: it has to be true or false
    temperature.value: it is given twice
    temperature.updateTime: a time is written as RFC 3339, such as 2013-01-01T10:00:00Z
    touch.updateTime: it is given twice | touch.updateTime: it has to be a string
    temperature.samples[1]: invalid type: integer `7`, expected an object | temperature.samples[2].value: it has to be a number | temperature.samples[2].sampleTime: a time is written as RFC 3339, such as 2013-01-01T10:00:00Z
    objectPresent.state: it is one of PRESENT, NOT_PRESENT
    touchCount.total: it has to be a whole number that is not negative
    networkStatus.cloudConnectors[0].id: it is missing
    deskOccupancy.state: it holds half of a surrogate pair | deskOccupancy.remarks[0]: it has to be a string
    the body: it has to hold one of touch, temperature, humidity, objectPresent, objectPresentCount, touchCount, waterPresent, networkStatus, batteryStatus, connectionStatus, ethernetStatus, cellularStatus, co2, pressure, motion, deskOccupancy, contact, probeWireStatus
    ");
    assert!(matches!(
        publish(&device(), b"{\"a\":\"\xff\"}", now()),
        Err(Error::Json { .. })
    ));
}

#[test]
fn what_is_too_much_is_told_with_its_path() {
    let long = format!(r#"{{"motion":{{"state":"{}"}}}}"#, "x".repeat(257));
    let many = format!(
        r#"{{"temperature":{{"value":1,"samples":[{}]}}}}"#,
        vec!["{}"; 1_001].join(",")
    );
    let all = format!(
        r#"{{"temperature":{{"value":1,"samples":[{}]}}}}"#,
        vec!["{}"; 1_000].join(",")
    );
    let deep = format!(
        r#"{{"ethernetStatus":{{"errors":[{}{}]}}}}"#,
        "[".repeat(126),
        "]".repeat(126)
    );
    let told = [long, many, all, deep].map(|body| faults(read(&body)));
    assert_snapshot!(told.join("\n"), @"
    motion.state: it has at most 256 bytes, this one 257
    temperature.samples: it has at most 1000 elements, this one 1001
    temperature.samples[0].value: it is missing | temperature.samples[1].value: it is missing | temperature.samples[2].value: it is missing | temperature.samples[3].value: it is missing | temperature.samples[4].value: it is missing | temperature.samples[5].value: it is missing | temperature.samples[6].value: it is missing | temperature.samples[7].value: it is missing | temperature.samples[8].value: it is missing | temperature.samples[9].value: it is missing
    ethernetStatus: JSON is nested at most 128 deep, this goes deeper at byte 185
    ");
}

#[test]
fn an_emulated_device_is_kept_as_labels() {
    let told = |body: &str| match create(body.as_bytes()) {
        Ok(labels) => format!("{:?}", labels.iter().collect::<Vec<_>>()),
        refused => faults(refused),
    };
    let bodies = [
        r#"{"type": "temperature", "labels": {"a": "b", "name": "disp"}}"#,
        r#"{"type": "ccon", "labels": {}}"#,
        r#"{"type": "touch"}"#,
        r#"{"labels": null}"#,
        r#"{"type": "toaster", "labels": {"device-type": "x", "": "y"}}"#,
        r#"{"type": "touch", "labels": {"a": 7}}"#,
        r#"{"type": "touch", "labels": {"a": "1", "a": "2"}}"#,
        r#"{"type": 7, "type": 8, "labels": []}"#,
    ];
    assert_snapshot!(bodies.map(told).join("\n"), @r#"
    [("a", "b"), ("device-type", "temperature"), ("name", "disp"), ("virtual-sensor", "")]
    [("device-type", "ccon"), ("virtual-sensor", "")]
    [("device-type", "touch"), ("virtual-sensor", "")]
    type: it is missing
    type: it is one of temperature, proximity, touch, humidity, proximityCounter, touchCounter, waterDetector, ccon, co2, motion, deskOccupancy, contact | labels: device-type is kept by the server: it is what the device is | labels: a label's key has 1 to 256 bytes, here is one with none
    labels: invalid type: integer `7`, expected a string
    labels: "a" is given twice
    type: it is given twice | type: it has to be a string | labels: invalid type: sequence, expected an object of texts
    "#);
}

#[test]
fn what_a_device_is_is_told_by_events_that_no_other_has() {
    let told = |ty| device_type(&TypeName::new(ty).expect("a name"));
    assert_eq!(told("objectPresent"), Some("proximity"));
    assert_eq!(told("ethernetStatus"), Some("ccon"));
    for ty in ["networkStatus", "batteryStatus", "labelsChanged", "other"] {
        assert_eq!(told(ty), None, "{ty}");
    }
}

#[test]
fn the_id_of_an_emulated_device_is_as_long_as_the_vendors() {
    assert_eq!(emulated(0).as_str(), "emu00000000000000000000");
    assert_eq!(emulated(u128::MAX).as_str(), "emuvvvvvvvvvvvvvvvvvvvv");
    assert_ne!(emulated(1), emulated(2));
}

proptest! {
    #[test]
    fn any_body_is_read_without_panic(bytes in any::<Vec<u8>>(), near in r#"[\[\]{}:,"a01.e\\ ]{0,24}"#) {
        for body in [&bytes, near.as_bytes()] {
            drop((publish(&device(), body, now()), create(body)));
        }
    }

    #[test]
    fn any_member_of_an_event_is_read_without_panic(
        ty in prop::sample::select(vec!["temperature", "humidity", "networkStatus", "deskOccupancy", "ethernetStatus", "touch"]),
        name in prop::sample::select(vec!["value", "samples", "updateTime", "cloudConnectors", "remarks", "errors", "state", "isBackfilled"]),
        value in r#"[\[\]{}:,"a01.e\\ ]{0,16}|\[\{"[a-z]{2}":1\}\]|"[^"\\]{0,8}""#,
    ) {
        let body = format!(r#"{{"{ty}":{{"{name}":{value}}}}}"#);
        drop(read(&body));
    }
}
