// Fields for a number, which read a point and a comma, and show the one of the page's language: of "1,5" in a browser's
// own field for numbers Chromium makes 15.

import { h } from "./dom.js";
import { number, t, written } from "./texts.js";

const NUMBER = /^[+-]?(\d+[.,]?\d*|[.,]\d+)(e[+-]?\d+)?$/i;
const DIGITS = 12; // of what an arrow key has stepped to, so that 0.1 + 1 is 1.1

/** The number that is written there; NaN if it is none. */
export function readNumber(text) {
  const trimmed = text.trim();
  return NUMBER.test(trimmed) ? Number(trimmed.replace(",", ".")) : NaN;
}

/**
 * A field for a number from least to most, a whole one if isWhole; take(number) is called once it is typed. What is no
 * such number is said, and the field has its value again; if it clamps, one out of range is the nearest that is not.
 */
export function numberField({ value, least, most, isWhole = false, clamps = false, take, ...attributes }) {
  const field = bare({ value, isWhole, ...attributes, onchange: () => {
    const given = readNumber(field.value);
    const whole = isWhole ? Math.round(given) : given;
    const wanted = clamps ? Math.min(most, Math.max(least, whole)) : whole;
    if (wanted >= least && wanted <= most) return take(wanted);
    show(field, value);
    refuse(field, least, most);
  } });
  steps(field, least, most, () => field.dispatchEvent(new Event("change")));
  return field;
}

/** One that tells each letter: typed(number), or typed(null) while there is none, which is marked. */
export function typingField({ least, most, typed, ...attributes }) {
  const field = bare({ ...attributes, oninput: () => {
    const given = readNumber(field.value);
    const isOne = given >= least && given <= most;
    field.setAttribute("aria-invalid", String(!isOne));
    typed(isOne ? given : null);
  } });
  steps(field, least, most, () => field.dispatchEvent(new Event("input")));
  return field;
}

/** Say beside a field what it takes, until the screen is drawn anew. */
export function refuse(field, least, most) {
  field.setAttribute("aria-invalid", "true");
  const beside = field.closest(".scroll, label");
  if (beside.nextElementSibling?.matches("[role=alert]")) beside.nextElementSibling.remove();
  beside.after(h("span", { role: "alert" }, t("number.expected", { least: told(least), most: told(most) })));
}

function told(limit) {
  return Math.abs(limit) < 1e9 ? number(limit) : limit.toExponential().replace("e+", "e");
}

/** Have the field show a number. */
export function show(field, value) {
  field.value = written(value);
}

function bare({ isWhole, value, ...attributes }) {
  return h("input", {
    type: "text", inputmode: isWhole ? "numeric" : "decimal", class: "number", autocomplete: "off", value: value === null ? "" : written(value), ...attributes,
  });
}

// The keys up and down are a step of 1.
function steps(field, least, most, changed) {
  field.addEventListener("keydown", (event) => {
    const step = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    const now = readNumber(field.value);
    if (!step || Number.isNaN(now)) return;
    event.preventDefault();
    show(field, Math.min(most, Math.max(least, Number((now + step).toPrecision(DIGITS)))));
    changed();
  });
}
