//! The end of a connection whose other end may still be sending.

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::time::timeout;

use crate::Limits;

/// Throws away what the other end still sends until it closes its side too.
pub(crate) async fn linger<S: AsyncRead + Unpin>(mut socket: S, limits: &Limits) {
    let drain = async {
        let mut waste = vec![0; 8 * 1024];
        let mut left = limits.linger_bytes_max;
        while let Ok(read @ 1..) = socket.read(&mut waste).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    // Who does not close in time is closed.
    drop(timeout(limits.linger_timeout, drain).await);
}
