/** An event emitter with typed topics. */

/** @template {Record<string, any>} Topics */
export class Emitter {
  constructor() {
    /** @type {Map<keyof Topics, Set<(detail: any) => void>>} */
    this._listeners = new Map();
  }

  /**
   * @template {keyof Topics} T
   * @param {T} topic
   * @param {(detail: Topics[T]) => void} listener
   * @returns {() => void} stops listening
   */
  on(topic, listener) {
    const listeners = this._listeners.get(topic) ?? new Set();
    this._listeners.set(topic, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  /** @template {keyof Topics} T @param {T} topic @param {Topics[T]} detail */
  emit(topic, detail) {
    for (const listener of this._listeners.get(topic) ?? []) listener(detail);
  }
}
