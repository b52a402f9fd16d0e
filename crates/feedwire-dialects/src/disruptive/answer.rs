//! What Disruptive answers beside events: devices with what they tell, projects, and what was not done to which device.

use std::cmp::Ordering;

use feedwire_engine::Record;
use feedwire_event::json::write_string;
use feedwire_event::{Labels, ProjectName, Subject};
use http::StatusCode;
use serde::Serialize;
use serde_json::value::RawValue;

use super::error::Failure;
use super::event::{LABELS_CHANGED, Shown, text, write_target};
use super::request::{Name, OrderBy, PRODUCT_LABEL, Project, TYPE_LABEL, is_kept};
use crate::ascii::json;
use crate::{Unreadable, members, readings};

/// What a device is told to be where nothing says what it is.
const UNKNOWN: &str = "unknown";
/// The type of a Cloud Connector, by which sensors are heard.
const CLOUD_CONNECTOR: &str = "ccon";
/// The organization that every project is of: there is one, which owns the server.
const ORGANIZATION: &str = "organizations/feedwire";
const ORGANIZATION_NAME: &str = "Feedwire";

/// A device as it is told.
#[derive(Clone, Debug)]
pub struct Device {
    name: Name,
    project: ProjectName,
    ty: String,
    product_number: Option<String>,
    labels: Vec<(String, String)>,
    /// Its latest event of each type, as members of an object.
    reported: Vec<u8>,
}

impl Device {
    /// The device `id` of `project` with the labels that it is kept with, and its latest event of each type.
    pub fn new(
        project: &ProjectName,
        id: &Subject,
        labels: &Labels,
        latest: &[Record],
    ) -> Result<Self, Unreadable> {
        let ty = device_type(labels, latest.iter().map(Record::ty));
        let shown = labels.iter().filter(|(key, _)| !is_kept(key));
        let shown = shown.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut reported = Vec::new();
        for record in latest.iter().filter(|record| record.ty() != LABELS_CHANGED) {
            write_reported(record, &mut reported)?;
        }
        Ok(Self {
            name: Name {
                project: Project::One(project.clone()),
                device: id.clone(),
            },
            project: project.clone(),
            ty: ty.to_owned(),
            product_number: labels.get(PRODUCT_LABEL).map(str::to_owned),
            labels: shown.collect(),
            reported,
        })
    }

    /// Its whole name.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// What it is.
    pub fn ty(&self) -> &str {
        &self.ty
    }

    /// About how many bytes it takes, here and where it is told.
    pub fn bytes(&self) -> usize {
        let labels = self.labels.iter();
        let labels: usize = labels
            .map(|(key, value)| key.len() + value.len() + 64)
            .sum();
        self.reported.len() + labels + 512
    }

    /// The body, as one line of ASCII.
    pub fn json(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.reported.len() + 256);
        self.write(&mut out);
        out
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"name\":");
        write_target(&self.project, Some(self.name.device.as_str()), out);
        out.extend_from_slice(b",\"type\":");
        write_string(&self.ty, out);
        if let Some(number) = &self.product_number {
            out.extend_from_slice(b",\"productNumber\":");
            write_string(number, out);
        }
        out.extend_from_slice(b",\"labels\":{");
        for (index, (key, value)) in self.labels.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            write_string(key, out);
            out.push(b':');
            write_string(value, out);
        }
        out.extend_from_slice(b"},\"reported\":{");
        out.extend_from_slice(&self.reported);
        out.extend_from_slice(b"}}");
    }

    /// Whether its id, its type, its product number or one of its labels holds `search`, which is in small letters.
    pub fn holds(&self, search: &str) -> bool {
        let labels = self.labels.iter();
        let labels = labels.flat_map(|(key, value)| [key.as_str(), value.as_str()]);
        let texts = [self.name.device.as_str(), self.ty.as_str()];
        let mut texts = texts
            .into_iter()
            .chain(self.product_number.as_deref())
            .chain(labels);
        texts.any(|text| text.to_lowercase().contains(search))
    }

    fn key(&self, path: &[String]) -> Key {
        let text = |text: &str| Key::Text(text.to_owned());
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        match path.as_slice() {
            ["name"] => text(self.name.device.as_str()),
            ["type"] => text(&self.ty),
            ["productNumber"] => self.product_number.as_deref().map_or(Key::None, text),
            ["labels", rest @ ..] => {
                let wanted = rest.join(".");
                let label = self.labels.iter().find(|(key, _)| *key == wanted);
                label.map_or(Key::None, |(_, value)| text(value))
            }
            ["reported", rest @ ..] => self.reported_key(rest),
            _ => Key::None,
        }
    }

    fn reported_key(&self, path: &[&str]) -> Key {
        let reported = [b"{", self.reported.as_slice(), b"}"].concat();
        let Ok(object) = serde_json::from_slice::<&RawValue>(&reported) else {
            return Key::None;
        };
        let found = path.iter().try_fold(object, |object, name| {
            let mut found = [None];
            let find = |member: &str| (member == *name).then_some(0);
            members::take(object.get(), find, &mut found).ok()?;
            found[0]
        });
        found.map_or(Key::None, Key::of)
    }
}

