//! A request, built beforehand; only digits are written into it between two sendings.

use std::net::SocketAddr;

use crate::event::{DIGITS, Event, NUMBER_FROM_END, put, write_digits};

#[derive(Debug, Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    /// Where digits of subjects begin.
    subjects: Vec<usize>,
    /// Where digits of numbers begin.
    numbers: Vec<usize>,
}

impl Request {
    /// A `POST` of one event, or of a batch of `events`.
    pub(crate) fn post(address: SocketAddr, path: &str, events: usize, event_bytes: usize) -> Self {
        let event = Event::of(event_bytes);
        let is_batch = events > 1;
        let body = events * (event.json.len() + 1) - 1 + if is_batch { 2 } else { 0 };
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {body}\r\n\r\n"
        );
        let mut request = Self::empty(head.into_bytes());
        for index in 0..events {
            match index {
                0 if is_batch => request.bytes.push(b'['),
                0 => {}
                _ => request.bytes.push(b','),
            }
            request.push(&event);
        }
        if is_batch {
            request.bytes.push(b']');
        }
        request
    }

    /// A `POST` of `events` lines, each like `event`.
    pub(crate) fn lines(address: SocketAddr, path: &str, events: usize, event: &Event) -> Self {
        let body = events * (event.json.len() + 1);
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/x-ndjson\r\ncontent-length: {body}\r\n\r\n"
        );
        let mut request = Self::empty(head.into_bytes());
        for _ in 0..events {
            request.push(event);
            request.bytes.push(b'\n');
        }
        request
    }

    /// A `PUT` of one entity below `path`, which has its subject.
    pub(crate) fn put_entity(address: SocketAddr, path: &str, bytes: usize) -> Self {
        let subject = format!("N{:0DIGITS$}", 0);
        let mut request = Self::empty(format!("PUT {path}/{subject}").into_bytes());
        request.subjects.push(request.bytes.len() - DIGITS);
        let body = put(bytes);
        let head = format!(
            " HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        request.bytes.extend_from_slice(head.as_bytes());
        request.bytes.extend_from_slice(&body);
        request.numbers.push(request.bytes.len() - NUMBER_FROM_END);
        request
    }

    /// A `GET` that asks for `accept`.
    pub(crate) fn get(address: SocketAddr, path: &str, accept: &str) -> Self {
        let head = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\naccept: {accept}\r\n\r\n");
        Self::empty(head.into_bytes())
    }

    /// A `POST` of `body`, in which there are no digits to be written.
    pub(crate) fn post_json(address: SocketAddr, path: &str, body: &str) -> Self {
        Self::json("POST", address, path, body)
    }

    /// A `PUT` of `body`.
    pub(crate) fn put_json(address: SocketAddr, path: &str, body: &str) -> Self {
        Self::json("PUT", address, path, body)
    }

    fn json(method: &str, address: SocketAddr, path: &str, body: &str) -> Self {
        let length = body.len();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
        );
        Self::empty([head.as_bytes(), body.as_bytes()].concat())
    }

    /// The same by whoever has `token`.
    pub(crate) fn proven(self, token: &str) -> Self {
        self.with("authorization", &format!("Bearer {token}"))
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        let end = self.bytes.len() - self.body().len() - b"\r\n".len();
        let header = format!("{name}: {value}\r\n");
        for at in self.subjects.iter_mut().chain(&mut self.numbers) {
            *at += header.len();
        }
        self.bytes.splice(end..end, header.into_bytes());
        self
    }

    /// An `XADD` of one event to a stream of Redis.
    pub(crate) fn xadd(event_bytes: usize) -> Self {
        let event = Event::of(event_bytes);
        let head = format!(
            "*5\r\n$4\r\nXADD\r\n$7\r\nflights\r\n$1\r\n*\r\n$1\r\ne\r\n${}\r\n",
            event.json.len()
        );
        let mut request = Self::empty(head.into_bytes());
        request.push(&event);
        request.bytes.extend_from_slice(b"\r\n");
        request
    }

    fn empty(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            subjects: Vec::new(),
            numbers: Vec::new(),
        }
    }

    fn push(&mut self, event: &Event) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&event.json);
        self.subjects.push(start + event.subject_at);
        self.numbers.push(start + event.number_at());
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes of its events, without what HTTP puts in front.
    pub(crate) fn body(&self) -> &[u8] {
        let end = memchr::memmem::find(&self.bytes, b"\r\n\r\n").map_or(0, |at| at + 4);
        &self.bytes[end..]
    }

    pub(crate) fn events(&self) -> usize {
        self.subjects.len()
    }

    /// Gives its events the numbers from `first` on, and subjects in turn, of `subjects` in all.
    pub(crate) fn number(&mut self, first: u64, subjects: u64) {
        for (at, number) in self.subjects.iter().zip(first..) {
            write_digits(&mut self.bytes, *at, number % subjects);
        }
        for (at, number) in self.numbers.iter().zip(first..) {
            write_digits(&mut self.bytes, *at, number);
        }
    }
}
