//! The places under which encodings of an event at the tail are kept: one for each dialect and framing.

use feedwire_core::Rendition;

/// The native API's Server-Sent Events.
pub(crate) const NATIVE_SSE: Rendition = Rendition::new(0);
/// The native API's newline delimited JSON.
pub(crate) const NATIVE_NDJSON: Rendition = Rendition::new(1);
/// Disruptive's Server-Sent Events.
pub(crate) const DISRUPTIVE_SSE: Rendition = Rendition::new(2);
/// Disruptive's lines of JSON.
pub(crate) const DISRUPTIVE_LINES: Rendition = Rendition::new(3);
/// Validic's Server-Sent Events.
pub(crate) const VALIDIC_SSE: Rendition = Rendition::new(4);
/// Aria's Server-Sent Events.
pub(crate) const ARIA_SSE: Rendition = Rendition::new(5);
