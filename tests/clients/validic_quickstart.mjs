// Reads a stream of Validic's API with node's own module, as the vendor's quickstart does, and prints the data of each record.
// Usage: node validic_quickstart.mjs URL
import http from "node:http";

const [url] = process.argv.slice(2);

function connect() {
  let again = false;
  const comeBack = () => {
    if (!again) {
      again = true;
      setTimeout(connect, 100);
    }
  };
  const request = http.get(url, (answer) => {
    let rest = "";
    answer.setEncoding("utf8");
    answer.on("data", (chunk) => {
      const blocks = (rest + chunk).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        if (lines.some((line) => line === "event: poke")) continue;
        const data = lines.filter((line) => line.startsWith("data: ")).map((line) => line.slice(6));
        process.stdout.write(`${data.join("")}\n`);
      }
    });
    answer.on("end", comeBack);
    answer.on("error", comeBack);
  });
  request.on("error", comeBack);
}

connect();
