// What the page says, in the language chosen. Every text stands in texts/*.json, with the same keys in each.

import de from "../texts/de.json";
import en from "../texts/en.json";

const TEXTS = { de, en };
export const LANGUAGES = Object.keys(TEXTS);
let language = "en";

export function setLanguage(name) {
  language = LANGUAGES.includes(name) ? name : "en";
  document.documentElement.lang = language;
}

/** The text of a key, with {name} replaced by values. */
export function t(key, values = {}) {
  const text = TEXTS[language][key];
  if (text === undefined) throw new Error(`no text ${key}`);
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}

/** A name of the page's own data, in the language chosen; what is no word of one, as versicolor, is left. */
export function called(name) {
  return TEXTS[language][`name.${name}`] ?? name;
}

/** A number with all its digits, as one types it: on the German page with a comma. */
export function written(value) {
  return String(value).replace(".", (0.5).toLocaleString(language)[1]);
}

/** A number with so many decimals, for a column of them. */
export function fixed(value, decimals) {
  return value.toLocaleString(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals, useGrouping: false });
}

/** A number where there is little room: about five characters. */
export function short(value) {
  const size = Math.abs(value);
  if (size > 0 && size < 0.005) return "≈0";
  if (size >= 9999.5) return Number.isFinite(value) ? value.toExponential(0).replace("e+", "e") : String(value);
  return value.toLocaleString(language, { maximumFractionDigits: size < 10 ? 2 : size < 100 ? 1 : 0, useGrouping: false });
}

/** A number in the language's way, with at most so many digits that count. */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value);
  return value.toLocaleString(language, { maximumSignificantDigits: digits, useGrouping: false });
}
