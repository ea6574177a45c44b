// Data to learn from: {name, features, labels, x, y}, with y the number of each row's class.
//
// Where `exercise` is set, the network begins with given weights, and rows are used as they stand: AI-ANNE's own
// lesson, whose published losses must come out.

import data from "data.json"; // made by build.py
import { Random } from "./random.js";
import { called } from "./texts.js";

const FLOWER = ["sepal length", "sepal width", "petal length", "petal width"];

function xor() {
  const x = [[0, 0], [0, 1], [1, 0], [1, 1]];
  return { features: ["a", "b"], labels: ["0", "1"], x, y: [0, 1, 1, 0] };
}

// Points in the plane, of classes that take turns.
function points(n, place) {
  const random = new Random(7);
  const x = [];
  const y = [];
  for (let i = 0; i < n; i++) {
    y.push(i % 2);
    x.push(place(i % 2, random).map((v) => Math.round(v * 1000) / 1000));
  }
  return { features: ["x", "y"], labels: ["A", "B"], x, y };
}

function circles() {
  return points(120, (inside, random) => {
    const [angle, radius] = [2 * Math.PI * random.uniform(), (inside ? 0.35 : 0.9) + 0.25 * (random.uniform() - 0.5)];
    return [radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function moons() {
  return points(120, (lower, random) => {
    const angle = Math.PI * random.uniform();
    const [dx, dy] = [0.2 * (random.uniform() - 0.5), 0.2 * (random.uniform() - 0.5)];
    const [x, y] = lower ? [1 - Math.cos(angle), 0.5 - Math.sin(angle)] : [Math.cos(angle), Math.sin(angle)];
    return [x + dx, y + dy];
  });
}

// Three gestures of an accelerometer, each told by three numbers: the means of both halves of a second, and how often
// the sign changes, in tens. As in lesson 7.
function gestures() {
  const random = new Random(3);
  const n = 24;
  const x = [];
  const y = [];
  for (let i = 0; i < 90; i++) {
    const gesture = i % 3; // left, right, shake
    const strength = 0.7 + 0.6 * random.uniform();
    const late = Math.floor(6 * random.uniform());
    const readings = Array.from({ length: n }, (_, k) => {
      const t = (k - late) / (n - 6);
      const wave = t >= 0 && t < 1 ? Math.sin(2 * Math.PI * (gesture === 2 ? 4 : 1) * t) * strength : 0;
      return (gesture === 0 ? -wave : wave) + 0.2 * (random.uniform() - 0.5);
    });
    const mean = (part) => part.reduce((a, b) => a + b) / part.length;
    const changes = readings.filter((v, k) => k && v > 0 !== readings[k - 1] > 0).length / 10;
    x.push([mean(readings.slice(0, n / 2)), mean(readings.slice(n / 2)), changes].map((v) => Math.round(v * 1000) / 1000));
    y.push(gesture);
  }
  return { features: ["first half", "second half", "changes"], labels: ["left", "right", "shake"], x, y };
}

const MAKERS = {
  iris: () => ({ features: FLOWER, labels: ["versicolor", "virginica"], ...data.iris }),
  iris3: () => ({ features: FLOWER, ...data.iris3 }),
  lesson: () => ({ features: FLOWER, labels: ["versicolor", "virginica"], ...data.lesson }),
  xor,
  circles,
  moons,
  gestures,
};

export const DATASETS = Object.keys(MAKERS);

export function dataset(name) {
  return { name, ...MAKERS[name]() };
}

/** {features, labels} as the page calls them, in its language. Files and boards keep the names of the data. */
export function namesOf({ name, features, labels }) {
  const shown = (names) => (DATASETS.includes(name) ? names.map(called) : names);
  return { features: shown(features), labels: shown(labels) };
}
