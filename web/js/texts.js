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

/** A number in the language's way, with at most so many digits that count. */
export function number(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value);
  return value.toLocaleString(language, { maximumSignificantDigits: digits, useGrouping: false });
}
