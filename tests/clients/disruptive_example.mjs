// Follows temperatures as the vendor's example for Node does: an access token for a signed assertion, a stream of Server-Sent Events with
// the token in its address, and a new one of both when there is an error or no ping.
// Usage: node disruptive_example.mjs URL TOKEN_URL KEY_ID SECRET EMAIL
// Prints, each as a line of JSON, `open` at the first ping of each stream, and of each temperature its device, its value and its time.
import axios from "axios0.21";
import EventSource from "eventsource1";
import jwt from "jsonwebtoken";

const [url, tokenUrl, keyId, secret, email] = process.argv.slice(2);
// The example leaves this address as it is, wherever it asks for its token.
const AUDIENCE = "https://identity.disruptive-technologies.com/oauth2/token";
const GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const PING_SECONDS = 10;
const PING_JITTER_MILLISECONDS = 2000;
const TRIES_MAX = 3;

let tries = 0;
let isOpen;
let stream;

function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

async function accessToken() {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iat: now, exp: now + 3600, aud: AUDIENCE, iss: email };
  const assertion = jwt.sign(claims, secret, { header: { alg: "HS256", kid: keyId }, algorithm: "HS256" });
  const form = Object.entries({ assertion, grant_type: GRANT }).map((pair) => pair.map(encodeURIComponent).join("="));
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const answer = await axios({ method: "POST", url: tokenUrl, headers, data: form.join("&") });
  return answer.data.access_token;
}

async function follow() {
  if (tries >= TRIES_MAX) process.exit(1);
  tries += 1;
  const token = await accessToken();
  if (stream) stream.close();
  isOpen = false;
  stream = new EventSource(`${url}?eventTypes=temperature&pingInterval=${PING_SECONDS}s&token=${token}`);
  stream.onmessage = hear;
  stream.onerror = follow;
}

const patience = setTimeout(follow, PING_SECONDS * 1000 + PING_JITTER_MILLISECONDS);

function hear(message) {
  const payload = JSON.parse(message.data);
  if (!payload || !payload.result) return;
  tries = 0;
  const { eventType, data, targetName } = payload.result.event;
  if (eventType === "ping") {
    patience.refresh();
    if (!isOpen) tell("open");
    isOpen = true;
  } else if (eventType === "temperature") {
    const { value, updateTime } = data.temperature;
    tell([targetName.split("/")[3], value, updateTime]);
  }
}

await follow();
