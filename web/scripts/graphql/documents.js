/** The operations in the files of /static/operations. */

/** @type {Map<string, Promise<string>>} */
const loaded = new Map();

const IMPORT = /^#import "\.\/([\w/]+\.graphql)"\n/gm;

/**
 * The text of an operation with the fragments that it imports.
 * @param {string} name the file's name, which is the operation's
 * @returns {Promise<string>}
 */
export async function operation(name) {
  const text = await file(`${name}.graphql`);
  const imports = [...text.matchAll(IMPORT)].map((match) => file(match[1]));
  return [text.replaceAll(IMPORT, "").trim(), ...(await Promise.all(imports))].join("\n\n");
}

/** @param {string} path @returns {Promise<string>} */
function file(path) {
  const known = loaded.get(path) ?? fetchText(`/static/operations/${path}`);
  loaded.set(path, known);
  known.catch(() => loaded.delete(path));
  return known;
}

/** @param {string} address */
async function fetchText(address) {
  const response = await fetch(address);
  if (!response.ok) throw new Error(`${address}: ${response.status}`);
  return response.text();
}
