/** The HTTP door: one origin, JSON in, problem documents out as errors. */

import { number, object, text } from "./read";

/** What a failed request says to a person; `status` 0: no answer came. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
  ) {
    super(detail);
  }
}

export interface Api {
  get(path: string, query?: Readonly<Record<string, string | number>>): Promise<unknown>;
  post(path: string, body: unknown): Promise<unknown>;
}

const TIMEOUT_MS = 10_000;

export function createApi(fetcher: typeof fetch): Api {
  return {
    async get(path, query = {}) {
      const pairs = Object.entries(query).map(([name, value]) => [name, String(value)]);
      const suffix = pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : "";
      return send(fetcher, path + suffix, {});
    },
    async post(path, body) {
      const headers = { "Content-Type": "application/json" };
      return send(fetcher, path, { method: "POST", headers, body: JSON.stringify(body) });
    },
  };
}

/** A path of segments, each escaped: names from the fleet may hold anything. */
export function pathOf(...segments: readonly string[]): string {
  return segments.map((segment) => `/${encodeURIComponent(segment)}`).join("");
}

async function send(fetcher: typeof fetch, address: string, init: RequestInit): Promise<unknown> {
  const response = await reach(fetcher, address, init);
  if (!response.ok) throw await problem(response);
  return readJson(response);
}

async function reach(fetcher: typeof fetch, address: string, init: RequestInit): Promise<Response> {
  try {
    return await fetcher(address, {
      ...init,
      headers: { Accept: "application/json", ...init.headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    const late = cause instanceof DOMException && cause.name === "TimeoutError";
    const said = late ? `no answer within ${TIMEOUT_MS / 1000} s` : "the collector does not answer";
    throw new ApiError(0, late ? "timeout" : "unreachable", said);
  }
}

async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    throw new ApiError(response.status, "bad_json", "the answer is no JSON");
  }
}

async function problem(response: Response): Promise<ApiError> {
  const body = object(await response.json().catch(() => null));
  const title = text(body["title"], `HTTP ${response.status}`);
  const status = number(body["status"]) ?? response.status;
  return new ApiError(status, text(body["type"], "error"), text(body["detail"], title));
}
