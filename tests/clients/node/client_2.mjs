// The official TypeScript SDK 2.x, whose client is a package of its own.
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { answer, args, command, env, note, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(
  readFileSync("node_modules/@modelcontextprotocol/client/package.json", "utf8"),
);
const capabilities = { elicitation: { form: {} } };
const client = new Client({ name: "tour", version: "1" }, { capabilities });
client.setRequestHandler("elicitation/create", (request) => answer(request.params));
await client.connect(new StdioClientTransport({ command, args, env, stderr: "inherit" }));

await serve({
  version,
  protocol: client.getNegotiatedProtocolVersion?.() ?? "",
  canAsk: true,
  canShowProgress: true,
  list: async () => (await client.listTools()).tools.map((tool) => tool.name),
  call: async (name, request, signal) =>
    read(await client.callTool({ name, arguments: request }, { signal, onprogress: note })),
});
