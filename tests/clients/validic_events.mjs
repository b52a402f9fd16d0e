// Connects to a stream of Validic's API with one of the eventsource packages and prints each event as a line of JSON.
// Usage: node validic_events.mjs PACKAGE URL
const [name, url] = process.argv.slice(2);
const imported = await import(name);
const EventSource = imported.EventSource ?? imported.default.EventSource ?? imported.default;
const source = new EventSource(url);
// The newest of them lets the process end while it waits to reconnect.
setInterval(() => {}, 60_000);
for (const name of ["data", "connection", "rule", "poke"]) {
  source.addEventListener(name, (event) => {
    process.stdout.write(`${JSON.stringify({ name, data: JSON.parse(event.data) })}\n`);
  });
}
