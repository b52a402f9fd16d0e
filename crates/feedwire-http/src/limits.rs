//! Every limit of the edge, in one place.

use std::time::Duration;

use feedwire_dialects::native::request::{HEARTBEAT, PAGE_BYTES_MAX};
use feedwire_event::limits::{BATCH_BYTES_MAX, EVENT_BYTES_MAX};

/// Bytes to publish that may come at once after some quiet, however few there may be a second: a largest body.
pub(crate) const PUBLISH_BURST_BYTES_MIN: u64 = (BATCH_BYTES_MAX + MIB) as u64;

/// What clients may have of the edge: bytes, time and number.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections. One more waits in the listener's backlog until another ends.
    pub connections_max: usize,
    /// Open connections of a listener for metrics: some scrapers, and somebody who looks.
    pub scrapers_max: usize,
    /// The part of a request's first line that is the address. Filters by many subjects make it long.
    pub uri_bytes_max: usize,
    /// The headers of a request, names and values together.
    pub headers_bytes_max: usize,
    /// A connection's buffer for what was read and not yet understood. Larger than address and headers together, so that what is
    /// too large by a little is told in full.
    pub connection_buffer_bytes: usize,
    /// A body that has to be whole before anything is done with it: the largest batch, and what JSON puts around it.
    pub body_bytes_max: usize,
    /// A line of a streamed body: the largest event, and what JSON puts around it.
    pub line_bytes_max: usize,
    /// All bodies that are being received, together.
    pub bodies_bytes_max: usize,
    /// A page, where a client does not ask for less. It ends with the batch that reaches this: a batch is never split.
    pub page_bytes: usize,
    /// A part of the history of one subject, which is never cut to it but refused: clients count what they get in versions.
    pub history_bytes: usize,
    /// All pages that are being sent, together.
    pub pages_bytes_max: usize,
    /// All that streams have read of logs and their clients have not yet taken, together. What readers at the tail share is not
    /// counted. Batches are read whole, so a stream may have much more at hand than it sends in one chunk.
    pub streams_bytes_max: usize,
    /// What a stream sends in one chunk, if its events are not larger than that.
    pub frame_bytes: usize,
    /// How long a stream of Disruptive's API lasts, which its vendor ends after an hour; `None` is for as long as its reader likes.
    pub disruptive_lifetime: Option<Duration>,
    /// Streams that the dialect of Validic makes in one project; its vendor has 5.
    pub validic_streams_max: usize,
    /// Members of each of them; its vendor has 3.
    pub validic_members_max: usize,
    /// How long a feed of Aria's API is silent at most. Its clients cannot ask for another span, and routers on the way forget connections
    /// that are silent for longer.
    pub aria_heartbeat: Duration,
    /// How long a stream whose time is over goes on with what there is for it.
    pub end_grace: Duration,
    /// From the end of a request, or from the opening of the connection, to the end of the next request's headers.
    pub head_timeout: Duration,
    /// Between two pieces of a body.
    pub body_timeout: Duration,
    /// How long a connection can be written to without the other end taking anything.
    pub stall_timeout: Duration,
    /// How long what the other end still sends is thrown away after our end is closed. Closing with unread input would reset the
    /// connection, and the client would lose the end of what it was sent.
    pub linger_timeout: Duration,
    /// How much is thrown away that way.
    pub linger_bytes_max: usize,
    /// How long the other end of a connection may give no sign of life: after that the network on the way is taken for gone.
    pub silence_timeout: Duration,
    /// How long a connection that has had no request is waited for once the server stops: the request may be on its way.
    pub first_request_grace: Duration,
    /// How long requests may take to finish once the server stops.
    pub stop_deadline: Duration,
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

impl Default for Limits {
    fn default() -> Self {
        Self {
            // Below the 20,000 descriptors that a process may commonly have, with room for the log's files.
            connections_max: 16_000,
            scrapers_max: 64,
            uri_bytes_max: 32 * KIB,
            headers_bytes_max: 16 * KIB,
            connection_buffer_bytes: 64 * KIB,
            body_bytes_max: BATCH_BYTES_MAX + MIB,
            line_bytes_max: EVENT_BYTES_MAX + 64 * KIB,
            bodies_bytes_max: 256 * MIB,
            page_bytes: PAGE_BYTES_MAX,
            history_bytes: 64 * MIB,
            pages_bytes_max: 256 * MIB,
            streams_bytes_max: 256 * MIB,
            frame_bytes: 64 * KIB,
            disruptive_lifetime: Some(Duration::from_hours(1)),
            validic_streams_max: 5,
            validic_members_max: 3,
            aria_heartbeat: HEARTBEAT,
            end_grace: Duration::from_secs(10),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            stall_timeout: Duration::from_secs(30),
            linger_timeout: Duration::from_secs(1),
            linger_bytes_max: 16 * MIB,
            silence_timeout: Duration::from_mins(1),
            first_request_grace: Duration::from_millis(250),
            stop_deadline: Duration::from_secs(10),
        }
    }
}

impl Limits {
    /// Least of the limits that hyper refuses to go below.
    const CONNECTION_BUFFER_BYTES_MIN: usize = 8 * KIB;

    /// The connection's buffer as hyper takes it.
    pub(crate) fn buffer(&self) -> usize {
        self.connection_buffer_bytes
            .max(Self::CONNECTION_BUFFER_BYTES_MIN)
    }
}
