/** The search box: completes while the reader types, as a combobox. */
import { request } from "../graphql/client.js";
import { fill, h, show } from "../kit/dom.js";
import { t } from "../kit/i18n.js";

/** @import { Suggestion } from "../schema.js" */

const PAUSE_MS = 90;

export class Completions {
  /**
   * @param {HTMLInputElement} input @param {HTMLElement} list
   * @param {(suggestion: Suggestion) => void} choose
   */
  constructor(input, list, choose) {
    this._input = input;
    this._list = list;
    this._choose = choose;
    /** @type {Suggestion[]} */
    this._shown = [];
    this._at = -1;
    this._pause = 0;
    /** @type {AbortController | null} */
    this._asking = null;
    input.addEventListener("input", () => this._typed());
    input.addEventListener("keydown", (event) => this._key(event));
    input.addEventListener("blur", () => setTimeout(() => this.close(), 150));
  }

  close() {
    clearTimeout(this._pause);
    this._asking?.abort();
    this._show([]);
  }

  _typed() {
    clearTimeout(this._pause);
    const prefix = this._input.value.trim();
    if (!prefix) return this.close();
    this._pause = setTimeout(() => this._ask(prefix), PAUSE_MS);
  }

  /** @param {string} prefix */
  async _ask(prefix) {
    this._asking?.abort();
    const asking = (this._asking = new AbortController());
    try {
      /** @type {{ suggest: Suggestion[] }} */
      const { suggest } = await request("Suggest", { prefix }, { signal: asking.signal });
      if (!asking.signal.aborted && document.activeElement === this._input) this._show(suggest);
    } catch {
      // Completions are a convenience: without them the search still works.
    }
  }

  /** @param {Suggestion[]} suggestions */
  _show(suggestions) {
    this._shown = suggestions;
    this._at = -1;
    fill(this._list, ...suggestions.map((one, at) => this._entry(one, at)));
    show(this._list, suggestions.length > 0);
    this._input.setAttribute("aria-expanded", String(suggestions.length > 0));
    this._input.removeAttribute("aria-activedescendant");
  }

  /** @param {Suggestion} suggestion @param {number} at */
  _entry(suggestion, at) {
    return h(
      "li",
      { id: `completion-${at}`, role: "option", "aria-selected": "false", onmousedown: () => this._take(at) },
      h("span", null, suggestion.text),
      h("span", { class: "badge" }, t(`kind.${suggestion.kind}`)),
    );
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const { length } = this._shown;
    if (event.key === "Escape") return this.close();
    if (!length) return;
    if (event.key === "Enter" && this._at >= 0) {
      event.preventDefault();
      return this._take(this._at);
    }
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (!by) return;
    event.preventDefault();
    this._at = (this._at + by + length + (this._at < 0 && by < 0 ? 1 : 0)) % length;
    [...this._list.children].forEach((entry, at) => entry.setAttribute("aria-selected", String(at === this._at)));
    this._input.setAttribute("aria-activedescendant", `completion-${this._at}`);
  }

  /** @param {number} at */
  _take(at) {
    const suggestion = this._shown[at];
    this.close();
    this._choose(suggestion);
  }
}
