// mcporter, whose runtime other programs call tools by.
import { readFileSync } from "node:fs";
import { createRuntime } from "mcporter";
import { args, command, env, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(readFileSync("node_modules/mcporter/package.json", "utf8"));
const server = { name: "archive", command: { kind: "stdio", command, args, cwd: process.cwd() }, env };
const runtime = await createRuntime({ servers: [server] });

await serve({
  version,
  list: async () => (await runtime.listTools("archive")).map((tool) => tool.name),
  call: async (name, request) => read(await runtime.callTool("archive", name, { args: request })),
});
