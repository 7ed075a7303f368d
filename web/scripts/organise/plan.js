/** The categories and standing areas of a seating plan file. */

/** @typedef {{ name: string, color: string, seats: number }} Category */
/** @typedef {{ text: string, name: string, seatCount: number, categories: Category[], standing: string[] }} PlanFile */

/**
 * Reads a plan in pretix's format. The server validates it; this only finds the categories that need prices.
 * @param {string} text
 * @returns {PlanFile | null} null if it is not such a plan
 */
export function readPlan(text) {
  try {
    const plan = JSON.parse(text);
    const counts = new Map();
    for (const zone of plan.zones) {
      for (const row of zone.rows) {
        for (const { category } of row.seats) counts.set(category, (counts.get(category) ?? 0) + 1);
      }
    }
    const categories = plan.categories.map((/** @type {any} */ one) => ({
      name: one.name, color: one.color, seats: counts.get(one.name) ?? 0,
    }));
    const standing = categories.filter((/** @type {Category} */ one) => !one.seats).map((/** @type {Category} */ one) => one.name);
    const seatCount = [...counts.values()].reduce((sum, count) => sum + count, 0);
    return { text: JSON.stringify(plan), name: plan.name, seatCount, categories, standing };
  } catch {
    return null;
  }
}