/// What a device is that is kept with `labels` and told events of these `types`.
pub(super) fn device_type<'t>(labels: &'t Labels, types: impl Iterator<Item = &'t str>) -> &'t str {
    let told = readings::told(types);
    labels.get(TYPE_LABEL).or(told).unwrap_or(UNKNOWN)
}

/// By what a device stands in its place.
#[derive(Clone, Debug, PartialEq)]
enum Key {
    Number(f64),
    Text(String),
    None,
}

impl Key {
    fn of(value: &RawValue) -> Self {
        if let Ok(number) = serde_json::from_str(value.get()) {
            return Self::Number(number);
        }
        let text = members::string(value).ok().flatten();
        text.map_or(Self::None, |text| Self::Text(text.into_owned()))
    }

    /// Numbers stand before texts.
    fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Number(one), Self::Number(two)) => one.total_cmp(two),
            (Self::Text(one), Self::Text(two)) => one.cmp(two),
            _ => self.rank().cmp(&other.rank()),
        }
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Number(_) => 0,
            Self::Text(_) => 1,
            Self::None => 2,
        }
    }
}

/// Puts devices in order; those that have not what they are ordered by are the last, and those that are alike stand by their names.
pub fn order(devices: &mut Vec<Device>, by: &OrderBy) {
    let mut keyed: Vec<(Key, Device)> = std::mem::take(devices)
        .into_iter()
        .map(|device| (device.key(&by.path), device))
        .collect();
    keyed.sort_by(|(one, first), (two, second)| {
        let has_none = (*one == Key::None).cmp(&(*two == Key::None));
        let by_key = if by.is_descending {
            two.order(one)
        } else {
            one.order(two)
        };
        let by_name = || first.name.cmp(&second.name);
        has_none.then(by_key).then_with(by_name)
    });
    devices.extend(keyed.into_iter().map(|(_, device)| device));
}

/// Appends what `record` tells as a member of the `reported` of its device; nothing where it tells no object.
fn write_reported(record: &Record, out: &mut Vec<u8>) -> Result<(), Unreadable> {
    let payload = record.payload().ok().ok_or_else(|| Unreadable {
        position: record.position(),
    })?;
    if let Some(shown) = Shown::of(record.ty(), text(&payload.data)) {
        if !out.is_empty() {
            out.push(b',');
        }
        out.push(b'"');
        out.extend_from_slice(record.ty().as_bytes());
        out.extend_from_slice(b"\":");
        shown.write(record.stamp().time, out);
    }
    Ok(())
}

