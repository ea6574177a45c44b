// A network drawn: neurons as circles, weights as lines. A line's thickness is its weight's size, a dashed line is a
// negative weight: so no colour is needed to read it.

import { layout } from "./core.js";
import { s } from "./dom.js";
import { number, t } from "./texts.js";

const COLUMN = 150;
const ROW = 54;
const RADIUS = 19;
const MOST_DRAWN = 16; // neurons of a layer; of more the first ones are drawn
const WIDEST = 6;

/**
 * The drawing of a network as it is. values: each layer's, the inputs first, or null; chosen: {layer, neuron} or null;
 * choose(layer, neuron) is called for a click. Layer 0 are the inputs.
 */
export function drawNetwork({ sizes, activations, parameters, features, labels, values, chosen, choose }) {
  const shown = sizes.map((n) => Math.min(n, MOST_DRAWN));
  const height = Math.max(...shown) * ROW + 50;
  const x = (l) => 70 + l * COLUMN;
  const y = (l, i) => 40 + (height - 50) / 2 + (i - (shown[l] - 1) / 2) * ROW;
  const width = x(sizes.length - 1) + 110;
  const most = parameters.reduce((a, w) => Math.max(a, Math.abs(w)), 1e-9);
  const lines = [];
  layout(sizes).forEach(({ weights, nIn }, l) => {
    for (let o = 0; o < shown[l + 1]; o++) {
      for (let i = 0; i < shown[l]; i++) {
        const w = parameters[weights + o * nIn + i];
        lines.push(weightLine(w, most, x(l) + RADIUS, y(l, i), x(l + 1) - RADIUS, y(l + 1, o), { l: l + 1, o, i }));
      }
    }
  });
  const neurons = sizes.flatMap((n, l) =>
    Array.from({ length: shown[l] }, (_, i) => {
      const name = nameOf(l, i, sizes, features, labels);
      const isChosen = chosen?.layer === l && chosen?.neuron === i;
      return neuron(x(l), y(l, i), name, values?.[l][i], isChosen, l, i, l > 0 ? choose : null);
    }),
  );
  const heads = sizes.map((n, l) =>
    s("text", { x: x(l), y: 16, class: "head" }, l ? activations[l - 1] : t("net.inputs"), n > MOST_DRAWN ? ` (${n})` : ""),
  );
  const label = t("net.drawing", { sizes: sizes.join("-") });
  return s("svg", { viewBox: `0 0 ${width} ${height}`, class: "network", role: "group", "aria-label": label },
    lines, neurons, heads);
}

/** What a neuron is called: the feature, the class, or its place. */
export function nameOf(layer, i, sizes, features, labels) {
  if (layer === 0) return features[i];
  if (layer < sizes.length - 1) return t("net.neuron", { layer, neuron: i + 1 });
  return sizes.at(-1) === 1 ? labels[1] : labels[i];
}

function weightLine(w, most, x1, y1, x2, y2, { l, o, i }) {
  const width = 0.4 + (Math.abs(w) / most) * WIDEST;
  const line = { x1, y1, x2, y2, "stroke-width": width.toFixed(2), class: w < 0 ? "minus" : "plus" };
  return s("line", { ...line, "data-weight": `${l},${o},${i}`, "data-value": w }, s("title", {}, number(w)));
}

function neuron(cx, cy, name, value, isChosen, l, i, choose) {
  const open = choose && (() => choose(l, i));
  const keys = (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    open();
  };
  const said = value === undefined ? name : `${name}: ${number(value)}`;
  const button = open && { role: "button", tabindex: 0, onclick: open, onkeydown: keys, "aria-pressed": String(isChosen) };
  return s("g", { class: isChosen ? "neuron chosen" : "neuron", id: `neuron-${l}-${i}`, "data-value": value, ...button,
    "aria-label": said },
    s("circle", { cx, cy, r: RADIUS }),
    value === undefined ? null : s("text", { x: cx, y: cy + 4 }, number(value, 2)),
    s("text", { x: cx, y: cy + RADIUS + 12, class: "name" }, name));
}
