//! Who may have done what.

mod administration;
mod escalating;
mod leaving;
mod limits;
mod proofs;
mod revoking;
mod rules;
mod tokens;

use feedwire_testkit::{Answer, TestServer};

/// The header that proves somebody by `token`.
pub(super) fn bearer(token: &str) -> String {
    format!("authorization: Bearer {token}")
}

/// Asks as whoever has `token`, with a JSON body where there is one.
pub(super) async fn ask(
    server: &TestServer,
    token: &str,
    method: &str,
    path: &str,
    body: &str,
) -> Answer {
    let proof = bearer(token);
    let headers = [proof.as_str(), "content-type: application/json"];
    server.ask(method, path, &headers, body.as_bytes()).await
}

/// The token of a credential of the server's own home that may do everything.
pub(super) async fn admin(server: &TestServer) -> String {
    let made = server.credential("_system", &[("*", "admin", "")]).await;
    made.secret.token().to_string()
}

/// Makes a project.
async fn project(server: &TestServer, token: &str, name: &str) {
    let body = format!(r#"{{"name":"{name}"}}"#);
    let made = ask(server, token, "POST", "/v1/projects", &body).await;
    assert_eq!(made.status, 201, "{}", made.text());
}
