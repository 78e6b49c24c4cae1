// The official TypeScript SDK 1.x, from its first release on.
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import * as types from "@modelcontextprotocol/sdk/types.js";
import { answer, args, command, env, note, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(
  readFileSync("node_modules/@modelcontextprotocol/sdk/package.json", "utf8"),
);
const canAsk = "ElicitRequestSchema" in types;
const capabilities = canAsk ? { elicitation: {} } : {};
const client = new Client({ name: "tour", version: "1" }, { capabilities });
if (canAsk) client.setRequestHandler(types.ElicitRequestSchema, (request) => answer(request.params));
await client.connect(new StdioClientTransport({ command, args, env, stderr: "inherit" }));

await serve({
  version,
  canAsk,
  canShowProgress: true,
  list: async () => (await client.listTools()).tools.map((tool) => tool.name),
  call: async (name, request, signal) =>
    read(
      await client.callTool({ name, arguments: request }, undefined, { signal, onprogress: note }),
    ),
});
