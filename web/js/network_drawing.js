// A network drawn: neurons as circles, weights as lines. A line's thickness is its weight's size, a dashed line is a
// negative weight: so no colour is needed to read it.

import { layout } from "./core.js";
import { s } from "./dom.js";
import { drawMap } from "./heat_map.js";
import { number, short, t } from "./texts.js";

const [LEFT, RIGHT, TOP, BOTTOM] = [62, 50, 26, 40];
const COLUMN = 112;
const ROW = 58;
const RADIUS = 20;
const MOST_DRAWN = 16; // neurons of a layer; of more the first ones are drawn
const WIDEST = 6;
const [SMALLEST, LARGEST] = [0.85, 1.3]; // how it is scaled to the room there is; with less room it is pushed aside

/**
 * The drawing of a network. parameters: what lines show, weights or their gradients; names: {features, labels}; values:
 * each layer's, the inputs first, or null; maps: such of heat_map.js, drawn instead; chosen: {layer, neuron} or null;
 * choose(layer, neuron, input) is called for a click on a neuron, and with the input's number for one on a line. Layer 0
 * are the inputs.
 */
export function drawNetwork({ sizes, activations, parameters, names, values, maps, chosen, choose }) {
  const shown = sizes.map((n) => Math.min(n, MOST_DRAWN));
  const [inner, wide] = [(Math.max(...shown) - 1) * ROW, (sizes.length - 1) * COLUMN];
  const [width, height] = [LEFT + wide + RIGHT, TOP + RADIUS + inner + BOTTOM];
  const x = (l) => LEFT + l * COLUMN;
  const y = (l, i) => TOP + RADIUS + inner / 2 + (i - (shown[l] - 1) / 2) * ROW;
  const most = parameters.reduce((a, w) => Math.max(a, Math.abs(w)), 1e-9);
  const lines = [];
  layout(sizes).forEach(({ weights, nIn }, l) => {
    for (let o = 0; o < shown[l + 1]; o++) {
      for (let i = 0; i < shown[l]; i++) {
        const ends = { x1: x(l) + RADIUS, y1: y(l, i), x2: x(l + 1) - RADIUS, y2: y(l + 1, o) };
        const open = choose && (() => choose(l + 1, o, i));
        lines.push(weightLine(parameters[weights + o * nIn + i], most, ends, `${l + 1},${o},${i}`, open));
      }
    }
  });
  const neurons = sizes.flatMap((n, l) =>
    Array.from({ length: shown[l] }, (_, i) => {
      const isChosen = chosen?.layer === l && chosen?.neuron === i;
      const about = { name: nameOf(l, i, sizes, names), value: values?.[l]?.[i], map: maps?.[l][i], isChosen };
      return neuron(x(l), y(l, i), about, l, i, l > 0 ? choose : null);
    }),
  );
  const heads = sizes.map((n, l) =>
    s("text", { x: x(l), y: 14, class: "head" }, l ? activations[l - 1] : t("net.inputs"), n > MOST_DRAWN ? ` (${n})` : ""),
  );
  const label = t("net.drawing", { sizes: sizes.join("-") });
  const drawing = s("svg", { viewBox: `0 0 ${width} ${height}`, class: "network", role: "group", "aria-label": label },
    lines, neurons, heads);
  drawing.style.width = `clamp(${width * SMALLEST}px, 100%, ${width * LARGEST}px)`;
  return drawing;
}

/** What a neuron is called: the feature, the class, or its place. */
export function nameOf(layer, i, sizes, { features, labels }) {
  if (layer === 0) return features[i];
  if (layer < sizes.length - 1) return t("net.neuron", { layer, neuron: i + 1 });
  return sizes.at(-1) === 1 ? labels[1] : labels[i];
}

// A line, and if it can be chosen a wide one over it that is not seen, as a thin one is hard to hit.
function weightLine(w, most, ends, place, open) {
  const width = 0.4 + (Math.abs(w) / most) * WIDEST;
  const line = s("line", {
    ...ends, "stroke-width": width.toFixed(2), class: w < 0 ? "minus" : "plus", "data-weight": place, "data-value": w,
  }, s("title", {}, number(w)));
  if (!open) return line;
  return s("g", { class: "connection", onclick: open }, line, s("line", { ...ends, class: "hit", "data-hit": place }, s("title", {}, number(w))));
}

function neuron(cx, cy, { name, value, map, isChosen }, l, i, choose) {
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
    map ? square(cx, cy, map) : s("circle", { cx, cy, r: RADIUS }),
    value === undefined || map ? null : s("text", { x: cx, y: cy + 4 }, short(value)),
    s("text", { x: cx, y: cy + RADIUS + 13, class: "name" }, name));
}

// A neuron as its map: white below, as lines pass behind it, and a frame.
function square(cx, cy, map) {
  const place = { x: cx - RADIUS, y: cy - RADIUS, width: 2 * RADIUS, height: 2 * RADIUS };
  return [s("rect", { ...place, class: "ground" }), drawMap(map, place), s("rect", { ...place, class: "frame" })];
}