/// A page of devices. What comes after it is behind the last of them, if there `is_more`.
pub fn devices(devices: &[Device], is_more: bool) -> Vec<u8> {
    let mut out = b"{\"devices\":[".to_vec();
    for (index, device) in devices.iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        device.write(&mut out);
    }
    out.extend_from_slice(b"],\"nextPageToken\":");
    match devices.last().filter(|_| is_more) {
        Some(last) => write_target(&last.project, Some(last.name.device.as_str()), &mut out),
        None => out.extend_from_slice(b"\"\""),
    }
    out.push(b'}');
    out
}

/// A project as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Which.
    pub name: ProjectName,
    /// How many of its devices are no Cloud Connectors.
    pub sensors: u64,
    /// How many are.
    pub cloud_connectors: u64,
}

impl Listed {
    /// The project `name`, as long as no devices are counted.
    pub fn new(name: &ProjectName) -> Self {
        Self {
            name: name.clone(),
            sensors: 0,
            cloud_connectors: 0,
        }
    }

    /// Counts a device that is kept with these labels.
    pub fn count(&mut self, labels: &Labels) {
        if labels.get(TYPE_LABEL) == Some(CLOUD_CONNECTOR) {
            self.cloud_connectors += 1;
        } else {
            self.sensors += 1;
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    name: String,
    display_name: &'a str,
    inventory: bool,
    organization: &'a str,
    organization_display_name: &'a str,
    sensor_count: u64,
    cloud_connector_count: u64,
}

impl Listed {
    fn told(&self) -> Told<'_> {
        Told {
            name: format!("projects/{}", self.name),
            display_name: self.name.as_str(),
            inventory: false,
            organization: ORGANIZATION,
            organization_display_name: ORGANIZATION_NAME,
            sensor_count: self.sensors,
            cloud_connector_count: self.cloud_connectors,
        }
    }
}

/// A project.
pub fn project(project: &Listed) -> Vec<u8> {
    json(&project.told())
}

/// A page of projects. What comes after it is behind the one named `next`.
pub fn projects(projects: &[Listed], next: Option<&ProjectName>) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        projects: Vec<Told<'a>>,
        next_page_token: &'a str,
    }
    json(&Answer {
        projects: projects.iter().map(Listed::told).collect(),
        next_page_token: next.map_or("", ProjectName::as_str),
    })
}

/// It is done. The vendor's client reads JSON out of every answer.
pub fn done() -> Vec<u8> {
    b"{}".to_vec()
}

#[derive(Serialize)]
struct Status<'a> {
    code: &'static str,
    message: &'a str,
}

/// What the vendor's client has for a device with which nothing was done.
fn code(status: StatusCode) -> &'static str {
    if status == StatusCode::NOT_FOUND {
        "NOT_FOUND"
    } else if status.is_client_error() {
        "INVALID_ARGUMENT"
    } else {
        "INTERNAL_ERROR"
    }
}

#[derive(Serialize)]
struct Undone<'a> {
    device: String,
    status: Status<'a>,
}

fn whole(name: &Name) -> String {
    let project = match &name.project {
        Project::One(project) => project.as_str(),
        Project::Every => super::request::EVERY_PROJECT,
    };
    format!("projects/{project}/devices/{}", name.device)
}

fn undone(failures: &[(Name, Failure)]) -> Vec<Undone<'_>> {
    let undone = failures.iter().map(|(name, failure)| Undone {
        device: whole(name),
        status: Status {
            code: code(failure.status),
            message: &failure.message,
        },
    });
    undone.collect()
}

/// The devices whose labels were not changed, each with its reason.
pub fn updated(failures: &[(Name, Failure)]) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        batch_errors: Vec<Undone<'a>>,
    }
    json(&Answer {
        batch_errors: undone(failures),
    })
}

