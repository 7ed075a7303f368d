/** A generated poster for every event: it needs no download, and one event always has the same poster. */
import { svg } from "./dom.js";
import { calendarLeaf } from "./format.js";

/** @typedef {{ id: string, name: string, category: string | null, startsAt: string, timezone: string }} Shown */

/** @type {[string, string, string, string][]} ground, two shapes, ink */
const INKS = [
  ["#2b1a5e", "#7b4dff", "#ffb4a2", "#fff5e6"],
  ["#0b3c49", "#13a89e", "#f5b700", "#f3fbfa"],
  ["#5f0f40", "#e36414", "#fb8b24", "#fff3e8"],
  ["#14213d", "#3a86ff", "#fca311", "#f4f7ff"],
  ["#1b4332", "#52b788", "#f4a259", "#f1faee"],
  ["#3c1642", "#d81159", "#ffb3c6", "#ffe8f0"],
  ["#22223b", "#9a8c98", "#f2e9e4", "#ffffff"],
  ["#7f1d1d", "#f97316", "#fde68a", "#fff7ed"],
];

/**
 * @param {Shown} event
 * @returns {SVGElement} decorative: hidden from assistive technology
 */
export function poster(event) {
  const random = dice(event.id + event.name);
  const inks = INKS[Math.floor(random() * INKS.length)];
  const shapes = PATTERNS[Math.floor(random() * PATTERNS.length)](random, inks);
  const leaf = calendarLeaf(event.startsAt, event.timezone);
  return svg(
    "svg",
    { viewBox: "0 0 120 160", class: "poster", "aria-hidden": "true", preserveAspectRatio: "xMidYMid slice" },
    svg("rect", { width: 120, height: 160, fill: inks[0] }),
    ...shapes,
    svg("rect", { y: 108, width: 120, height: 52, fill: inks[0], opacity: 0.86 }),
    label(leaf.day, 8, 143, 32, inks[3]),
    label(leaf.month, 14 + 21 * leaf.day.length, 129, 11, inks[3]),
    label(leaf.weekday, 14 + 21 * leaf.day.length, 143, 11, inks[2]),
  );
}

/** @param {string} text @param {number} x @param {number} y @param {number} size @param {string} fill */
function label(text, x, y, size, fill) {
  return svg("text", { x, y, fill, "font-size": size, "font-weight": 750, "font-family": "system-ui, sans-serif" }, text);
}

/** @type {((random: () => number, inks: string[]) => SVGElement[])[]} */
const PATTERNS = [
  // rows of a hall, curved around the stage
  (random, inks) =>
    Array.from({ length: 9 }, (_, row) =>
      Array.from({ length: 9 + row }, (_, seat) => {
        const angle = Math.PI * (0.15 + (0.7 * seat) / (8 + row));
        const reach = 26 + row * 11;
        const lit = random();
        return svg("circle", {
          cx: 60 + Math.cos(angle) * reach, cy: 4 + Math.sin(angle) * reach, r: 3.4,
          fill: lit > 0.82 ? inks[2] : inks[1], opacity: lit > 0.82 ? 1 : 0.35 + lit * 0.6,
        });
      }),
    ).flat(),
  // a wave form
  (random, inks) =>
    Array.from({ length: 20 }, (_, at) => {
      const height = 12 + random() * 78 * Math.sin((Math.PI * (at + 1)) / 21);
      return svg("rect", { x: 4 + at * 5.7, y: 58 - height / 2, width: 3.6, height, rx: 1.8, fill: at % 5 === 2 ? inks[2] : inks[1] });
    }),
  // rings of a spotlight
  (random, inks) => {
    const [cx, cy] = [30 + random() * 60, 30 + random() * 40];
    return Array.from({ length: 8 }, (_, ring) =>
      svg("circle", {
        cx, cy, r: 94 - ring * 11.5, fill: ring % 2 ? inks[0] : ring === 6 ? inks[2] : inks[1], opacity: ring % 2 ? 1 : 0.5 + ring * 0.07,
      }),
    );
  },
  // beams from above
  (random, inks) =>
    Array.from({ length: 7 }, (_, at) => {
      const x = random() * 120;
      const spread = 14 + random() * 34;
      const aim = random() * 120;
      return svg("polygon", {
        points: `${x},-4 ${aim - spread},120 ${aim + spread},120`, fill: at % 3 ? inks[1] : inks[2], opacity: 0.28,
      });
    }),
  // blocks, as a quilt
  (random, inks) =>
    Array.from({ length: 24 }, (_, at) => {
      const [x, y] = [(at % 4) * 30, Math.floor(at / 4) * 30];
      const turn = Math.floor(random() * 4) * 90;
      return svg("path", {
        d: `M${x} ${y}h30a30 30 0 0 1 -30 30z`, fill: random() > 0.72 ? inks[2] : inks[1],
        opacity: 0.4 + random() * 0.6, transform: `rotate(${turn} ${x + 15} ${y + 15})`,
      });
    }),
];

/** A repeatable source of numbers from 0 to 1 (mulberry32 over an FNV-1a hash). @param {string} text */
function dice(text) {
  let state = 2166136261;
  for (const char of text) state = Math.imul(state ^ /** @type {number} */ (char.codePointAt(0)), 16777619);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
