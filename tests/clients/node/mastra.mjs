// Mastra: the tools of its client, executed as its agents do.
import { readFileSync } from "node:fs";
import { MCPClient } from "@mastra/mcp";
import { answer, args, command, env, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(readFileSync("node_modules/@mastra/mcp/package.json", "utf8"));
const inputRequests = async ({ params }) => answer(params);
const client = new MCPClient({
  servers: { archive: { command, args, env, inputRequests } },
  timeout: 60_000,
});
const tools = await client.listTools();

await serve({
  version,
  canAsk: true,
  list: async () => Object.keys(tools),
  call: async (name, request) => {
    const result = await tools[`archive_${name}`].execute(request, {});
    // A result with structured content is that content alone.
    return result.content ? read(result) : { text: JSON.stringify(result), isError: false, images: 0 };
  },
});
