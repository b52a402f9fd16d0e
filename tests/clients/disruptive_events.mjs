// Follows a stream of Disruptive's API with one of the eventsource packages, which comes back by itself when a stream has ended.
// Usage: node disruptive_events.mjs PACKAGE URL
// Prints, each as a line of JSON, `open` at the first ping of each connection, and every event that is no ping.
const [name, url] = process.argv.slice(2);
const imported = await import(name);
const EventSource = imported.EventSource ?? imported.default.EventSource ?? imported.default;
const source = new EventSource(url);
// The newest of them lets the process end while it waits to reconnect.
setInterval(() => {}, 60_000);
let isOpen = false;

function tell(what) {
  process.stdout.write(`${JSON.stringify(what)}\n`);
}

source.onopen = () => {
  isOpen = false;
};
source.onmessage = ({ data, lastEventId }) => {
  const { event } = JSON.parse(data).result;
  if (event.eventType !== "ping") {
    tell({ ...event, lastEventId });
  } else if (!isOpen) {
    isOpen = true;
    tell("open");
  }
};
