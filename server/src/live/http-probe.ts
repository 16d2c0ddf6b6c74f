import { get } from "node:http";
import type { HttpFacts, Json } from "../checks/facts.ts";
import { isLoopbackUrl } from "../checks/loopback.ts";

const TIMEOUT_MS = 2000;
const MAX_BODY = 64 * 1024;

const NO_ANSWER: HttpFacts = { status: 0, json: null };

/**
 * Asks a program of the learner once, with GET.
 *
 * @returns status 0 when nothing answers within 2 s; `json` is null for a body that is no JSON or longer than 64 KB.
 */
export async function askHttp(url: string): Promise<HttpFacts> {
  if (!isLoopbackUrl(url)) return NO_ANSWER;
  try {
    return await new Promise<HttpFacts>((fulfil, reject) => {
      // No agent: a kept connection would hold up the learner's server when it wants to end.
      const request = get(url, { agent: false, signal: AbortSignal.timeout(TIMEOUT_MS) }, (response) => {
        const chunks: Buffer[] = [];
        let size = 0;
        response.on("data", (chunk: Buffer) => {
          size += chunk.length;
          if (size > MAX_BODY) response.destroy();
          else chunks.push(chunk);
        });
        response.on("error", reject);
        response.on("close", () => {
          const body = size > MAX_BODY ? "" : Buffer.concat(chunks).toString("utf8");
          fulfil({ status: response.statusCode ?? 0, json: parse(body) });
        });
      });
      request.on("error", reject);
    });
  } catch {
    return NO_ANSWER; // Refused, slow or not HTTP: to the learner it is all "no answer".
  }
}

function parse(body: string): Json {
  try {
    return JSON.parse(body) as Json;
  } catch {
    return null;
  }
}
