//! What is asked: parameters, names and ids.

use std::time::Duration;

use feedwire_core::limits::FILTER_VALUES_MAX;
use feedwire_core::{LabelFilter, LabelGroup};
use feedwire_dialects::disruptive::request::{
    Devices, Error, Filter, History, Kind, Name, OrderBy, PAGE_MAX, PING_DEFAULT, PING_MAX,
    PING_MIN, Project, Stream, content, device, device_name, devices, history, kind, projects,
    stream,
};
use feedwire_event::{Position, ProjectName, Subject, Timestamp, TypeName};
use insta::assert_snapshot;
use proptest::prelude::*;

const DEVICE: &str = "emudevice00000000000000";

fn subject(text: &str) -> Subject {
    Subject::new(text).expect("a subject")
}

fn ty(text: &str) -> TypeName {
    TypeName::new(text).expect("a name")
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

fn label(key: &str, value: Option<&str>) -> LabelFilter {
    LabelFilter {
        key: key.to_owned(),
        value: value.map(str::to_owned),
    }
}

fn refused<T: std::fmt::Debug>(asked: Result<T, Error>) -> String {
    asked.expect_err("a refusal").to_string()
}

#[test]
fn a_stream_that_says_nothing_is_of_everything() {
    let all = Stream {
        filter: Filter::default(),
        ping_interval: PING_DEFAULT,
    };
    for query in ["", "other=7&token=x", "device_ids=&eventTypes=,"] {
        assert_eq!(stream(query), Ok(all.clone()), "{query}");
    }
}

#[test]
fn what_the_clients_send_is_understood() {
    let sdk = format!(
        "device_ids={DEVICE}&device_types=temperature&label_filters=a%3Db&label_filters=k%3D\
        &event_types=temperature&event_types=touch&ping_interval=10s"
    );
    let filter = Filter {
        devices: vec![subject(DEVICE)],
        device_types: vec!["temperature".into()],
        event_types: vec![ty("temperature"), ty("touch")],
        labels: vec![label("a", Some("b")), label("k", Some(""))],
    };
    let ping_interval = Duration::from_secs(10);
    let asked = Stream {
        filter,
        ping_interval,
    };
    assert_eq!(stream(&sdk), Ok(asked));
    let node = stream("eventTypes=temperature&pingInterval=10s&token=x").expect("a stream");
    assert_eq!(node.filter.event_types, [ty("temperature")]);
    assert_eq!(node.ping_interval, ping_interval);
}

#[test]
fn parameters_are_known_in_both_spellings_and_lists_are_repeated_or_parted() {
    let filter = |query| stream(query).expect("a stream").filter;
    let types = ["a", "b", "c", "d"].map(ty);
    let query = "eventTypes=a,b&event_types=c&event%5Ftypes=d";
    let mut found = filter(query).event_types;
    found.sort_unstable_by(|one, two| one.as_str().cmp(two.as_str()));
    assert_eq!(found, types);
    let labels = filter("labelFilters=room&label_filters=floor=2=3,x").labels;
    let expected = [
        label("room", None),
        label("floor", Some("2=3")),
        label("x", None),
    ];
    assert_eq!(labels, expected);
    assert_eq!(filter("deviceIds=a%2Cb").devices, [subject("a,b")]);
}

#[test]
fn pings_come_as_often_as_is_asked_within_bounds() {
    let interval = |text: &str| {
        let stream = stream(&format!("ping_interval={text}"));
        stream.map(|stream| stream.ping_interval)
    };
    for (text, expected) in [
        ("10s", Duration::from_secs(10)),
        ("1.5s", Duration::from_millis(1_500)),
        ("2.000000001s", Duration::new(2, 1)),
        ("0s", PING_MIN),
        ("0.1s", PING_MIN),
        ("60s", PING_MAX),
        ("61s", PING_MAX),
        ("99999999999999999999999999s", PING_MAX),
    ] {
        assert_eq!(interval(text), Ok(expected), "{text}");
    }
    for odd in [
        "",
        "s",
        "10",
        "-1s",
        "+1s",
        "1.s",
        ".5s",
        "1.0000000001s",
        "1e3s",
        "1m",
        "1 s",
        "1.5.5s",
    ] {
        assert!(interval(odd).is_err(), "{odd}");
    }
}

#[test]
fn a_stream_is_of_lines_unless_events_are_asked_for() {
    for lines in [
        None,
        Some("*/*"),
        Some("application/json"),
        Some("text/html"),
        Some("application/json, text/event-stream;q=0.5"),
    ] {
        assert_eq!(kind(lines), Kind::Lines, "{lines:?}");
    }
    for events in ["text/event-stream", "Text/Event-Stream, */*;q=0.1"] {
        assert_eq!(kind(Some(events)), Kind::Sse, "{events}");
    }
}

#[test]
fn a_filter_asks_for_labels_and_for_types_that_labels_or_events_tell() {
    let groups = |query: &str| stream(query).expect("a stream").filter.groups();
    let labels = |labels: &[(&str, Option<&str>)]| {
        let labels = labels.iter().map(|(key, value)| LabelFilter {
            key: (*key).to_owned(),
            value: value.map(str::to_owned),
        });
        LabelGroup::new(labels).expect("labels")
    };
    assert_eq!(groups("device_ids=a&event_types=touch"), []);
    let rooms = labels(&[("room", Some("7")), ("vip", None)]);
    assert_eq!(groups("label_filters=room%3D7,vip"), [rooms]);
    let rooms = labels(&[("vip", None), ("room", Some("7"))]);
    let types = [
        ("device-type", Some("ccon")),
        ("device-type", Some("touch")),
    ];
    let told = [
        "touch",
        "connectionStatus",
        "ethernetStatus",
        "cellularStatus",
    ]
    .map(ty);
    let types = labels(&types).or_told_by(told, "device-type");
    let query = "labelFilters=vip&deviceTypes=touch,ccon&label_filters=room%3D7";
    assert_eq!(groups(query), [rooms, types]);
    let unheard = labels(&[("device-type", Some("lamp"))]).or_told_by([], "device-type");
    assert_eq!(groups("device_types=lamp"), [unheard]);
}

#[test]
fn only_whoever_asks_for_changes_of_labels_is_told_of_them_in_a_history() {
    let tells = |query: &str, ty: &str| history(query, Timestamp::MAX).expect("one").tells(ty);
    assert!(tells("", "touch") && !tells("", "labelsChanged"));
    assert!(tells("event_types=labelsChanged", "labelsChanged"));
}

#[test]
fn a_history_is_of_the_last_day_unless_it_says_another_window() {
    let now = at("2021-01-10T12:00:00Z");
    let last_day = History {
        event_types: vec![],
        from: at("2021-01-09T12:00:00Z"),
        to: None,
        page_size: 100,
        before: None,
    };
    assert_eq!(history("pageToken=&page_size=0", now), Ok(last_day));
    let query = "eventTypes=temperature&eventTypes=touch&startTime=2021-01-01T00%3A00%3A00Z\
        &endTime=2021-01-02T00%3A00%3A00Z&pageToken=77&page_size=5";
    let asked = History {
        event_types: vec![ty("temperature"), ty("touch")],
        from: at("2021-01-01T00:00:00Z"),
        to: Some(at("2021-01-02T00:00:00Z")),
        page_size: 5,
        before: Position::new(77),
    };
    assert_eq!(history(query, now), Ok(asked));
    let until = history("end_time=2021-01-02", now).expect("a history");
    assert_eq!(until.from, at("2021-01-01T00:00:00Z"));
    let many = history("pageSize=99999999999999999999", now).expect("a history");
    assert_eq!(many.page_size, PAGE_MAX);
}

#[test]
fn a_list_of_devices_is_asked_for_with_all_that_the_client_sends() {
    let query = format!(
        "query=+Q&device_ids={DEVICE}&device_ids=b&device_types=temperature&device_types=ccon\
        &order_by=-reported.temperature.value&label_filters=a%3Db&label_filters=k%3D&organization=o\
        &projects=p1,projects/p2&pageSize=7&page_token=projects/p1/devices/x"
    );
    let name = |text| ProjectName::new(text).expect("a name");
    let after = Name {
        project: Project::One(name("p1")),
        device: subject("x"),
    };
    let asked = Devices {
        filter: Filter {
            devices: vec![subject(DEVICE), subject("b")],
            device_types: vec!["temperature".into(), "ccon".into()],
            event_types: vec![],
            labels: vec![label("a", Some("b")), label("k", Some(""))],
        },
        projects: vec![name("p1"), name("p2")],
        search: Some("q".into()),
        order_by: Some(OrderBy {
            path: ["reported", "temperature", "value"]
                .map(str::to_owned)
                .into(),
            is_descending: true,
        }),
        page_size: 7,
        after: Some(after),
    };
    assert_eq!(devices(&query), Ok(asked));
    let some = projects("query=Acme&pageToken=p1").expect("projects");
    assert_eq!(
        (some.search.as_deref(), some.after),
        (Some("acme"), Some(name("p1")))
    );
}

#[test]
fn what_cannot_be_meant_is_named_by_the_name_that_it_came_by() {
    let many = format!("deviceIds={}", vec!["a"; FILTER_VALUES_MAX + 1].join(","));
    let streams = [
        "ping_interval=soon",
        "pingInterval=1s&ping_interval=1s",
        "pingInterval=1s&pingInterval=1s",
        "event_types=a+b",
        "deviceIds=%00",
        "label_filters=%3Da",
        "labelFilters=device-type=ccon",
        "deviceIds=%FF",
        &many,
    ];
    let now = Timestamp::MIN;
    let histories = [
        "start_time=yesterday",
        "startTime=2021-01-02&endTime=2021-01-01",
        "pageSize=-1",
        "page_token=x",
        "pageToken=99999999999999999999",
    ];
    let lists = [
        "orderBy=reported",
        "order_by=color",
        "orderBy=labels..a",
        "pageToken=7",
        "projects=a+b",
    ];
    let streams = streams.map(|query| refused(stream(query)));
    let histories = histories.map(|query| refused(history(query, now)));
    let lists = lists.map(|query| refused(devices(query)));
    let told = [&streams[..], &histories, &lists].concat().join("\n");
    assert_snapshot!(told, @r"
    ping_interval: it has to be a span in seconds, such as 10s or 1.5s
    pingInterval: it is given more than once
    pingInterval: it is given more than once
    event_types: a name is made of A-Z a-z 0-9 . _ -, not ' '
    deviceIds: a subject has no control characters, this one has '\0'
    label_filters: a label has to be asked for by its key, or by key=value
    labelFilters: device-type, product-number and moved-to are no labels of a device here
    deviceIds: it is not percent-encoded UTF-8
    deviceIds: at most 1000 can be named
    start_time: it has to be a time in ISO 8601, such as 2013-01-01T10:00:00Z
    startTime: it is after the end
    pageSize: it has to be a whole number
    page_token: no page was told with this token
    pageToken: no page was told with this token
    orderBy: it has to be name, type, productNumber, labels.<key> or reported.<type>.<member>, with - before it for the largest first
    order_by: it has to be name, type, productNumber, labels.<key> or reported.<type>.<member>, with - before it for the largest first
    orderBy: it has to be name, type, productNumber, labels.<key> or reported.<type>.<member>, with - before it for the largest first
    pageToken: no page was told with this token
    projects: a name is made of A-Z a-z 0-9 . _ -, not ' '
    ");
    assert!(devices(&format!("query={}", "x".repeat(513))).is_err());
}

#[test]
fn projects_and_devices_are_named() {
    let one = Project::One(ProjectName::new("acme.eu").expect("a name"));
    assert!(device("").is_err() && device("a\n").is_err());
    let name = device_name("projects/acme.eu/devices/a/devices/b").expect("a name");
    assert_eq!((name.project, name.device), (one, subject("a/devices/b")));
    let any = device_name("projects/-/devices/a").expect("a name");
    assert_eq!(any.project, Project::Every);
    for odd in [
        "",
        "a",
        "projects/a",
        "projects/a/devices/",
        "projects//devices/a",
    ] {
        assert!(device_name(odd).is_err(), "{odd}");
    }
    let form = Some("application/x-www-form-urlencoded");
    assert!(content(None, form, None).is_ok() && content(Some("identity"), None, None).is_ok());
    assert!(content(Some("gzip"), form, None).is_err());
    let page = Some("https://evil.example");
    assert!(content(None, Some("application/json; charset=utf-8"), page).is_ok());
    for simple in [
        None,
        form,
        Some("text/plain"),
        Some("text/plain; application/json"),
    ] {
        assert_eq!(
            content(None, simple, page),
            Err(Error::OfPage),
            "{simple:?}"
        );
    }
}

proptest! {
    #[test]
    fn any_request_is_read_without_panic(text in any::<String>(), accept in any::<Option<String>>()) {
        drop((stream(&text), history(&text, Timestamp::MIN), devices(&text), projects(&text)));
        drop((device(&text), device_name(&text)));
        kind(accept.as_deref());
    }

    #[test]
    fn any_value_of_a_known_parameter_is_read_without_panic(
        name in prop::sample::select(vec![
            "deviceIds", "device_types", "eventTypes", "label_filters", "pingInterval", "start_time", "endTime", "pageSize", "pageToken",
            "order_by", "query", "projects",
        ]),
        value in "[ -~]{0,24}|[0-9.]{0,12}s|-?[a-z.]{0,20}",
    ) {
        let query = format!("{name}={value}");
        drop((stream(&query), history(&query, Timestamp::MAX), devices(&query), projects(&query)));
    }
}
