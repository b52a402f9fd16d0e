// Reads a feed of Aria's with one of the eventsource packages and prints each event as a line of JSON.
// Usage: node aria_events.mjs PACKAGE URL
const [name, url] = process.argv.slice(2);
const imported = await import(name);
const EventSource = imported.EventSource ?? imported.default.EventSource ?? imported.default;
const source = new EventSource(url);
// The newest of them lets the process end while it waits to reconnect.
setInterval(() => {}, 60_000);
for (const event of ["create", "update", "delete", "load", "message"]) {
  source.addEventListener(event, ({ lastEventId, data }) => {
    const lines = data.split("\n").map(JSON.parse);
    process.stdout.write(`${JSON.stringify({ id: lastEventId, event, data: lines })}\n`);
  });
}
