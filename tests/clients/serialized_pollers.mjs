// Polls feeds with plain axios, as the vendor's samples do, while others write; prints `polling` when each poller has had its
// first answer, and, once its input ends, the entries that each has seen.
// Usage: node serialized_pollers.mjs URL ACCESS_KEY SECRET_ACCESS_KEY POLLERS
// POLLERS is JSON: of each poller, by its name, the feed, the query, and whether it goes on from `currentSequenceNumber` where
// there is no entry, as the vendor's client for Java does.
import axios from "axios";

const [url, accessKey, secretAccessKey, pollers] = process.argv.slice(2);
const headers = { "Serialized-Access-Key": accessKey, "Serialized-Secret-Access-Key": secretAccessKey };
const written = new AbortController();

async function poll({ feed, query, jumps }, begin) {
  const seen = [];
  let since = 0;
  for (;;) {
    // What is asked for now has all that there will be, and nothing is worth waiting for.
    const isLast = written.signal.aborted;
    const params = new URLSearchParams(query);
    params.set("since", since);
    if (isLast) params.delete("waitTime");
    const signal = isLast ? undefined : written.signal;
    let page;
    try {
      page = (await axios.get(`${url}/feeds/${feed}`, { params, headers, signal, timeout: 90_000 })).data;
    } catch (error) {
      if (error.response) throw error;
      // The server was stopped in the middle, or all is written.
      continue;
    }
    begin();
    const { entries, hasMore, currentSequenceNumber } = page;
    seen.push(...entries);
    const end = entries.at(-1)?.sequenceNumber ?? (jumps ? currentSequenceNumber : since);
    if (end < since || currentSequenceNumber < end) throw new Error(`from ${since} to ${JSON.stringify(page)}`);
    since = end;
    if (isLast && !hasMore) return seen;
  }
}

process.stdin.resume().once("end", () => written.abort());
const begun = [];
const polls = [];
for (const [name, poller] of Object.entries(JSON.parse(pollers))) {
  begun.push(new Promise((begin) => polls.push(poll(poller, begin).then((seen) => [name, seen]))));
}
await Promise.all(begun);
console.log("polling");
console.log(JSON.stringify(Object.fromEntries(await Promise.all(polls))));
