/** Translates touch, mouse, wheel and keys into pans, zooms, points and steps. */

const TAP_SLOP_PX = 7;
const STEPS = new Map([
  ["ArrowLeft", [-1, 0]], ["ArrowRight", [1, 0]], ["ArrowUp", [0, -1]], ["ArrowDown", [0, 1]],
]);

/**
 * @typedef {object} GestureHandlers
 * @property {(dx: number, dy: number) => void} pan
 * @property {(factor: number, x?: number, y?: number) => void} zoom
 * @property {(x: number, y: number, touch: boolean) => void} tap
 * @property {(x: number, y: number) => void} point
 * @property {() => void} left
 * @property {(dx: number, dy: number) => void} step
 * @property {() => void} press
 * @property {() => void} fit
 * @property {(box: { left: number, top: number, right: number, bottom: number }, done: boolean) => void} [drag]
 * a rectangle drawn with the Shift key or in drawing mode, in screen units
 */

/**
 * Listens to a canvas.
 * @param {HTMLCanvasElement} canvas
 * @param {GestureHandlers} handlers
 * @param {() => boolean} [drawing] whether a drag draws a rectangle now
 */
export function listen(canvas, handlers, drawing = () => false) {
  listenToPointers(canvas, handlers, drawing);
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const perPixel = event.ctrlKey ? 0.01 : 0.0016;
    const pixels = event.deltaY * (event.deltaMode === 1 ? 18 : 1);
    handlers.zoom(Math.exp(-pixels * perPixel), event.offsetX, event.offsetY);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    if (hearKey(event.key, handlers)) event.preventDefault();
  });
}

/** @param {string} key @param {GestureHandlers} handlers @returns {boolean} whether it meant something */
function hearKey(key, handlers) {
  const step = STEPS.get(key);
  if (step) handlers.step(step[0], step[1]);
  else if (key === "Enter" || key === " ") handlers.press();
  else if (key === "+" || key === "=") handlers.zoom(1.35);
  else if (key === "-" || key === "_") handlers.zoom(1 / 1.35);
  else if (key === "0" || key === "Home") handlers.fit();
  else return false;
  return true;
}

/** @param {HTMLCanvasElement} canvas @param {GestureHandlers} handlers @param {() => boolean} drawing */
function listenToPointers(canvas, handlers, drawing) {
  /** @type {Map<number, { x: number, y: number }>} */
  const down = new Map();
  let travelled = 0;
  /** @type {{ x: number, y: number } | null} */
  let corner = null;

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (!down.size) travelled = 0;
    down.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
    corner = handlers.drag && (drawing() || event.shiftKey) && down.size === 1 ? { x: event.offsetX, y: event.offsetY } : null;
  });

  canvas.addEventListener("pointermove", (event) => {
    const was = down.get(event.pointerId);
    const now = { x: event.offsetX, y: event.offsetY };
    if (!was) return event.pointerType === "mouse" ? handlers.point(now.x, now.y) : undefined;
    travelled += Math.hypot(now.x - was.x, now.y - was.y);
    if (corner) handlers.drag?.(boxOf(corner, now), false);
    else if (down.size > 1) pinch(down, event.pointerId, now, handlers);
    else if (travelled > TAP_SLOP_PX) handlers.pan(now.x - was.x, now.y - was.y);
    down.set(event.pointerId, now);
  });

  const lift = (/** @type {PointerEvent} */ event) => {
    const was = down.get(event.pointerId);
    down.delete(event.pointerId);
    if (!was || event.type === "pointercancel") return;
    if (corner && travelled > TAP_SLOP_PX) handlers.drag?.(boxOf(corner, { x: event.offsetX, y: event.offsetY }), true);
    else if (travelled <= TAP_SLOP_PX && !down.size) handlers.tap(event.offsetX, event.offsetY, event.pointerType === "touch");
    corner = null;
  };
  canvas.addEventListener("pointerup", lift);
  canvas.addEventListener("pointercancel", lift);
  canvas.addEventListener("pointerleave", () => handlers.left());
}

/**
 * Pinch: zooms around the middle of two fingers and pans with it.
 * @param {Map<number, { x: number, y: number }>} down @param {number} id @param {{ x: number, y: number }} now
 * @param {GestureHandlers} handlers
 */
function pinch(down, id, now, handlers) {
  const was = /** @type {{ x: number, y: number }} */ (down.get(id));
  const other = [...down].find(([key]) => key !== id)?.[1];
  if (!other) return;
  const before = Math.hypot(was.x - other.x, was.y - other.y) || 1;
  const after = Math.hypot(now.x - other.x, now.y - other.y) || 1;
  handlers.pan((now.x - was.x) / 2, (now.y - was.y) / 2);
  handlers.zoom(after / before, (now.x + other.x) / 2, (now.y + other.y) / 2);
}

/** @param {{ x: number, y: number }} a @param {{ x: number, y: number }} b */
function boxOf(a, b) {
  return { left: Math.min(a.x, b.x), top: Math.min(a.y, b.y), right: Math.max(a.x, b.x), bottom: Math.max(a.y, b.y) };
}
