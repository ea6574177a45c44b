// Charts drawn by hand: the loss over epochs, rows in a plane, what a neuron says over that plane.

import { h, s } from "./dom.js";
import { drawMap, rangesOf } from "./heat_map.js";
import { number, t } from "./texts.js";

const [WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM] = [340, 240, 46, 10, 10, 34];
const [ACROSS, UP] = [WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM];
const MOST_MARKS = 1500; // more rows than that are drawn by some of them
const SHAPES = [circle, cross, triangle, square]; // a class is told by its shape, too

/** Losses over epochs: a line for training, a dashed one for test. */
export function lossChart(losses, testLosses) {
  const tests = testLosses.filter((v) => v !== null);
  const most = Math.max(0, ...losses, ...tests) || 1;
  const last = Math.max(2, losses.length);
  const x = (epoch) => LEFT + ((epoch - 1) / (last - 1)) * ACROSS;
  const y = (v) => TOP + (1 - v / most) * UP;
  const path = (values) => thinned(values).map(([i, v]) => `${x(i + 1).toFixed(1)},${y(v).toFixed(1)}`).join(" ");
  const axes = {
    x, y, xRange: [1, last], xStep: 1, yRange: [0, most], xName: t("train.epoch"), yName: t("train.loss"),
    title: t("train.chart", { n: losses.length }),
  };
  return frame(axes, [
    s("polyline", { class: "line", points: path(losses) }),
    tests.length ? s("polyline", { class: "line dashed", points: path(testLosses) }) : null,
  ]);
}

// At most some hundred points: more cannot be seen.
function thinned(values) {
  const step = Math.ceil(values.length / 400);
  const kept = values.map((v, i) => [i, v]).filter(([i, v]) => v !== null && (i % step === 0 || i === values.length - 1));
  return kept.length === 1 ? [...kept, ...kept] : kept; // a line of no length, whose round ends are a point
}

/**
 * Rows in the plane of two features. map, unless null, are a neuron's values there (heat_map.js), drawn below;
 * onpick(row) is called for a click; of the row `unknown` the class is not told.
 */
export function plane({ x, y, features, names, labels, chosen, unknown, map, onpick, title }) {
  const [fa, fb] = features;
  const [a, b] = rangesOf(x, features);
  const px = (v) => LEFT + ((v - a[0]) / (a[1] - a[0])) * ACROSS;
  const py = (v) => TOP + (1 - (v - b[0]) / (b[1] - b[0])) * UP;
  const mark = (row, i) => {
    const [shape, label] = i === unknown ? [question, "?"] : [SHAPES[y[i] % SHAPES.length], labels[y[i]]];
    return s("g", { class: `mark${i === chosen ? " chosen" : ""}`, onclick: onpick && (() => onpick(i)) },
      s("title", {}, `${i + 1}: ${label}`), shape(px(row[fa]), py(row[fb]), y[i]));
  };
  const step = Math.ceil(x.length / MOST_MARKS);
  const marks = x.map((row, i) => (i !== unknown && (i % step === 0 || i === chosen) ? mark(row, i) : null));
  const last = unknown === undefined ? null : mark(x[unknown], unknown);
  const axes = { x: px, y: py, xRange: a, yRange: b, xName: names[fa], yName: names[fb], title };
  return frame(axes, [map ? drawMap(map, { x: LEFT, y: TOP, width: ACROSS, height: UP }) : null, ...marks, last]);
}

/** Which mark a class has. */
export function legend(labels) {
  return h("p", { class: "legend" }, labels.map((label, k) =>
    h("span", {}, s("svg", { viewBox: "0 0 14 14", class: "mark", "aria-hidden": "true" }, SHAPES[k % SHAPES.length](7, 7, k)), label)));
}

// Both axes with round numbers, and what stands between them; x and y give the place of a value.
function frame({ x, y, xRange, xStep = 0, yRange, xName, yName, title }, children) {
  const [right, bottom] = [WIDTH - RIGHT, HEIGHT - BOTTOM];
  const middle = TOP + UP / 2;
  return s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img", "aria-label": title },
    ...children,
    s("path", { class: "axis", d: `M${LEFT},${TOP} V${bottom} H${right}` }),
    ticks(xRange, xStep).map((v) => [
      s("path", { class: "axis", d: `M${x(v)},${bottom} v4` }), s("text", { x: x(v), y: bottom + 15, class: "middle" }, tick(v)),
    ]),
    ticks(yRange).map((v) => [
      s("path", { class: "axis", d: `M${LEFT},${y(v)} h-4` }), s("text", { x: LEFT - 6, y: y(v) + 4, class: "end" }, tick(v)),
    ]),
    s("text", { x: LEFT + ACROSS / 2, y: HEIGHT - 4, class: "middle" }, xName),
    s("text", { x: 10, y: middle, class: "middle", transform: `rotate(-90 10 ${middle})` }, yName));
}

function tick(v) {
  const size = Math.abs(v);
  return size !== 0 && (size < 1e-3 || size >= 1e5) ? v.toExponential().replace("e+", "e") : number(v);
}

// Some round numbers from the least to the greatest, at most six.
function ticks([low, high], leastStep = 0) {
  const least = Math.max(leastStep, (high - low) / 5);
  const power = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5, 10].map((k) => k * power).find((k) => k >= least);
  const first = Math.ceil(low / step);
  return Array.from({ length: Math.floor(high / step) - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
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

function question(x, y) {
  return [s("circle", { cx: x, cy: y, r: 9, class: "unknown" }), s("text", { x, y: y + 4, class: "middle" }, "?")];
}

function square(x, y, k) {
  return s("rect", { x: x - 4, y: y - 4, width: 8, height: 8, class: `class${k} open` });
}
