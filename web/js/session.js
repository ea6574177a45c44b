// What has been chosen and learnt: data, network, training. Screens show it and call its methods; each change is told
// to those who listen, and kept in the browser, so that a reload loses nothing.

import { classOf } from "./answer.js";
import { layout, Model, Network } from "./core.js";
import { cost } from "./cost.js";
import { dataset, DATASETS } from "./datasets.js";
import { Guesses } from "./guesses.js";
import { int8File } from "./int8_file.js";
import { isNetwork, isProgress, isTable } from "./kept.js";
import { modelFile } from "./model_file.js";
import { firstParameters } from "./random.js";
import { Rows, split } from "./rows.js";

// Changes that leave the network as it is, and those that come many times a second.
const ELSEWHERE = ["live", "board", "cell", "neuron", "message", "mode", "guess"];
const OFTEN = ["training", "live", "drag"];
const KEY = "anne-explorer";
export const LARGEST = 1e5; // a weight beyond it has grown without end, though sigmoid and softmax keep the loss finite
const MOST_EPOCHS = 20000; // whose losses are kept
export const MOST_LAYERS = 8;
export const MOST_NEURONS = 64;
export const HIDDEN = ["relu", "leaky_relu", "sigmoid", "tanh", "linear"];
const LIMITS = { hidden: HIDDEN, mostLayers: MOST_LAYERS, mostNeurons: MOST_NEURONS };

export class Session {
  constructor(core) {
    this.core = core;
    this.listeners = [];
    this.typed = ""; // of a table, before it is taken
    this.restore(stored()) || this.choose("iris");
  }

  listen(listener) {
    this.listeners.push(listener);
  }

  changed(what) {
    if (!ELSEWHERE.includes(what)) {
      this.madeModel?.free();
      this.madeModel = null;
      this.madeClasses = null;
    }
    if (!OFTEN.includes(what)) this.keep(); // the page keeps it when it is left, too
    for (const listener of this.listeners) listener(what);
  }

  // --- Choosing -----------------------------------------------------------------------------------------------------

  /** Take data, by name or as a table read, and a network that suits them. */
  choose(data) {
    this.take(typeof data === "string" ? dataset(data) : data);
    this.settings = { optimizer: "sgd", lr: 0.05, batch: 1, seed: 0, ...this.data.exercise?.settings };
    this.hidden = this.data.exercise?.hidden ?? [{ n: 3, activation: this.data.name === "iris" ? "relu" : "tanh" }];
    this.restart();
  }

  take(data) {
    this.data = data;
    this.row = 0;
    this.features = [Math.max(0, data.features.length - 2), data.features.length - 1];
    const { training, test, scaling } = split(data);
    this.scaling = scaling;
    this.guesses = new Guesses(data, test.places);
    this.training = new Rows(training);
    this.test = test.x.length ? new Rows(test) : null;
  }

  /** The number of outputs: one for two classes, else one for each. */
  get nOut() {
    return this.data.labels.length === 2 ? 1 : this.data.labels.length;
  }

  get sizes() {
    return [this.data.features.length, ...this.hidden.map((layer) => layer.n), this.nOut];
  }

  get activations() {
    return [...this.hidden.map((layer) => layer.activation), this.nOut === 1 ? "sigmoid" : "softmax"];
  }

  setHidden(hidden) {
    this.hidden = hidden;
    this.restart();
  }

  setSettings(settings) {
    const begins = "seed" in settings;
    const before = begins ? null : this.network.parameters;
    Object.assign(this.settings, settings);
    this.build();
    if (before) this.network.parameters = before;
    else this.forget();
    this.changed(begins ? "network" : "settings");
  }

  // --- Learning -----------------------------------------------------------------------------------------------------

  /** A new network with its first weights. */
  restart() {
    this.build();
    this.forget();
    this.changed("network");
  }

  build() {
    const { optimizer, lr, batch, seed } = this.settings;
    const { sizes, activations } = this;
    const first = firstParameters(sizes, activations, seed);
    const given = this.data.exercise;
    const isGiven = given && sizes.join() === given.sizes.join() && activations.join() === given.activations.join();
    const loss = this.nOut === 1 ? "binary_cross_entropy" : "categorical_cross_entropy";
    this.network?.free();
    this.network = new Network(this.core, {
      sizes, activations, loss, optimizer, lr, batch, nTargets: 1, random: first.random,
    });
    this.network.parameters = isGiven ? given.parameters : first.parameters;
    this.order = given ? null : this.training.numbers();
    this.next = 0; // the row that "one sample" takes
  }