/// The devices that were moved, by their names where they are, and those that were not.
pub fn transferred(moved: &[Name], failures: &[(Name, Failure)]) -> Vec<u8> {
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer<'a> {
        transferred_devices: Vec<String>,
        transfer_errors: Vec<Undone<'a>>,
    }
    json(&Answer {
        transferred_devices: moved.iter().map(whole).collect(),
        transfer_errors: undone(failures),
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::super::error::{not_moved, unknown_device};
    use super::super::event::tests::{broken, device, project, record};
    use super::super::request::device_name;
    use super::*;

    fn told(out: Vec<u8>) -> String {
        assert!(out.iter().all(|byte| matches!(byte, b' '..=b'~')));
        String::from_utf8(out).expect("ASCII")
    }

    fn labels(pairs: &[(&str, &str)]) -> Labels {
        let pairs = pairs.iter();
        let labels = pairs.map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        Labels::new(labels.collect()).expect("labels")
    }

    fn kept(id: &str, pairs: &[(&str, &str)], latest: &[Record]) -> Device {
        let id = Subject::new(id).expect("a subject");
        Device::new(&project(), &id, &labels(pairs), latest).expect("payloads")
    }

    fn ids(devices: &[Device]) -> Vec<&str> {
        let ids = devices.iter().map(|device| device.name().device.as_str());
        ids.collect()
    }

    #[test]
    fn a_device_is_told_with_its_latest_events_and_without_what_it_is_kept_with() {
        let pairs = [
            (TYPE_LABEL, "temperature"),
            (PRODUCT_LABEL, "102081"),
            ("name", "K\u{fc}che"),
            ("virtual-sensor", ""),
        ];
        let latest = [
            record(3, "temperature", r#"{"temperature":{"value":21.5}}"#),
            record(
                4,
                LABELS_CHANGED,
                r#"{"added":{},"modified":{},"removed":[]}"#,
            ),
            record(5, "touch", ""),
            record(6, "batteryStatus", r#"{"percentage":100}"#),
        ];
        let whole = Device::new(&project(), &device(), &labels(&pairs), &latest);
        let whole = whole.expect("payloads");
        assert_snapshot!(told(whole.json()), @r#"{"name":"projects/p1/devices/emu7\u00e9","type":"temperature","productNumber":"102081","labels":{"name":"K\u00fcche","virtual-sensor":""},"reported":{"temperature":{"value":21.5,"updateTime":"2021-05-16T08:13:15.360000Z","samples":[{"value":21.5,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false},"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"},"batteryStatus":{"percentage":100,"updateTime":"2021-05-16T08:13:15.360000Z"}}}"#);
        assert_snapshot!(told(devices(&[whole], true)), @r#"{"devices":[{"name":"projects/p1/devices/emu7\u00e9","type":"temperature","productNumber":"102081","labels":{"name":"K\u00fcche","virtual-sensor":""},"reported":{"temperature":{"value":21.5,"updateTime":"2021-05-16T08:13:15.360000Z","samples":[{"value":21.5,"sampleTime":"2021-05-16T08:13:15.360000Z"}],"isBackfilled":false},"touch":{"updateTime":"2021-05-16T08:13:15.360000Z"},"batteryStatus":{"percentage":100,"updateTime":"2021-05-16T08:13:15.360000Z"}}}],"nextPageToken":"projects/p1/devices/emu7\u00e9"}"#);
        assert_eq!(
            told(devices(&[], false)),
            r#"{"devices":[],"nextPageToken":""}"#
        );
        let unreadable = Device::new(&project(), &device(), &labels(&[]), &[broken()]);
        assert!(unreadable.is_err());
    }

    #[test]
    fn what_a_device_is_is_told_by_its_label_or_its_events() {
        let ty = |pairs: &[(&str, &str)], types: &[&str]| {
            let latest = types.iter().map(|ty| record(1, ty, "{}"));
            kept("a", pairs, &latest.collect::<Vec<_>>()).ty
        };
        assert_eq!(ty(&[(TYPE_LABEL, "ccon")], &["touch"]), "ccon");
        assert_eq!(ty(&[], &["networkStatus", "objectPresent"]), "proximity");
        assert_eq!(ty(&[], &["cellularStatus"]), "ccon");
        assert_eq!(ty(&[], &["touch", "temperature"]), "temperature");
        assert_eq!(ty(&[], &["temperature", "humidity", "co2", "touch"]), "co2");
        assert_eq!(ty(&[], &["batteryStatus"]), "unknown");
        assert_snapshot!(told(kept("a", &[], &[]).json()), @r#"{"name":"projects/p1/devices/a","type":"unknown","labels":{},"reported":{}}"#);
    }

    #[test]
    fn devices_are_searched_and_put_in_order() {
        let warm = [record(
            1,
            "temperature",
            r#"{"temperature":{"value":21.5}}"#,
        )];
        let cold = [record(1, "temperature", r#"{"temperature":{"value":-3}}"#)];
        let three = [
            kept("a", &[("room.no", "2"), (TYPE_LABEL, "touch")], &[]),
            kept("b", &[("room.no", "1"), (PRODUCT_LABEL, "X7")], &warm),
            kept("c", &[("Lobby", "")], &cold),
        ];
        let ordered = |text: &str| {
            let by = super::super::request::devices(&format!("orderBy={text}"));
            let mut devices = three.to_vec();
            if let Some(by) = by.expect("a list").order_by {
                order(&mut devices, &by);
            }
            ids(&devices).concat()
        };
        assert_eq!(ordered(""), "abc");
        assert_eq!(ordered("name"), "abc");
        assert_eq!(ordered("-name"), "cba");
        assert_eq!(ordered("reported.temperature.value"), "cba");
        assert_eq!(ordered("-reported.temperature.value"), "bca");
        assert_eq!(ordered("labels.room.no"), "bac");
        assert_eq!(ordered("type"), "bca");
        assert_eq!(ordered("productNumber"), "bac");
        assert_eq!(ordered("reported.temperature"), "abc");
        let found = |search: &str| {
            let found = three.iter().filter(|device| device.holds(search));
            ids(&found.cloned().collect::<Vec<_>>()).concat()
        };
        assert_eq!(
            ["lobby", "x7", "touch", "room", "-3"].map(found),
            ["c", "b", "a", "ab", ""]
        );
    }

    #[test]
    fn projects_and_what_was_not_done_are_told() {
        let listed = Listed {
            name: project(),
            sensors: 7,
            cloud_connectors: 1,
        };
        assert_snapshot!(told(project_told(&listed)), @r#"{"name":"projects/p1","displayName":"p1","inventory":false,"organization":"organizations/feedwire","organizationDisplayName":"Feedwire","sensorCount":7,"cloudConnectorCount":1}"#);
        assert_snapshot!(told(projects(&[listed], Some(&project()))), @r#"{"projects":[{"name":"projects/p1","displayName":"p1","inventory":false,"organization":"organizations/feedwire","organizationDisplayName":"Feedwire","sensorCount":7,"cloudConnectorCount":1}],"nextPageToken":"p1"}"#);
        assert_eq!(
            told(projects(&[], None)),
            r#"{"projects":[],"nextPageToken":""}"#
        );
        let name = |text| device_name(text).expect("a name");
        let failures = [
            (
                name("projects/p1/devices/\u{e9}"),
                unknown_device(&device()),
            ),
            (name("projects/-/devices/a"), not_moved(&device())),
        ];
        assert_snapshot!(told(updated(&failures)), @r#"{"batchErrors":[{"device":"projects/p1/devices/\u00e9","status":{"code":"NOT_FOUND","message":"there is no device emu7\u00e9"}},{"device":"projects/-/devices/a","status":{"code":"INVALID_ARGUMENT","message":"device emu7\u00e9 is in this project already"}}]}"#);
        assert_snapshot!(told(transferred(&[name("projects/p2/devices/a")], &failures[..1])), @r#"{"transferredDevices":["projects/p2/devices/a"],"transferErrors":[{"device":"projects/p1/devices/\u00e9","status":{"code":"NOT_FOUND","message":"there is no device emu7\u00e9"}}]}"#);
        assert_eq!(told(updated(&[])), r#"{"batchErrors":[]}"#);
        assert_eq!(told(done()), "{}");
    }

    fn project_told(listed: &Listed) -> Vec<u8> {
        super::project(listed)
    }
}
