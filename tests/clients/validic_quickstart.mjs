// Calls Validic's API as the vendor's quickstart does: over https with node's own module, with the token in every address, without `Accept`.
// Usage: node validic_quickstart.mjs URL TOKEN DATE
// Looks for its stream, makes it where there is none, has all since DATE replayed, and connects, again and again. Prints each event as a line
// of JSON: where it is from, and its data.
import https from "node:https";

const [api, token, date] = process.argv.slice(2);
const RESOURCES = ["measurement", "summary", "workout", "sleep"];
const NAME = "sample-app-stream";

function tell(from, data) {
  process.stdout.write(`${JSON.stringify({ from, data })}\n`);
}

/** Calls `path`, and returns the JSON of its answer. */
function call(method, path, body) {
  return new Promise((resolve, reject) => {
    const headers = body && { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
    const request = https.request(`${api}${path}?token=${token}`, { method, headers }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => (text += chunk));
      answer.on("end", () => {
        const { statusCode: status } = answer;
        if (status >= 200 && status < 300) resolve(JSON.parse(text));
        else reject(new Error(`${status} ${text}`));
      });
    });
    request.on("error", reject);
    request.end(body);
  });
}

/** Tells what is streamed at `url`; settles once it has ended or broken off. */
function follow(from, url) {
  return new Promise((resolve) => {
    const request = https.request(url, (answer) => {
      let rest = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk) => {
        const blocks = (rest + chunk).split("\n\n");
        rest = blocks.pop();
        for (const block of blocks) {
          const lines = block.split("\n");
          if (lines.some((line) => line === "event: poke")) continue;
          const data = lines.find((line) => line.startsWith("data:"));
          tell(from, JSON.parse(data.slice("data:".length)));
        }
      });
      answer.on("close", resolve);
    });
    request.on("error", resolve);
    request.end();
  });
}

const { streams } = await call("GET", "/streams");
let stream = streams.find(({ name }) => name === NAME);
if (!stream) {
  const wanted = { name: NAME, start_date: date, resource_filter: RESOURCES, event_type_filter: ["data", "connection"] };
  stream = await call("POST", "/streams", JSON.stringify(wanted));
}
await follow("replay", `${api}/replay?resources=${RESOURCES.join(",")}&token=${token}&date=${date}`);
tell("replay", null);
for (;;) {
  await follow("stream", `${api}/streams/${stream.id}/connect?token=${token}`);
  await new Promise((resolve) => setTimeout(resolve, 100));
}
