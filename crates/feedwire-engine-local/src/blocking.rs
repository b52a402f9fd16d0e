//! Work that waits for a disk, kept off the threads that serve.

use feedwire_engine::Unavailable;

/// Runs `work` where it may block. It runs to its end even if the caller goes away.
pub(crate) async fn blocking<T, E>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Unavailable> + Send + 'static,
{
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(Unavailable::new)?
}
