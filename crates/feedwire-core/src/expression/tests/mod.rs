//! What expressions say of events, what is refused, and what hostile ones cost.

mod bounding;
mod modelling;
mod passing;
mod refusing;
mod world;