  forget() {
    this.losses = [];
    this.testLosses = [];
    this.diverged = null;
    this.edits = null;
    this.dragged = null;
  }

  /** Train for so many epochs. */
  epochs(n) {
    for (let i = 0; i < n && this.epoch(); i++);
    this.changed(this.diverged ? "diverged" : "training");
  }

  /** Train for about so many milliseconds, an epoch at least. */
  epochsFor(ms) {
    const end = performance.now() + ms;
    while (this.epoch() && performance.now() < end);
    this.changed(this.diverged ? "diverged" : "training");
  }

  /** One epoch; whether another may follow. */
  epoch() {
    if (this.diverged || this.losses.length >= MOST_EPOCHS) return false;
    this.edits = null;
    const [loss] = this.network.run(this.training, 1, this.order);
    if (!Number.isFinite(loss) || this.network.parameters.some((w) => Math.abs(w) > LARGEST)) {
      this.diverged = this.losses.length + 1;
      return false;
    }
    this.losses.push(loss);
    this.testLosses.push(this.test ? this.network.loss(this.test) : null);
    return true;
  }

  /** Train with one row, which is then the one that is looked at. */
  sample() {
    if (this.diverged) return;
    const one = this.training.only(this.next);
    this.row = this.training.places[this.next];
    this.network.run(one, 1);
    this.edits = null;
    this.next = (this.next + 1) % this.training.n;
    this.changed("training");
  }

  /** The loss as it is shown: of the exercise the sum over the rows, as AI-ANNE prints it. */
  shownLoss(loss) {
    return this.data.exercise ? loss * this.training.n : loss;
  }

  look(row) {
    this.row = row;
    this.changed("row");
  }

  setFeatures(features) {
    this.features = features;
    this.changed("features");
  }

  /** A row of numbers as they were measured, as the network takes it. */
  scaled(x) {
    return Float32Array.from(x, (v, i) => v * this.scaling.factors[i] + this.scaling.offsets[i]);
  }

  /** Every value for a row of numbers as they were measured: what the network takes, then each layer's neurons. */
  values(x) {
    if (this.diverged) return [this.scaled(x), ...this.network.outputs(this.scaled(x))];
    const row = Float32Array.from(x);
    return this.neurons(row, this.model.trace(row));
  }

  /** Of a row and the values of each layer of the file, those that are drawn: what the neurons take, then what they say. */
  neurons(row, traced) {
    const neurons = this.fileScales ? traced.slice(1) : traced.slice();
    if (neurons.length > this.activations.length) neurons.splice(-2, 1); // the sums that softmax took
    return [this.fileScales ? traced[0] : row, ...neurons];
  }

  /** The class that the network gives to each row of the data, or NO_ANSWER. */
  get classes() {
    this.madeClasses ??= this.data.x.map((x) => classOf(this.values(x).at(-1)));
    return this.madeClasses;
  }

  /** How it does: losses as shown, how many of all rows are right, and of those kept back; null where there are none. */
  summary() {
    const { network, training, test } = this;
    const right = (rows) => rows.filter((row) => this.classes[row] === this.data.y[row]).length;
    return {
      loss: this.shownLoss(network.loss(training)), testLoss: test && network.loss(test),
      right: right([...this.data.y.keys()]), testRight: test && right(test.places),
    };
  }

  // --- By hand ------------------------------------------------------------------------------------------------------

  /** Give a parameter a value, as float32. While it is dragged many follow, which are one step on the way back. */
  setParameter(index, value, isDragged = false) {
    const parameters = this.network.parameters;
    this.edits ??= { learnt: Array.from(parameters), summary: this.summary(), steps: [] };
    if (this.dragged !== index || !this.edits.steps.length) this.edits.steps.push([index, parameters[index]]);
    this.dragged = isDragged ? index : null;
    parameters[index] = value;
    this.network.parameters = parameters;
    this.changed(isDragged ? "drag" : "weights");
  }

  /** Take the last change back. */
  undo() {
    const [index, value] = this.edits.steps.pop();
    this.dragged = null; // even if nobody let go of it
    const parameters = this.network.parameters;
    parameters[index] = value;
    this.network.parameters = parameters;
    if (!this.edits.steps.length) this.edits = null;
    this.changed("weights");
  }

