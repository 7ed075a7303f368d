/**
 * All subscriptions of the page, over one connection that reconnects by itself.
 *
 * WebSocket first; after two failed attempts in a row Server-Sent Events (`?transport=sse` selects them at
 * once). After a loss every subscription restarts with its current variables, so one that knows its version
 * resumes from it.
 */
import { Emitter } from "../kit/emitter.js";
import { operation } from "./documents.js";
import { EventStream } from "./eventstream.js";
import { authorization, onSessionChange, signIn, token } from "./session.js";
import { Socket } from "./socket.js";

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8000;
const SOCKET_ATTEMPTS = 2;
const TOKEN_REFUSED = 4403;
const ON_PURPOSE = 1000; // to reconnect with another token

/** @typedef {"connecting" | "live" | "lost"} State */
/**
 * @typedef {object} Wanted
 * @property {string} name
 * @property {() => Record<string, unknown>} variables
 * @property {(data: any) => void} next
 * @property {((message: string, code: string) => void) | undefined} refused
 */

class Live {
  constructor() {
    /** @type {Emitter<{ state: State }>} */
    this._changes = new Emitter();
    /** @type {Map<string, Wanted>} */
    this._wanted = new Map();
    /** @type {Socket | EventStream | null} */
    this._connection = null;
    this._lastId = 0;
    this._failures = 0;
    this._neverOpened = 0;
    this._retry = 0;
    /** @type {State} */
    this.state = "connecting";
    this.overEventStream = new URLSearchParams(location.search).get("transport") === "sse";
    onSessionChange(() => this._restart());
    addEventListener("offline", () => this._drop());
    addEventListener("online", () => this._restart());
  }

  /** @param {(state: State) => void} listener called at once and on every change */
  onState(listener) {
    listener(this.state);
    return this._changes.on("state", listener);
  }

  /** Connects early, because the page will subscribe soon. */
  open() {
    if (!this._connection && !this._retry) this._connect();
  }

  /**
   * Subscribes until stopped, across reconnections.
   * @param {Wanted} wanted
   * @returns {{ stop(): void, again(): void }} `again` restarts it with its current variables
   */
  subscribe(wanted) {
    let id = this._add(wanted);
    return {
      stop: () => this._remove(id),
      again: () => {
        this._remove(id);
        id = this._add(wanted);
      },
    };
  }

  /** @param {Wanted} wanted */
  _add(wanted) {
    const id = String((this._lastId += 1));
    this._wanted.set(id, wanted);
    if (this.state === "live") this._start(id, wanted);
    else this.open();
    return id;
  }

  /** @param {string} id */
  _remove(id) {
    this._wanted.delete(id);
    this._connection?.unsubscribe(id);
  }

  _connect() {
    this._retry = 0;
    let opened = false;
    const options = {
      authorization: authorization(),
      opened: () => {
        opened = true;
        this._failures = this._neverOpened = 0;
        this._become("live");
        for (const [id, wanted] of this._wanted) this._start(id, wanted);
      },
      closed: (/** @type {number} */ code) => {
        if (!opened) this._neverOpened += 1;
        this._lost(code);
      },
    };
    this._connection = this.overEventStream ? new EventStream(options) : new Socket(options);
  }

  /** @param {string} id @param {Wanted} wanted */
  async _start(id, wanted) {
    const connection = this._connection;
    const query = await operation(wanted.name).catch(() => null);
    if (!query) return this._drop();
    if (connection !== this._connection || !this._wanted.has(id)) return;
    const payload = { query, variables: wanted.variables(), operationName: wanted.name };
    connection?.subscribe({ id, payload }, {
      next: (result) => {
        if (result.data) wanted.next(result.data);
        else this._refuse(wanted, result.errors);
      },
      error: (errors) => this._refuse(wanted, errors),
      complete: () => this._wanted.delete(id),
    });
  }

  /** @param {Wanted} wanted @param {any[]} errors */
  _refuse(wanted, errors) {
    wanted.refused?.(errors?.[0]?.message ?? "", errors?.[0]?.extensions?.code ?? "");
  }

  /** @param {number} code */
  _lost(code) {
    this._connection = null;
    if (code === TOKEN_REFUSED && token()) return signIn(null);
    if (this._neverOpened >= SOCKET_ATTEMPTS) {
      this._neverOpened = 0;
      this.overEventStream = !this.overEventStream;
    }
    this._become(code === ON_PURPOSE ? "connecting" : "lost");
    const ceilingMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this._failures);
    this._failures += 1;
    clearTimeout(this._retry);
    this._retry = setTimeout(() => this._connect(), ceilingMs * (0.5 + Math.random() / 2));
  }

  _drop() {
    this._connection?.close();
    this._become("lost");
  }

  _restart() {
    clearTimeout(this._retry);
    this._retry = 0;
    this._failures = 0;
    if (this._connection) this._connection.close();
    if (!this._wanted.size) return;
    clearTimeout(this._retry);
    this._connect();
  }

  /** @param {State} state */
  _become(state) {
    if (state === this.state) return;
    this.state = state;
    this._changes.emit("state", state);
  }
}

/** The page's one connection. */
export const live = new Live();
