// The network in integers, as a model file: int8 weights with a scale for each row, int8 values with one scale for each
// layer. The scheme is TensorFlow Lite's (Jacob et al., arXiv 1712.05877), as in host_tools/anne_tools/conversion/
// quantize.py; ranges of values are those of the rows given. What the file computes, the core computes, to the bit as on
// the Pico. Numbers of kinds and of layouts are those of FORMAT.md.

import {
  ACTIVATION, assembled, chain, DENSE, FEATURE_NAMES, FLOAT32, floats, INT8, joined, LABELS, LAYER_NAMES, lines, NAME,
  numbers, record, SCALING, tensor,
} from "./model_file.js";
import { layout } from "./core.js";

const S8_QUAD = 2;
const PANEL = 508; // columns of s8_quad in one piece
const MOST_FACTOR = 2 ** 14; // by which a sum is multiplied; a file's shift is at most 15
const UNIT = { scale: 1 / 256, zeroPoint: -128 }; // of what lies between 0 and 1: sigmoid and softmax
const OWN = { sigmoid: UNIT, softmax: UNIT, tanh: { scale: 1 / 128, zeroPoint: 0 } };

/**
 * {bytes, layers} of the file. ranges: [least, greatest] of the inputs as the first layer takes them, then of each
 * layer's sums and of its outputs, one pair after the other. layers: {nIn, nOut, scale, zeroPoint} of each layer's
 * output in the file.
 */
export function int8File({ sizes, activations, parameters, scaling, ranges, labels, featureNames, name }) {
  const values = [{ n: sizes[0], dtype: FLOAT32 }, { n: sizes[0], ...quantization(ranges[0]) }];
  const records = [];
  const data = [];
  const names = ["scaling"];
  const s = values[1].scale;
  const intoSteps = [scaling.factors, scaling.offsets].map((of) => floats(of.map((v) => v / s)));
  records.push(record(SCALING, 0, 1, data, "linear", intoSteps));
  layout(sizes).forEach(({ weights, bias, nIn, nOut }, l) => {
    const activation = activations[l];
    const isFused = activation === "relu" || activation === "linear";
    const from = values.at(-1);
    const rowScales = scalesOf(parameters.subarray(weights, bias), nIn);
    const leastStep = from.scale * Math.max(...rowScales) / MOST_FACTOR;
    const into = { n: nOut, ...quantization(ranges[isFused ? 2 + 2 * l : 1 + 2 * l], leastStep) };
    const x = values.length - 1;
    const constants = packed(parameters.subarray(weights, bias), rowScales, parameters.subarray(bias, bias + nOut), from, into);
    const least = activation === "relu" ? Math.max(-128, into.zeroPoint) : -128;
    names.push(`dense ${l}`);
    records.push(record(DENSE, x, x + 1, data, isFused ? activation : "linear", constants, [numbers("Iii", S8_QUAD, least, 127)]));
    values.push(into);
    if (isFused) return;
    const out = { n: nOut, dtype: INT8, ...(OWN[activation] ?? quantization(ranges[2 + 2 * l])) };
    names.push(activation);
    records.push(record(ACTIVATION, x + 1, x + 2, data, activation, [table(activation, into, out)]));
    values.push(out);
  });
  const { places, arenaBytes } = chain(values.map(({ n, dtype }) => (dtype === FLOAT32 ? 4 * n : (n + 3) & ~3)));
  const last = values.length - 1;
  const tensors = values.map((value, i) => tensor(value.n, places[i], i === 0 ? 1 : i === last ? 2 : 0, value));
  const metadata = [lines(NAME, [name]), lines(LABELS, labels), lines(FEATURE_NAMES, featureNames), lines(LAYER_NAMES, names)];
  const bytes = assembled(arenaBytes, tensors, records, joined(metadata), data);
  const layers = values.slice(1).map(({ n, scale, zeroPoint }, i) => ({ nIn: values[i].n, nOut: n, scale, zeroPoint }));
  return { bytes, layers };
}

