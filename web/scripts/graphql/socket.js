/** One WebSocket connection that speaks graphql-transport-ws. */

const CONNECT_TIMEOUT_MS = 4000;
const PING_EVERY_MS = 2000;
const PONG_WITHIN_MS = 2500;

/** @typedef {{ next(result: any): void, error(errors: any[]): void, complete(): void }} Sink */
/** @typedef {{ id: string, payload: { query: string, variables: object, operationName?: string } }} Start */

/**
 * A connection, used once: `opened` after the server's acknowledgement, `closed` at its end.
 */
export class Socket {
  /**
   * @param {{ authorization: string | null, opened(): void, closed(code: number): void }} options
   */
  constructor({ authorization, opened, closed }) {
    /** @type {Map<string, Sink>} */
    this._sinks = new Map();
    this._opened = opened;
    this._closed = closed;
    this._over = false;
    const address = new URL("/graphql", location.href);
    address.protocol = address.protocol === "https:" ? "wss:" : "ws:";
    this._socket = new WebSocket(address, "graphql-transport-ws");
    this._socket.onopen = () =>
      this._send({ type: "connection_init", payload: authorization ? { Authorization: authorization } : {} });
    this._socket.onmessage = (event) => this._receive(JSON.parse(event.data));
    this._socket.onclose = (event) => this._end(event.code);
    this._socket.onerror = () => this._end(1006);
    this._silence = setTimeout(() => this._end(4408), CONNECT_TIMEOUT_MS);
    this._beat = 0;
  }

  /** @param {Start} start @param {Sink} sink */
  subscribe(start, sink) {
    this._sinks.set(start.id, sink);
    this._send({ type: "subscribe", id: start.id, payload: start.payload });
  }

  /** @param {string} id */
  unsubscribe(id) {
    if (this._sinks.delete(id)) this._send({ type: "complete", id });
  }

  close() {
    this._end(1000);
  }

  /** @param {any} message */
  _receive(message) {
    this._received();
    if (message.type === "connection_ack") return this._acknowledged();
    if (message.type === "ping") return this._send({ type: "pong" });
    const sink = this._sinks.get(message.id);
    if (!sink) return;
    if (message.type === "next") sink.next(message.payload);
    else this._sinks.delete(message.id);
    if (message.type === "error") sink.error(message.payload);
    if (message.type === "complete") sink.complete();
  }

  _acknowledged() {
    this._beat = setInterval(() => this._ping(), PING_EVERY_MS);
    this._opened();
  }

  /** Detects a dead connection: it is closed when a ping is not answered in time. */
  _ping() {
    this._send({ type: "ping" });
    if (!this._silence) this._silence = setTimeout(() => this._end(4499), PONG_WITHIN_MS);
  }

  _received() {
    clearTimeout(this._silence);
    this._silence = 0;
  }

  /** @param {object} message */
  _send(message) {
    if (this._socket.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(message));
  }

  /** @param {number} code */
  _end(code) {
    if (this._over) return;
    this._over = true;
    clearTimeout(this._silence);
    clearInterval(this._beat);
    this._socket.onclose = this._socket.onmessage = this._socket.onerror = null;
    this._socket.close(1000);
    this._closed(code);
  }
}
