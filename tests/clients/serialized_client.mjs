// Makes calls with @serialized/serialized-client: reads one a line, and prints a line with what became of each.
// Usage: node serialized_client.mjs URL ACCESS_KEY SECRET_ACCESS_KEY
import { createInterface } from "node:readline";
import { Aggregate, DomainEvent, EventHandler, Serialized } from "@serialized/serialized-client";
import retries from "@serialized/serialized-client/dist/RetryStrategy.js";

const [baseURL, accessKey, secretAccessKey] = process.argv.slice(2);
// The client tells people what it loads, on what the answers are told by.
console.log = console.error;

class OrderPlaced {}
class OrderPaid {}
const EVENTS = { OrderPlaced, OrderPaid };

// The state of an order is what has become of it.
class OrderHandlers {
  initialState() {
    return { happened: [] };
  }
  happen({ happened }, { eventType, data, encryptedData }) {
    return { happened: [...happened, { eventType, data, encryptedData }] };
  }
}
const { happen } = Object.getOwnPropertyDescriptors(OrderHandlers.prototype);
// What decorators come to, which JavaScript does not have.
for (const type of Object.values(EVENTS)) EventHandler(type)(OrderHandlers.prototype, "happen", happen);
class OrderState {
  constructor(state) {
    Object.assign(this, state);
  }
}
const Order = Aggregate("order", OrderHandlers)(OrderState);

const serialized = Serialized.create({ accessKey, secretAccessKey });
const clients = {
  feeds: serialized.feedsClient(),
  orders: serialized.aggregateClient(Order),
  "orders, again": serialized.aggregateClient(Order, { retryStrategy: new retries.LinearRetryStrategy(1, 0) }),
  tenants: serialized.tenantClient(),
};
let answers, states, meanwhile;

for (const { axiosClient } of Object.values(clients)) {
  const { defaults } = axiosClient;
  const send = defaults.adapter;
  const seen = ({ status, headers, data }) => answers.push({ status, headers, data });
  // The client tells neither statuses nor headers.
  const watched = async (config) => {
    const call = config.method === "post" && meanwhile;
    if (call) {
      meanwhile = undefined;
      await make(call);
    }
    try {
      const answer = await send(config);
      seen(answer);
      return answer;
    } catch (error) {
      if (error.response) seen(error.response);
      throw error;
    }
  };
  // A call that is never answered fails.
  Object.assign(defaults, { baseURL, adapter: watched, timeout: 20_000 });
}

// Where the client takes a command, which is a function, there are the events that it is to return.
function commanded(events) {
  return ({ happened }) => {
    states.push(happened);
    return events.map(([type, data, encrypted]) => DomainEvent.create(Object.assign(new EVENTS[type](), data), encrypted));
  };
}

async function make({ client, call, given }) {
  const takesCommand = ["create", "update", "bulkUpdate"].includes(call);
  const values = given.map((value, place) => (takesCommand && place === 1 ? commanded(value) : value));
  const value = await clients[client][call](...values);
  // Of some calls all of axios' answer is returned.
  return value?.config ? value.data : value;
}

for await (const line of createInterface({ input: process.stdin })) {
  const call = JSON.parse(line);
  [answers, states, meanwhile] = [[], [], call.meanwhile];
  const told = { answers, states };
  try {
    told.value = await make(call);
  } catch (error) {
    const { name, message, statusCode, requestUrl, aggregateType, aggregateId } = error;
    told.error = { name, message, statusCode, requestUrl, aggregateType, aggregateId };
  }
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
