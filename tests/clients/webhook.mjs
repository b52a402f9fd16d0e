// Verifies a request as Standard Webhooks' own library does, has CloudEvents' own SDK read it, and prints the events, a line each.
// Usage: node webhook.mjs SECRET, with {"headers", "body"} at its standard input
import { text } from "node:stream/consumers";
import { HTTP } from "cloudevents";
import { Webhook } from "standardwebhooks";

const { headers, body } = JSON.parse(await text(process.stdin));
new Webhook(process.argv[2]).verify(body, headers, { jsonParse: false });
const told = HTTP.toEvent({ headers, body });
for (const event of Array.isArray(told) ? told : [told]) console.log(JSON.stringify(event));
