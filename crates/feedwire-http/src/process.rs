//! What the process takes of its machine.

/// What the process takes of its machine; what the system does not tell is not there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Process {
    /// Seconds of processors.
    pub cpu_seconds: Option<f64>,
    /// Memory that is in RAM.
    pub resident_bytes: Option<u64>,
    /// File descriptors that are open.
    pub open_fds: Option<u64>,
    /// How many may be.
    pub max_fds: Option<u64>,
}
