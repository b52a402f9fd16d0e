//! The dialect `disruptive` at its boundary: what is asked and sent, and what is made of it.

mod asking;
mod publishing;
mod updating;
