// LangChain.js: the tools of its adapter, invoked as its agents do.
import { readFileSync } from "node:fs";
import { MultiServerMCPClient } from "@langchain/mcp-adapters";
import { args, command, env, note, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(
  readFileSync("node_modules/@langchain/mcp-adapters/package.json", "utf8"),
);
const client = new MultiServerMCPClient({
  mcpServers: { archive: { transport: "stdio", command, args, env } },
  onProgress: note,
});
const tools = Object.fromEntries((await client.getTools()).map((tool) => [tool.name, tool]));

await serve({
  version,
  canShowProgress: true,
  list: async () => Object.keys(tools),
  call: async (name, input, signal) => {
    const request = { name, args: input, id: "1", type: "tool_call" };
    const { content } = await tools[name].invoke(request, { signal });
    return read({ content: typeof content === "string" ? [{ type: "text", text: content }] : content });
  },
});
