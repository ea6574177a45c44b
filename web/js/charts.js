// Charts drawn by hand: the loss over epochs, rows in a plane, what a neuron says over that plane.

import { s } from "./dom.js";
import { number, t } from "./texts.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [420, 260, 52, 36];
const SHAPES = [circle, cross, triangle, square]; // a class is told by its shape, too

/** Losses over epochs: a line for training, a dashed one for test. */
export function lossChart(losses, testLosses) {
  const tests = testLosses.filter((v) => v !== null);
  const most = Math.max(...losses, ...tests, 1e-9);
  const x = (i) => LEFT + (i / Math.max(1, losses.length - 1)) * (WIDTH - LEFT - 8);
  const y = (v) => HEIGHT - BOTTOM - (v / most) * (HEIGHT - BOTTOM - 12);
  const path = (values) => thinned(values).map(([i, v]) => `${x(i).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
  return frame(t("train.epoch"), t("train.loss"), [0, most], [0, losses.length], [
    s("polyline", { class: "line", points: path(losses) }),
    tests.length ? s("polyline", { class: "line dashed", points: path(testLosses) }) : null,
  ], t("train.chart", { n: losses.length }));
}

// At most some hundred points: more cannot be seen.
function thinned(values) {
  const step = Math.ceil(values.length / 400);
  return values.map((v, i) => [i, v]).filter(([i, v]) => v !== null && (i % step === 0 || i === values.length - 1));
}

/**
 * Rows in the plane of two features. heat(a, b), unless null, is a neuron's value there, drawn below as a map;
 * onpick(row) is called for a click.
 */
export function plane({ x, y, features, names, labels, chosen, heat, onpick, title }) {
  const [fa, fb] = features;
  const [a, b] = [range(x.map((row) => row[fa])), range(x.map((row) => row[fb]))];
  const px = (v) => LEFT + ((v - a[0]) / (a[1] - a[0])) * (WIDTH - LEFT - 8);
  const py = (v) => HEIGHT - BOTTOM - ((v - b[0]) / (b[1] - b[0])) * (HEIGHT - BOTTOM - 12);
  const marks = x.map((row, i) =>
    s("g", { class: `mark${i === chosen ? " chosen" : ""}`, onclick: onpick && (() => onpick(i)) },
      s("title", {}, `${i + 1}: ${labels[y[i]]}`), SHAPES[y[i] % SHAPES.length](px(row[fa]), py(row[fb]), y[i])));
  const map = heat ? heatMap(heat, a, b) : null;
  return frame(names[fa], names[fb], b, a, [map, ...marks], title);
}

function heatMap(heat, a, b) {
  const n = 28;
  const [w, h] = [(WIDTH - LEFT - 8) / n, (HEIGHT - BOTTOM - 12) / n];
  const cells = [];
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < n; k++) {
      cells.push([i, k, heat(a[0] + ((i + 0.5) / n) * (a[1] - a[0]), b[0] + ((k + 0.5) / n) * (b[1] - b[0]))]);
    }
  }
  const [low, high] = range(cells.map((cell) => cell[2]));
  return s("g", { class: "heat", "shape-rendering": "crispEdges" }, cells.map(([i, k, v]) =>
    s("rect", {
      x: (LEFT + i * w).toFixed(1), y: (HEIGHT - BOTTOM - (k + 1) * h).toFixed(1), width: w.toFixed(1),
      height: h.toFixed(1), "fill-opacity": (((v - low) / (high - low)) * 0.75).toFixed(3),
    })));
}

// [least, greatest] of values that are numbers, never the same.
function range(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) {
    if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
  }
  if (low > high) return [0, 1];
  return high > low ? [low, high] : [low - 0.5, high + 0.5];
}

function frame(xName, yName, yRange, xRange, children, title) {
  const [right, bottom] = [WIDTH - 8, HEIGHT - BOTTOM];
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": title },
    ...children,
    s("path", { class: "axis", d: `M${LEFT},12 V${bottom} H${right}` }),
    s("text", { x: (LEFT + right) / 2, y: HEIGHT - 4, class: "middle" }, xName),
    s("text", { x: 12, y: (12 + bottom) / 2, class: "middle", transform: `rotate(-90 12 ${(12 + bottom) / 2})` }, yName),
    s("text", { x: LEFT, y: bottom + 14 }, number(xRange[0], 3)),
    s("text", { x: right, y: bottom + 14, class: "end" }, number(xRange[1], 3)),
    s("text", { x: LEFT - 4, y: bottom, class: "end" }, number(yRange[0], 3)),
    s("text", { x: LEFT - 4, y: 20, class: "end" }, number(yRange[1], 3)));
}

function circle(cx, cy, k) {
  return s("circle", { cx, cy, r: 4, class: `class${k}` });
}

function cross(x, y, k) {
  return s("path", { d: `M${x - 4},${y - 4} l8,8 m0,-8 l-8,8`, class: `class${k} open` });
}

function triangle(x, y, k) {
  return s("path", { d: `M${x},${y - 5} l5,9 h-10 z`, class: `class${k}` });
}

function square(x, y, k) {
  return s("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: `class${k} open` });
}
