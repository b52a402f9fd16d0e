//! The dialect `aria` at its boundary: what is asked, and what is made of it.

mod asking;
