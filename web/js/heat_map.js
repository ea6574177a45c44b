// What neurons say over the plane of two features, as maps: the darker, the larger the value.

import { s } from "./dom.js";

const SPACE = 0.04; // left free around the rows, as a part of their range
const DARKEST = 0.75;

/** [least, greatest] of each of the features over the rows, with some space around. */
export function rangesOf(x, features) {
  return features.map((k) => {
    const [low, high] = extent(x.map((row) => row[k]));
    if (!(high > low)) return [low - 0.5, low + 0.5];
    return [low - SPACE * (high - low), high + SPACE * (high - low)];
  });
}

/**
 * A map of each neuron of each layer, {values, low, high, cells}: values column after column, each from below.
 * valuesOf(row) are all layers' values; but for the two features rows are as `row`; cells: to each side of the plane.
 */
export function mapsOver({ x, features, row, cells, valuesOf }) {
  const [a, b] = rangesOf(x, features);
  const at = ([low, high], i) => low + ((i + 0.5) / cells) * (high - low);
  const traces = Array.from({ length: cells * cells }, (_, i) => {
    const moved = row.slice();
    [moved[features[0]], moved[features[1]]] = [at(a, Math.floor(i / cells)), at(b, i % cells)];
    return valuesOf(moved);
  });
  return traces[0].map((layer, l) => Array.from(layer, (_, i) => {
    const values = traces.map((trace) => trace[l][i]);
    const [low, high] = extent(values);
    return { values, low, high, cells };
  }));
}

/** A map as cells of a drawing. Edges are whole numbers, so that neighbours neither overlap nor leave a gap. */
export function drawMap({ values, low, high, cells }, { x, y, width, height }) {
  const edge = (i, size) => Math.round((i / cells) * size);
  const shade = (v) => (high > low && Number.isFinite(v) ? ((v - low) / (high - low)) * DARKEST : 0);
  return s("g", { class: "heat", "shape-rendering": "crispEdges" }, values.map((v, at) => {
    const [i, k] = [Math.floor(at / cells), cells - 1 - (at % cells)];
    return s("rect", {
      x: x + edge(i, width), y: y + edge(k, height), width: edge(i + 1, width) - edge(i, width),
      height: edge(k + 1, height) - edge(k, height), "fill-opacity": shade(v).toFixed(3),
    });
  }));
}

// [least, greatest] of those that are numbers; of none [0, 0].
function extent(values) {
  let [low, high] = [Infinity, -Infinity];
  for (const v of values) {
    if (Number.isFinite(v)) [low, high] = [Math.min(low, v), Math.max(high, v)];
  }
  return low > high ? [0, 0] : [low, high];
}
