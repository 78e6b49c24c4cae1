// OpenAI's Agents SDK for TypeScript: its function tools.
import { readFileSync } from "node:fs";
import { MCPServerStdio, mcpToFunctionTool } from "@openai/agents";
import { args, command, env, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(readFileSync("node_modules/@openai/agents/package.json", "utf8"));
const server = new MCPServerStdio({ command, args, env, clientSessionTimeoutSeconds: 60 });
await server.connect();

await serve({
  version,
  list: async () => {
    const tools = await server.listTools();
    for (const strict of [false, true]) tools.map((tool) => mcpToFunctionTool(tool, server, strict));
    return tools.map((tool) => tool.name);
  },
  call: async (name, request) => {
    const result = await server.callTool(name, request);
    return read(Array.isArray(result) ? { content: result } : result);
  },
});
