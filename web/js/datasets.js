// Data to learn from: {name, features, labels, x, y}, with y the number of each row's class.
//
// Where `exercise` is set, the network begins with given weights, and rows are used as they stand: AI-ANNE's own
// lesson, whose published losses must come out.

import data from "data.json"; // made by build.py
import { Random } from "./random.js";

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

const MAKERS = {
  iris: () => ({ features: FLOWER, labels: ["versicolor", "virginica"], ...data.iris }),
  iris3: () => ({ features: FLOWER, ...data.iris3 }),
  lesson: () => ({ features: FLOWER, labels: ["versicolor", "virginica"], ...data.lesson }),
  xor,
  circles,
  moons,
};

export const DATASETS = Object.keys(MAKERS);

export function dataset(name) {
  return { name, ...MAKERS[name]() };
}
