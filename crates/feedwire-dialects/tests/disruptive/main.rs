//! The dialect `disruptive` at its boundary: what is asked and sent, and what is made of it.

mod asking;
mod connecting;
mod publishing;
mod updating;
