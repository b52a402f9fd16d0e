// Publishes an event with CloudEvents' own SDK, reads it back, and prints both, a line each.
// Usage: node cloudevents_sdk.mjs FEED binary|structured
import { CloudEvent, HTTP } from "cloudevents";

const [feed, mode] = process.argv.slice(2);
const event = new CloudEvent({
  id: "a-1",
  source: "/planes",
  type: "flight.departed",
  subject: "N14228",
  time: "2013-01-01T10:17:00.000Z",
  dataschema: "https://example.com/schema.json",
  datacontenttype: "application/json",
  traceid: "4f",
  data: { dest: "IAH", delay: 2.5 },
});
const { headers, body } = HTTP[mode](event);
const published = await fetch(`${feed}/events`, { method: "POST", headers, body });
if (!published.ok) throw new Error(await published.text());
const answer = await fetch(feed, { headers: { Accept: "application/cloudevents-batch+json" } });
const told = HTTP.toEvent({ headers: Object.fromEntries(answer.headers), body: await answer.text() });
// The time is told in another way of writing the same.
const plain = (event) => ({ ...event.toJSON(), time: new Date(event.time).toISOString() });
console.log(JSON.stringify(plain(event)));
console.log(JSON.stringify(plain(told[0])));
