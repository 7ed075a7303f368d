/** Random idempotency keys. */

/** 128 random bits in hexadecimal; unlike crypto.randomUUID it also works on a page without TLS. */
export function uniqueKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
