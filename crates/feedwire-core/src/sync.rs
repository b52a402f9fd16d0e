//! The lock of the tail, driven by the shuttle scheduler when that is asked for.

#[cfg(not(feature = "shuttle"))]
pub(crate) use parking_lot::Mutex;

#[cfg(feature = "shuttle")]
pub(crate) use driven::Mutex;

#[cfg(feature = "shuttle")]
mod driven {
    /// A lock at which the scheduler may switch tasks.
    #[derive(Debug, Default)]
    pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Self {
            Self(shuttle::sync::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> shuttle::sync::MutexGuard<'_, T> {
            self.0
                .lock()
                .expect("no task panics while it holds the lock")
        }
    }
}
