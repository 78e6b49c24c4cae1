// Lets the tour lead a client of Node: each line that comes in is a JSON request, each line that
// goes out an answer with the same id.
import { createInterface } from "node:readline";

export const [command, ...args] = process.argv.slice(2);
export const env = { ...process.env };

/** What a client saw while calls ran. */
export const seen = { questions: [], steps: [] };

/** Answer a question with yes in each field of its form. */
export function answer(params) {
  seen.questions.push(params.message);
  const fields = Object.entries(params.requestedSchema?.properties ?? {});
  const content = fields.map(([name, field]) => [
    name,
    field.type === "boolean" ? true : (field.enum ?? ["yes"])[0],
  ]);
  return { action: "accept", content: Object.fromEntries(content) };
}

/** Note how far a call is. */
export function note(progress) {
  seen.steps.push(progress.progress);
}

/** Return what is in a result of MCP. */
export function read(result) {
  const blocks = result.content ?? [];
  const texts = blocks.filter((block) => block.type === "text").map((block) => block.text);
  const images = blocks.filter((block) => /^image/.test(block.type) || block.type === "media");
  return { text: texts.join("\n"), isError: Boolean(result.isError), images: images.length };
}

/** Serve the tour: `client` has `list` and `call`, and says what it can. */
export async function serve({ list, call, ...about }) {
  const running = new Map();
  const say = (value) => process.stdout.write(`${JSON.stringify(value)}\n`);
  async function perform({ id, tool, arguments: request }) {
    const abort = new AbortController();
    running.set(id, abort);
    try {
      const result = tool ? await call(tool, request, abort.signal) : { names: await list() };
      say({ id, ...result, ...seen });
    } catch (error) {
      say({ id, text: String(error?.message ?? error), isError: true, images: 0, names: [], ...seen });
    }
  }
  say({ id: 0, ...about });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.cancel === undefined) perform(request);
    else running.get(request.cancel)?.abort(new Error("given up"));
  }
  process.exit(0);
}
