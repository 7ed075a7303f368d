/** Amounts as people type them: read by the reader's locale, or refused with the reason. */
import { digitsOf } from "./currencies.js";
import { t } from "./i18n.js";

/** @typedef {"empty" | "number" | "negative" | "decimals" | "currency" | "large"} AmountFault */
/** @typedef {{ amount: number, fault?: undefined } | { amount?: undefined, fault: AmountFault }} ReadAmount */

const SPACES = "\\s\\u00a0\\u202f";
const APOSTROPHES = "'’";

/**
 * The minor units of a typed amount. Thousands are grouped as the locale does or not at all; the currency's sign, code or
 * name may stand before or behind.
 * @param {string} text @param {string} currency @param {string} [locale] the reader's
 * @returns {ReadAmount}
 */
export function readAmount(text, currency, locale = navigator.language) {
  const typed = text.normalize("NFKC").trim();
  if (!typed) return { fault: "empty" };
  const [, before, number, after] = /^([^\d.,]*)([\d.,].*?)?([^\d.,]*)$/su.exec(typed) ?? ["", "", "", ""];
  if (!/\d/.test(number ?? "")) return { fault: "number" };
  if (/^[-−–(]|[-−–(]$/.test(before.trim())) return { fault: "negative" };
  if (/[^\p{L}\p{Sc}.\s]/u.test(before + after)) return { fault: "number" };
  if (!isCurrency(before.trim(), after.trim(), currency, locale)) return { fault: "currency" };
  return minorUnitsOf(number.trim(), currency, locale);
}

/** Why an amount was refused, as a sentence. @param {AmountFault} fault @param {string} currency */
export function amountProblem(fault, currency) {
  const digits = digitsOf(currency);
  if (fault === "decimals") return t(digits ? "amount.decimals" : "amount.whole", { currency, n: digits });
  return t(`amount.${fault}`, { currency, example: exampleOf(digits) });
}

/** An amount as the reader's locale writes it. @param {number} digits */
function exampleOf(digits) {
  return new Intl.NumberFormat(navigator.language, { minimumFractionDigits: digits }).format(1234.5 - (digits ? 0 : 0.5));
}

/** @param {string} number @param {string} currency @param {string} locale @returns {ReadAmount} */
function minorUnitsOf(number, currency, locale) {
  const { group, decimal, sizes } = separators(locale);
  const whole = `\\d+|${sizes === 2 ? `\\d{1,2}(?:${group}\\d{2})*${group}\\d{3}` : `\\d{1,3}(?:${group}\\d{3})+`}`;
  const found = new RegExp(`^(${whole})?(?:${decimal}(\\d+))?$`, "u").exec(number);
  if (!found) return { fault: "number" };
  const digits = digitsOf(currency);
  const [, units = "0", fraction = ""] = found;
  if (fraction.length > digits) return { fault: "decimals" };
  const amount = Number(units.replace(/\D/g, "") + fraction.padEnd(digits, "0"));
  return Number.isSafeInteger(amount) ? { amount } : { fault: "large" };
}

/** How a locale writes numbers, as parts of regular expressions. @param {string} locale */
function separators(locale) {
  const parts = new Intl.NumberFormat(locale, { useGrouping: true }).formatToParts(12345678.5);
  const group = parts.find(({ type }) => type === "group")?.value ?? ",";
  const decimal = parts.find(({ type }) => type === "decimal")?.value ?? ".";
  const sizes = parts.filter(({ type }) => type === "integer")[1]?.value.length ?? 3;
  return { group: `[${anyLike(group)}]`, decimal: `[${anyLike(decimal)}]`, sizes };
}

/** The characters that people type for a separator. @param {string} separator */
function anyLike(separator) {
  if (/\s/.test(separator)) return SPACES;
  return APOSTROPHES.includes(separator) ? APOSTROPHES : separator;
}

/** Whether what stands around a number is nothing, or names this currency once. @param {string} before @param {string} after @param {string} currency @param {string} locale */
function isCurrency(before, after, currency, locale) {
  if (before && after) return false;
  const named = (before || after).toLowerCase();
  return !named || namesOf(currency, locale).has(named);
}

/** "dollars" of "US dollars", "원" of "대한민국 원". @param {string} name */
function lastWord(name) {
  return name.split(" ").pop() ?? name;
}

/** @param {string} currency @param {string} locale @returns {Set<string>} */
function namesOf(currency, locale) {
  const names = new Set([currency.toLowerCase()]);
  for (const language of [locale, "en", "ko"]) {
    for (const currencyDisplay of /** @type {const} */ (["symbol", "narrowSymbol", "name"])) {
      for (const value of [1, 2]) {
        const parts = new Intl.NumberFormat(language, { style: "currency", currency, currencyDisplay }).formatToParts(value);
        const name = parts.find(({ type }) => type === "currency")?.value;
        if (!name) continue;
        names.add(name.normalize("NFKC").toLowerCase());
        names.add(lastWord(name.normalize("NFKC").toLowerCase()));
      }
    }
  }
  return names;
}
