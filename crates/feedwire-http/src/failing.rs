//! What dialects have in common whose errors are a status and words.

use std::error::Error;

use feedwire_dialects::Failure;
use http::header::RETRY_AFTER;

use crate::answer::Answer;

/// Says in `answer`, whose body tells `failure`, what its head has to say of it.
pub(crate) fn told(failure: &Failure, mut answer: Answer) -> Answer {
    *answer.status_mut() = failure.status;
    if let Some(seconds) = failure.retry_after {
        answer.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    answer
}

/// The client is told what it can do; whoever runs the server is told why.
pub(crate) fn logged(failure: Failure, error: &(dyn Error + 'static)) -> Failure {
    if failure.status.is_server_error() {
        let status = failure.status.as_u16();
        tracing::error!(error, status, "a request failed");
    }
    failure
}

/// Has errors of these types told by the dialect in `Refused`, each as it says.
macro_rules! refused {
    ($($error:ty => $told:path),+ $(,)?) => {
        $(impl From<$error> for Refused {
            fn from(error: $error) -> Self {
                Self($crate::failing::logged($told(&error), &error))
            }
        })+
    };
}

pub(crate) use refused;
