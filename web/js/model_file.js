// Writes a model file of dense layers on floats, byte for byte as python_api/anne/model_writer.py does, where each step
// is explained; FORMAT.md says what each byte means. Numbers of kinds and of layouts are those there.

import { ACTIVATIONS, layout } from "./core.js";

const HEADER_BYTES = 48;
export const [DENSE, ACTIVATION, SCALING] = [1, 2, 3];
export const [FLOAT32, INT8] = [1, 2];
const [F32, F32_ALIGNED] = [1, 6];
const PANEL = 168; // columns of f32_aligned in one piece
export const [NAME, LABELS, FEATURE_NAMES, LAYER_NAMES] = [1, 2, 3, 8];

/**
 * {bytes, arenaBytes, layers} of the file; layers say what is in it: {kernel, activation, nIn, nOut} each.
 * scaling: {factors, offsets} of what is done to the inputs first, or null.
 */
export function modelFile({ sizes, activations, parameters, scaling, labels, featureNames, name }) {
  const names = [];
  const layers = [];
  const records = [];
  const data = [];
  const bytes = [4 * sizes[0]]; // of each value; softmax has that of its input
  const byRows = new Set();
  if (scaling) {
    names.push("scaling");
    records.push(record(SCALING, 0, 1, data, "linear", [scaling.factors, scaling.offsets].map(floats)));
    layers.push({ kernel: "scaling float32", activation: null, nIn: sizes[0], nOut: sizes[0] });
    bytes.push(bytes[0]);
  }
  layout(sizes).forEach(({ weights, bias, nIn, nOut }, l) => {
    const n = records.length;
    const isLast = activations[l] === "softmax";
    names.push(`dense ${n}`);
    const constants = packed(parameters.subarray(weights, bias), parameters.subarray(bias, bias + nOut), nIn);
    const activation = isLast ? "linear" : activations[l];
    const isAligned = constants.length === 3;
    const settings = [numbers("III", isAligned ? F32_ALIGNED : F32, 0, 0)];
    records.push(record(DENSE, n, n + 1, data, activation, constants, settings));
    layers.push({ kernel: isAligned ? "f32_aligned" : "f32", activation, nIn, nOut });
    if (isLast) {
      names.push("softmax");
      layers.push({ kernel: "activation float32", activation: "softmax", nIn: nOut, nOut });
      records.push(record(ACTIVATION, n + 1, n + 2, data, "softmax"));
      byRows.add(bytes.length);
    }
    bytes.push(4 * nOut);
  });
  const { places, arenaBytes } = chain(bytes);
  const tensors = bytes.flatMap((n, i) => Array(byRows.has(i) ? 2 : 1).fill([n / 4, places[i], i ? 0 : 1]));
  tensors[tensors.length - 1] = [...tensors.at(-1).slice(0, 2), 2];
  const metadata = [lines(NAME, [name]), lines(LABELS, labels), lines(FEATURE_NAMES, featureNames), lines(LAYER_NAMES, names)];
  const made = assembled(arenaBytes, tensors.map((each) => tensor(...each)), records, joined(metadata), data);
  return { bytes: made, arenaBytes, layers };
}

/** The file of these parts, with its header and checksum. */
export function assembled(arenaBytes, tensors, records, metadata, data) {
  const parts = [joined(tensors), joined(records), metadata, joined(data.map(padded))];
  const [, layerBytes, metadataBytes, dataBytes] = parts.map((part) => part.length);
  const counts = numbers("IIIIIIII", arenaBytes, tensors.length, records.length, layerBytes, metadataBytes, dataBytes, 0, 0);
  const body = joined([counts, ...parts]);
  const head = numbers("BBBBHHII", ..."ANNE".split("").map((c) => c.charCodeAt(0)), 1, HEADER_BYTES,
    HEADER_BYTES - counts.length + body.length, crc32(body));
  return joined([head, body]);
}

/** A tensor of n values from byte `at` of the arena on; role 1 is the network's input, 2 its output. */
export function tensor(n, at, role, { dtype = FLOAT32, scale = 1, zeroPoint = 0 } = {}) {
  return numbers("BBBBIIIIfiI", dtype, role, 1, 0, n, 0, 0, 0, scale, zeroPoint, at);
}

/** A layer from tensor x to tensor y; its constants go to `data`, equal ones once, padded to words. */
export function record(kind, x, y, data, activation, constants = [], settings = []) {
  const places = constants.map((constant) => {
    let index = data.findIndex((other) => same(other, constant));
    if (index < 0) index = data.push(constant) - 1;
    const at = data.slice(0, index).reduce((sum, other) => sum + padded(other).length, 0);
    return numbers("II", at, constant.length);
  });
  const rest = joined([...places, ...settings]);
  const alpha = activation === "leaky_relu" ? 0.01 : 0;
  const head = numbers("HHBBBBfHH", kind, 16 + rest.length, 1, 1, constants.length, ACTIVATIONS.indexOf(activation), alpha, x, y);
  return joined([head, rest]);
}

