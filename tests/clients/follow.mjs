// Follows a feed with one of the eventsource packages and prints the id of each event; ends after a number of them.
// Usage: node follow.mjs PACKAGE URL COUNT
const [name, url, count] = process.argv.slice(2);
const imported = await import(name);
const EventSource = imported.EventSource ?? imported.default.EventSource ?? imported.default;
const source = new EventSource(url);
// The newest of them lets the process end while it waits to reconnect.
const alive = setInterval(() => {}, 60_000);
let seen = 0;
source.onopen = () => process.stdout.write("open\n");
source.onmessage = (event) => {
  JSON.parse(event.data);
  process.stdout.write(`${event.lastEventId}\n`);
  seen += 1;
  if (seen === Number(count)) {
    source.close();
    clearInterval(alive);
  }
};
