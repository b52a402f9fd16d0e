//! nginx with the module nchan, publishing to and reading from memory, where both are installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context as _;

use super::{Peer, free_port, words};
use crate::child::{Child, Says};
use crate::load::Protocol;

const PROGRAM: &str = "/usr/sbin/nginx";

/// Where distributions put it.
const MODULES: [&str; 2] = [
    "/usr/lib/nginx/modules/ngx_nchan_module.so",
    "/usr/lib64/nginx/modules/ngx_nchan_module.so",
];

pub(crate) const PUBLISH: &str = "/publish";
pub(crate) const STREAM: &str = "/stream";

/// Starts it over `folder`; none where it is not installed.
pub(crate) fn start(core: usize, folder: &Path) -> anyhow::Result<Option<Peer>> {
    let version = Command::new(PROGRAM)
        .arg("-v")
        .stderr(Stdio::null())
        .status();
    let module = MODULES.iter().map(PathBuf::from).find(|path| path.exists());
    let Some(module) = module.filter(|_| version.is_ok_and(|status| status.success())) else {
        return Ok(None);
    };
    let address = free_port()?;
    let path = folder.join("nginx.conf");
    fs::write(&path, configuration(&module, folder, address.port()))?;
    let mut command = words([PROGRAM, "-p"]);
    command.push(folder.as_os_str().to_owned());
    command.extend(words(["-e", "stderr", "-c"]));
    command.push(path.into_os_string());
    let child = Child::start(core, command, Says::Error)?;
    child.until("epoll").context("nginx with nchan")?;
    Ok(Some(Peer {
        child,
        address,
        protocol: Protocol::Http,
    }))
}

/// One process; messages in memory only, as many as readers can be behind.
fn configuration(module: &Path, folder: &Path, port: u16) -> String {
    let (module, folder) = (module.display(), folder.display());
    format!(
        "daemon off;
master_process off;
user root;
pid {folder}/nginx.pid;
load_module {module};
error_log stderr notice;
worker_rlimit_nofile 20000;
events {{ use epoll; worker_connections 19000; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  client_body_buffer_size 64k;
  nchan_shared_memory_size 1024M;
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location = {PUBLISH} {{
      nchan_publisher;
      nchan_channel_id flights;
      nchan_message_buffer_length 100000;
      nchan_message_timeout 60s;
    }}
    location = {STREAM} {{
      nchan_subscriber eventsource;
      nchan_channel_id flights;
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"
    )
}
