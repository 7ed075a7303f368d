/** The outline of a set of points. */

/** @typedef {{ x: number, y: number }} Point */

/**
 * The convex hull (Andrew's monotone chain), pushed outwards.
 * @param {Point[]} points
 * @param {number} margin
 * @returns {Point[]}
 */
export function convexHull(points, margin) {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const hull = [...halfHull(sorted), ...halfHull(sorted.reverse())];
  return grown(hull.length > 2 ? hull : sorted, margin);
}

/** @param {Point[]} sorted */
function halfHull(sorted) {
  /** @type {Point[]} */
  const half = [];
  for (const point of sorted) {
    while (half.length > 1 && turn(half[half.length - 2], half[half.length - 1], point) <= 0) half.pop();
    half.push(point);
  }
  return half.slice(0, -1);
}

/** @param {Point} a @param {Point} b @param {Point} c */
function turn(a, b, c) {
  return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x);
}

/** Each corner becomes an octagon with the margin as radius; their hull is the enlarged outline. */
/** @param {Point[]} hull @param {number} margin */
function grown(hull, margin) {
  const around = hull.flatMap(({ x, y }) =>
    Array.from({ length: 8 }, (_, k) => ({
      x: x + margin * Math.cos((k * Math.PI) / 4),
      y: y + margin * Math.sin((k * Math.PI) / 4),
    })),
  );
  const sorted = around.sort((a, b) => a.x - b.x || a.y - b.y);
  return [...halfHull(sorted), ...halfHull([...sorted].reverse())];
}