/** An entry of metadata of texts, one a line; nothing if there are none. */
export function lines(tag, texts) {
  const content = new TextEncoder().encode(texts.join("\n"));
  if (!content.length) return content;
  return joined([numbers("II", tag, content.length), content, new Uint8Array(-content.length & 3)]);
}

// --- Weights in the fastest layout that is exact for them -----------------------------------------------------------

function packed(weights, bias, nIn) {
  const nOut = bias.length;
  const most = (first, step, n) => {
    let greatest = 0;
    for (let i = 0; i < n; i++) greatest = Math.max(greatest, Math.abs(weights[first + i * step]));
    return greatest;
  };
  const columns = Array.from({ length: nIn }, (_, j) => most(j, nIn, nOut)).filter(Boolean).sort((a, b) => a - b);
  if (!columns.length) columns.push(0);
  const middle = Math.floor(columns.length / 2);
  if (columns.at(-1) > 32 * (columns[middle] + columns.at(-1 - middle))) return [floats(weights), floats(bias)];
  const exponents = Int32Array.from(bias, (_, row) => Math.max(exponent(most(row * nIn, 1, nIn)) - 24, -149));
  const words = new DataView(new ArrayBuffer(4 * nIn * (nOut + (nOut % 2))));
  let at = 0;
  for (let first = 0; first < nIn; first += PANEL) {
    for (let row = 0; row < nOut; row += 2) {
      for (let i = 2 * first; i < 2 * Math.min(first + PANEL, nIn); i++) {
        const r = row + (i % 2);
        const w = r < nOut ? weights[r * nIn + (i >> 1)] : 0;
        const v = 2048 + (r < nOut ? toEven(w * 2 ** -exponents[r]) : 0);
        words.setUint16(at, v & 4095, true);
        words.setInt16(at + 2, v >> 12, true);
        at += 4;
      }
    }
  }
  return [new Uint8Array(words.buffer), floats(bias), new Uint8Array(exponents.buffer)];
}

// The e of v = m 2^e with 0.5 <= m < 1, as frexp has it; 0 for 0.
function exponent(v) {
  if (v === 0) return 0;
  let e = Math.ceil(Math.log2(v));
  while (v >= 2 ** e) e++; // log2 may be off where v is near a power of 2
  while (v < 2 ** (e - 1)) e--;
  return e;
}

// The nearest whole number, of two the even one.
function toEven(v) {
  const below = Math.floor(v);
  const rest = v - below;
  return below + (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? 1 : 0);
}

// --- Where values lie in the arena: neighbours of the chain are needed at one time -----------------------------------

export function chain(sizes) {
  const n = sizes.length;
  const least = Math.max(...sizes.slice(1).map((size, i) => size + sizes[i]));
  const places = new Array(n).fill(undefined);
  const order = sizes.map((size, i) => i - n * size).sort((a, b) => a - b);
  for (const key of order) {
    const i = ((key % n) + n) % n;
    let at = 0;
    for (const j of [i - 1, i + 1, i - 1]) {
      const isThere = places[j] !== undefined;
      if (isThere && places[j] - sizes[i] < at && at < places[j] + sizes[j]) at = places[j] + sizes[j];
    }
    places[i] = at;
    if (at + sizes[i] > least) {
      return { places: sizes.map((size, k) => (k % 2) * (least - size)), arenaBytes: least };
    }
  }
  return { places, arenaBytes: least };
}

// --- Bytes -----------------------------------------------------------------------------------------------------------

const SIZES = { B: 1, H: 2, I: 4, i: 4, f: 4 };

/** Numbers as bytes, little-endian, with a letter each as in Python's struct. */
export function numbers(format, ...values) {
  const view = new DataView(new ArrayBuffer([...format].reduce((sum, letter) => sum + SIZES[letter], 0)));
  let at = 0;
  [...format].forEach((letter, i) => {
    if (letter === "B") view.setUint8(at, values[i]);
    if (letter === "H") view.setUint16(at, values[i], true);
    if (letter === "I") view.setUint32(at, values[i], true);
    if (letter === "i") view.setInt32(at, values[i], true);
    if (letter === "f") view.setFloat32(at, values[i], true);
    at += SIZES[letter];
  });
  return new Uint8Array(view.buffer);
}

export function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function floats(values) {
  return new Uint8Array(Float32Array.from(values).buffer);
}

function padded(bytes) {
  return joined([bytes, new Uint8Array(-bytes.length & 3)]);
}

function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

function crc32(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = (crc >>> 1) ^ (0xedb88320 & -(crc & 1));
  }
  return ~crc >>> 0;
}