/** Scale and zero point for values from the least to the greatest, in steps of at least leastStep; 0 is among them. */
function quantization([least, greatest], leastStep = 0) {
  const low = Math.min(0, least);
  const step = Math.max(leastStep, (Math.max(0, greatest) - low) / 255);
  const scale = Math.fround(step >= 2 ** -125 ? step : 1);
  return { dtype: INT8, scale, zeroPoint: limited(Math.round(-128 - low / scale)) };
}

const limited = (v) => Math.min(127, Math.max(-128, v));

// A scale for each row of weights, the greatest of which becomes 127 or -127.
function scalesOf(weights, nIn) {
  return Array.from({ length: weights.length / nIn }, (_, o) =>
    weights.subarray(o * nIn, (o + 1) * nIn).reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127 || 1);
}

// Weights in quads, biases with the input's zero point in them, and what each row's sum is multiplied with.
function packed(weights, scales, bias, from, into) {
  const nOut = bias.length;
  const nIn = weights.length / nOut;
  const integers = new Int8Array(weights.length);
  const biases = new Int32Array(nOut);
  const factors = [];
  for (let o = 0; o < nOut; o++) {
    const row = weights.subarray(o * nIn, (o + 1) * nIn);
    const scale = scales[o];
    let sum = 0;
    row.forEach((w, i) => {
      integers[o * nIn + i] = Math.round(w / scale);
      sum += integers[o * nIn + i];
    });
    const exact = bias[o] / (from.scale * scale) - from.zeroPoint * sum;
    biases[o] = Math.min(2 ** 28, Math.max(-(2 ** 28), Math.round(exact)));
    factors.push(factor((from.scale * scale) / into.scale));
  }
  return [quads(integers, nIn, nOut), new Uint8Array(biases.buffer), joined(factors)];
}

function quads(weights, nIn, nOut) {
  const bytes = [];
  const columns = Math.ceil(nIn / 4) * 4;
  const rows = Math.ceil(nOut / 4) * 4;
  const at = (r, j) => 128 + (r < nOut && j < nIn ? weights[r * nIn + j] : 0);
  for (let first = 0; first < columns; first += PANEL) {
    for (let row = 0; row < rows; row += 8) {
      const n = Math.min(8, rows - row);
      for (let j = first; j < Math.min(first + PANEL, columns); j++) {
        for (let r = 0; r < n; r++) bytes.push(at(row + r, j));
      }
    }
  }
  return Uint8Array.from(bytes);
}

// real = multiplier / 2^31 2^shift, with the multiplier in [2^30, 2^31); what is too small for that is 0.
function factor(real) {
  let shift = real > 0 ? Math.floor(Math.log2(real)) + 1 : 0;
  let multiplier = Math.round(real * 2 ** (31 - shift));
  if (multiplier >= 2 ** 31) {
    multiplier /= 2;
    shift += 1;
  }
  return shift >= -31 ? numbers("ii", multiplier, shift) : numbers("ii", 0, 0);
}

function table(activation, from, into) {
  if (activation === "softmax") {
    const exponentials = Array.from({ length: 256 }, (_, d) => Math.min(2 ** 31 - 1, Math.round(Math.exp(-d * from.scale) * 2 ** 31)));
    return new Uint8Array(Int32Array.from(exponentials).buffer);
  }
  const meaning = {
    sigmoid: (v) => 1 / (1 + Math.exp(-v)), tanh: Math.tanh, leaky_relu: (v) => (v < 0 ? 0.01 * v : v),
  }[activation];
  const integers = Array.from({ length: 256 }, (_, i) => {
    const real = from.scale * (i - 128 - from.zeroPoint);
    return limited(Math.round(meaning(real) / into.scale) + into.zeroPoint);
  });
  return new Uint8Array(Int8Array.from(integers).buffer);
}
