/** Server-Sent Events (graphql-sse, distinct connections) for networks that block WebSockets. */

const ALIVE_EVERY_MS = 2000;
const ALIVE_WITHIN_MS = 2500;

/** @import { Sink, Start } from "./socket.js" */

/** The same interface as Socket, with one request a subscription. */
export class EventStream {
  /** @param {{ authorization: string | null, opened(): void, closed(code: number): void }} options */
  constructor({ authorization, opened, closed }) {
    /** @type {Map<string, AbortController>} */
    this._requests = new Map();
    this._authorization = authorization;
    this._opened = opened;
    this._closed = closed;
    this._over = false;
    this._beat = setInterval(() => this._probe(), ALIVE_EVERY_MS);
    this._probe().then(() => this._over || this._opened());
  }

  /** @param {Start} start @param {Sink} sink */
  subscribe(start, sink) {
    const abort = new AbortController();
    this._requests.set(start.id, abort);
    this._read(start, sink, abort.signal).catch(() => {
      if (!abort.signal.aborted) this._end(1006);
    });
  }

  /** @param {string} id */
  unsubscribe(id) {
    this._requests.get(id)?.abort();
    this._requests.delete(id);
  }

  close() {
    this._end(1000);
  }

  /** @param {Start} start @param {Sink} sink @param {AbortSignal} signal */
  async _read(start, sink, signal) {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Accept: "text/event-stream",
        ...(this._authorization ? { Authorization: this._authorization } : {}),
      },
      body: JSON.stringify(start.payload),
      signal,
    });
    if (response.status === 401) return this._end(4403);
    if (!response.ok || !response.body) throw new Error(String(response.status));
    for await (const { event, data } of messages(response.body)) {
      if (event === "next") sink.next(JSON.parse(data));
      if (event === "complete") {
        this._requests.delete(start.id);
        return sink.complete();
      }
    }
    throw new Error("the stream ended");
  }

  /** A lost stream stays silent, so the server is probed. */
  async _probe() {
    try {
      await fetch("/healthz", { method: "GET", cache: "no-store", signal: AbortSignal.timeout(ALIVE_WITHIN_MS) });
    } catch {
      this._end(4499);
    }
  }

  /** @param {number} code */
  _end(code) {
    if (this._over) return;
    this._over = true;
    clearInterval(this._beat);
    for (const abort of this._requests.values()) abort.abort();
    this._closed(code);
  }
}

/**
 * The events of a stream as they arrive.
 * @param {ReadableStream<Uint8Array>} body
 */
async function* messages(body) {
  const reader = body.pipeThrough(/** @type {any} */ (new TextDecoderStream())).getReader();
  let pending = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const parts = (pending + value).replaceAll("\r\n", "\n").split("\n\n");
    pending = parts.pop() ?? "";
    for (const part of parts) yield parse(part);
  }
}

/** @param {string} text */
function parse(text) {
  const lines = text.split("\n");
  const field = (/** @type {string} */ name) =>
    lines.filter((line) => line.startsWith(name)).map((line) => line.slice(name.length).trimStart()).join("\n");
  return { event: field("event:"), data: field("data:") };
}
