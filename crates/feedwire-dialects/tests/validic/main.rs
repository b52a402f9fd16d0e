//! The dialect `validic` at its boundary: what is asked and sent, and what is made of it.

mod asking;
mod making;
