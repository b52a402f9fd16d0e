//! Streams, as the native API takes and tells them.

pub use crate::stream_answer as answer;
pub use crate::stream_body as body;
pub use crate::stream_error as error;
pub use crate::stream_framing as framing;
