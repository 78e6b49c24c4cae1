// Vercel's AI SDK: its tools, executed as `generateText` does.
import { readFileSync } from "node:fs";
import { createMCPClient, ElicitationRequestSchema } from "@ai-sdk/mcp";
import { Experimental_StdioMCPTransport } from "@ai-sdk/mcp/mcp-stdio";
import { answer, args, command, env, read, serve } from "./bridge.mjs";

const { version } = JSON.parse(readFileSync("node_modules/@ai-sdk/mcp/package.json", "utf8"));
const client = await createMCPClient({
  transport: new Experimental_StdioMCPTransport({ command, args, env }),
  capabilities: { elicitation: {} },
});
client.onElicitationRequest(ElicitationRequestSchema, (request) => answer(request.params));
const tools = await client.tools();

await serve({
  version,
  canAsk: true,
  list: async () => Object.keys(tools),
  call: async (name, request, abortSignal) =>
    read(await tools[name].execute(request, { toolCallId: "1", messages: [], abortSignal })),
});