  /** Take all changes back: the weights are those that were learnt. */
  backToLearnt() {
    this.network.parameters = this.edits.learnt;
    this.edits = null;
    this.dragged = null;
    this.changed("weights");
  }

  // --- As the Pico has it -------------------------------------------------------------------------------------------

  /** The network as a model file: {bytes, arenaBytes, layers} (model_file.js). */
  file() {
    const { sizes, activations, data, scaling } = this;
    return modelFile({
      sizes, activations, parameters: this.network.parameters, scaling: this.fileScales ? scaling : null,
      labels: data.labels, featureNames: data.features, name: data.name,
    });
  }

  get fileScales() {
    return !this.data.exercise;
  }

  /** The network as the Pico runs it, made anew when its weights have changed. */
  get model() {
    if (!this.madeModel) {
      this.madeModel = new Model(this.core, this.file());
    }
    return this.madeModel;
  }

  // --- In integers --------------------------------------------------------------------------------------------------

  /** The network in int8, by the ranges of the rows it learns from: {bytes, layers} (int8_file.js); null for infinite ones. */
  int8() {
    const { sizes, activations, data, scaling, training } = this;
    const ranges = this.ranges(training.places.map((row) => data.x[row]));
    if (!ranges.flat().every(Number.isFinite)) return null;
    return int8File({
      sizes, activations, parameters: this.network.parameters, scaling, ranges, labels: data.labels,
      featureNames: data.features, name: data.name,
    });
  }

  // [least, greatest] of the inputs as they are taken, then of each layer's sums and of its outputs.
  ranges(rows) {
    const found = Array.from({ length: 1 + 2 * this.activations.length }, () => [Infinity, -Infinity]);
    const widen = (range, values) => {
      for (const v of values) [range[0], range[1]] = [Math.min(range[0], v), Math.max(range[1], v)];
    };
    for (const row of rows) {
      const values = this.values(row);
      widen(found[0], values[0]);
      this.activations.forEach((_, l) => {
        widen(found[1 + 2 * l], this.sums(l, values[l]));
        widen(found[2 + 2 * l], values[l + 1]);
      });
    }
    return found;
  }

  /** The sums of layer l before its activation, which the file does not keep, for what the layer takes. */
  sums(l, x) {
    const { weights, bias, nOut } = layout(this.sizes)[l];
    const parameters = this.network.parameters;
    return this.core.dense(parameters.subarray(weights, bias), parameters.subarray(bias, bias + nOut), x);
  }

  /** What it costs there, by the cost model: microseconds, bytes of the file and of RAM. */
  cost() {
    return cost(this.file(), this.model.scratchBytes);
  }

  // --- Kept over a reload -------------------------------------------------------------------------------------------

  keep() {
    const { settings, hidden, row, features, losses, testLosses, diverged, edits, typed } = this;
    const guesses = this.guesses.made;
    const data = this.data.name === "own" ? this.data : this.data.name;
    const parameters = Array.from(this.network.parameters);
    const kept = { data, settings, hidden, row, features, losses, testLosses, diverged, edits, guesses, typed, parameters };
    try {
      localStorage.setItem(KEY, JSON.stringify(kept));
    } catch {
      // full or forbidden: the page works without
    }
  }

  restore(kept) {
    if (!kept) return false;
    try {
      if (!isNetwork(kept, LIMITS) || !(isTable(kept.data) || DATASETS.includes(kept.data))) return false;
      this.take(typeof kept.data === "string" ? dataset(kept.data) : kept.data);
      Object.assign(this, { settings: kept.settings, hidden: kept.hidden });
      this.build();
      if (!isProgress(kept, this)) return false;
      const { row, features, losses, testLosses, diverged, edits = null, guesses = [], typed = "" } = kept;
      Object.assign(this, { row, features, losses, testLosses, diverged, edits, typed });
      this.guesses.made = guesses;
      // JSON has no NaN: after a divergence there is nothing to go on with
      if (kept.parameters.some((v) => v === null)) this.diverged ??= losses.length + 1;
      else this.network.parameters = kept.parameters;
      return true;
    } catch {
      return false; // of another version of the page
    }
  }
}

function stored() {
  try {
    return JSON.parse(localStorage.getItem(KEY));
  } catch {
    return null;
  }
}
