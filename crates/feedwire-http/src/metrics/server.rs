//! Connections, room and streams.

use std::fmt;

use super::families::{Families, Family, PLAIN, bytes, number, seconds};
use crate::Tls;
use crate::edge::{Edge, Rooms};
use crate::room::Pool;
use crate::tally::{Connections, Handshakes, Streams};

const OPEN: Family = number("feedwire_http_connections", "Connections that are open");
const LIMIT: Family = number(
    "feedwire_http_connections_limit",
    "Connections that may be open; others wait in the listener's backlog",
);
const ACCEPTED: Family = number(
    "feedwire_http_connections_accepted",
    "Connections that were accepted",
);
const ACCEPT_WAITS: Family = number(
    "feedwire_http_accept_waits",
    "Times that as many connections as may be were open, so that others had to wait",
);
const ACCEPT_FAILURES: Family = number(
    "feedwire_http_accept_failures",
    "Times that a connection could not be accepted, for want of descriptors or memory",
);
const MALFORMED: Family = number(
    "feedwire_http_malformed_requests",
    "Connections that were ended because what came was no HTTP, or far beyond the limits",
);
const HANDSHAKES: Family = number(
    "feedwire_tls_handshakes",
    "TLS handshakes by what became of them; `plaintext` is a client that spoke HTTP without TLS",
);
const EXPIRES_AT: Family = seconds(
    "feedwire_tls_certificate_expires_at",
    "When the certificate that is shown expires, since 1970; nothing without TLS",
);
const ROOM: Family = bytes(
    "feedwire_http_room_taken",
    "Memory that bodies take at this moment: received, pages sent, streams",
);
const ROOM_LIMIT: Family = bytes(
    "feedwire_http_room_limit",
    "Memory that they may take; beyond it requests are refused and streams end",
);
const ROOM_REFUSALS: Family = number(
    "feedwire_http_room_refusals",
    "Times that there was not enough of it",
);
const STREAMS: Family = number("feedwire_http_streams", "Streams that are open");
const OPENED: Family = number("feedwire_http_streams_opened", "Streams that were opened");
const ENDED: Family = number(
    "feedwire_http_streams_ended",
    "Streams that ended; `left` is that the client went away or took nothing for too long",
);
const STREAMED: Family = bytes(
    "feedwire_http_streamed",
    "What was sent in streams, without the framing of HTTP",
);

pub(super) fn tell(families: &mut Families<'_>, edge: &Edge) -> fmt::Result {
    let tally = edge.tally();
    let limit = edge.limits().connections_max as u64;
    connections(families, &tally.connections, limit)?;
    tls(families, &tally.connections.handshakes, edge.tls())?;
    rooms(families, edge.rooms())?;
    streams(families, &tally.streams)
}

fn connections(families: &mut Families<'_>, found: &Connections, limit: u64) -> fmt::Result {
    families.levels(&OPEN, [(PLAIN, found.open.get())])?;
    families.levels(&LIMIT, [(PLAIN, limit)])?;
    families.counts(&ACCEPTED, [(PLAIN, found.accepted.get())])?;
    families.counts(&ACCEPT_WAITS, [(PLAIN, found.accept_waits.get())])?;
    families.counts(&ACCEPT_FAILURES, [(PLAIN, found.accept_failures.get())])?;
    families.counts(&MALFORMED, [(PLAIN, found.malformed.get())])
}

fn tls(families: &mut Families<'_>, made: &Handshakes, tls: Option<&Tls>) -> fmt::Result {
    let outcome = |(name, number)| ([("outcome", name)], number);
    families.counts(&HANDSHAKES, made.counts().map(outcome))?;
    let seconds = |tls: &Tls| tls.expires_at().as_micros().div_euclid(1_000_000);
    families.levels(&EXPIRES_AT, tls.map(|tls| (PLAIN, seconds(tls))))
}

fn rooms(families: &mut Families<'_>, rooms: &Rooms) -> fmt::Result {
    let of = |number: fn(&Pool) -> u64| {
        let pools = [
            ("received", &rooms.received),
            ("sent", &rooms.sent),
            ("streamed", &rooms.streamed),
        ];
        pools.map(|(name, pool)| ([("room", name)], number(pool)))
    };
    families.levels(&ROOM, of(Pool::taken_bytes))?;
    families.levels(&ROOM_LIMIT, of(Pool::bytes_max))?;
    families.counts(&ROOM_REFUSALS, of(Pool::refused))
}

fn streams(families: &mut Families<'_>, streams: &Streams) -> fmt::Result {
    let framing = |(name, number)| ([("framing", name)], number);
    families.levels(&STREAMS, streams.levels().map(framing))?;
    families.counts(&OPENED, streams.opened().map(framing))?;
    families.counts(&STREAMED, streams.bytes().map(framing))?;
    let why = |(name, number)| ([("reason", name)], number);
    families.counts(&ENDED, streams.endings().map(why))
}
