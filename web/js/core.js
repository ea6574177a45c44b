// The C core of the firmware as WebAssembly. This file carries numbers into its memory and out of it; what is
// computed is computed there, to the same bits as on the Pico. The doors are those of native_module/host.c.

import constants from "constants.json";

export const ACTIVATIONS = constants.activations; // in the order of their numbers
const LOSSES = constants.losses;
const OPTIMIZERS = constants.optimizers;

/** Compile the core from its bytes, gzipped as they are in the page. */
export async function loadCore(zipped) {
  const stream = new Blob([zipped]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = await new Response(stream).arrayBuffer();
  const { instance } = await WebAssembly.instantiate(bytes); // it imports nothing
  return new Core(instance.exports);
}

class Core {
  constructor(doors) {
    this.doors = doors;
  }

  /** The address of a copy of a typed array. Error without memory. */
  put(array) {
    const address = this.doors.malloc(array.byteLength || 1);
    if (!address) throw new Error("memory");
    this.write(address, array);
    return address;
  }

  write(address, array) {
    new Uint8Array(this.doors.memory.buffer, address, array.byteLength).set(
      new Uint8Array(array.buffer, array.byteOffset, array.byteLength),
    );
  }

  /** A copy of n floats from an address on. */
  floats(address, n) {
    return new Float32Array(this.doors.memory.buffer, address, n).slice();
  }

  /** A copy of n signed bytes from an address on. */
  bytes(address, n) {
    return new Int8Array(this.doors.memory.buffer, address, n).slice();
  }

  /** What dense neurons sum up, before their activation. */
  dense(weights, bias, x) {
    return this.with([weights, bias, x, new Float32Array(bias.length)], (weightsAt, biasAt, xAt, out) => {
      this.doors.anne_host_dense(weightsAt, biasAt, xAt, x.length, bias.length, out);
      return this.floats(out, bias.length);
    });
  }

  /** Call use(addresses) with copies of arrays in the core's memory, and free them. */
  with(arrays, use) {
    const addresses = [];
    try {
      for (const array of arrays) addresses.push(this.put(array));
      return use(...addresses);
    } finally {
      for (const address of addresses) this.doors.free(address);
    }
  }
}

/**
 * A network of dense layers that learns: trainer.h says how.
 *
 * sizes: inputs, then the neurons of each layer; activations: a name for each layer; nTargets: numbers in a row of y.
 * Parameters are the layers' one behind the other: weights, a row for each neuron, then biases.
 */
export class Network {
  constructor(core, { sizes, activations, loss, optimizer, lr, momentum = 0, decay = 0, batch, nTargets, random }) {
    const numbers = [
      Uint32Array.from(sizes),
      Uint32Array.from(activations, (name) => ACTIVATIONS.indexOf(name)),
      Float32Array.of(lr, momentum, decay),
      new Int32Array(1),
    ];
    this.core = core;
    this.sizes = sizes;
    this.activations = activations;
    this.handle = core.with(numbers, (sizesAt, activationsAt, ratesAt, statusAt) =>
      core.doors.anne_host_trainer_new(
        activations.length, sizesAt, activationsAt, LOSSES.indexOf(loss), OPTIMIZERS.indexOf(optimizer),
        ratesAt, batch, nTargets, random, statusAt,
      ),
    );
    if (!this.handle) throw new Error("the core refuses this network");
    this.nParameters = core.doors.anne_host_trainer_parameters(this.handle);
    this.nOutputs = sizes.slice(1).reduce((a, b) => a + b);
    // for one row, which is asked for often
    this.x = core.put(new Float32Array(sizes[0]));
    this.y = core.put(new Float32Array(nTargets));
    this.outputsAt = core.put(new Float32Array(this.nOutputs));
    this.parametersAt = core.put(new Float32Array(this.nParameters));
  }

  free() {
    for (const address of [this.x, this.y, this.outputsAt, this.parametersAt]) this.core.doors.free(address);
    this.core.doors.anne_host_trainer_free(this.handle);
  }

  get parameters() {
    this.core.doors.anne_host_trainer_get(this.handle, this.parametersAt);
    return this.core.floats(this.parametersAt, this.nParameters);
  }

  set parameters(values) {
    this.core.write(this.parametersAt, Float32Array.from(values));
    this.core.doors.anne_host_trainer_set(this.handle, this.parametersAt);
  }

  /** Train for so many epochs; the loss of each, fewer where one is not finite. order: row numbers, shuffled, or null. */
  run(rows, epochs, order = null) {
    return this.core.with([rows.x, rows.y, order ?? new Uint16Array(), new Float32Array(epochs)], (x, y, at, losses) => {
      const orderAt = order ? at : 0;
      const n = this.core.doors.anne_host_trainer_run(this.handle, x, y, orderAt, rows.n, losses, epochs, 0);
      if (order) order.set(new Uint16Array(this.core.doors.memory.buffer, at, order.length));
      return this.core.floats(losses, n);
    });
  }

  /** The mean of the rows' losses; nothing is learnt. */
  loss(rows) {
    return this.core.with([rows.x, rows.y], (x, y) =>
      this.core.doors.anne_host_trainer_loss(this.handle, x, y, rows.n, 0),
    );
  }

  /** Every neuron's value for one row: an array for each layer. */
  outputs(x) {
    this.core.write(this.x, x);
    this.core.doors.anne_host_trainer_outputs(this.handle, this.x, this.outputsAt);
    const all = this.core.floats(this.outputsAt, this.nOutputs);
    let at = 0;
    return this.sizes.slice(1).map((n) => all.subarray(at, (at += n)));
  }

  /** What one row's loss changes by each parameter, in their order. */
  gradients(x, y) {
    this.core.write(this.x, x);
    this.core.write(this.y, y);
    this.core.doors.anne_host_trainer_gradients(this.handle, this.x, this.y, this.parametersAt);
    return this.core.floats(this.parametersAt, this.nParameters);
  }
}

/** A model file as the Pico runs it: {bytes, layers} of model_file.js or int8_file.js. Error if the core refuses it. */
export class Model {
  constructor(core, { bytes, layers }) {
    this.core = core;
    this.layers = layers;
    this.handle = core.with([bytes, new Int32Array(1)], (at, statusAt) =>
      core.doors.anne_host_open(at, bytes.length, statusAt), // it takes a copy
    );
    if (!this.handle) throw new Error("the core refuses this file");
    this.x = core.put(new Float32Array(layers[0].nIn));
    this.outputsAt = core.put(new Float32Array(layers.reduce((sum, layer) => sum + layer.nOut, 0)));
  }

  free() {
    this.core.doors.free(this.x);
    this.core.doors.free(this.outputsAt);
    this.core.doors.anne_host_close(this.handle);
  }

  /** Bytes that the core needs beside the file, the layers and the values between them. */
  get scratchBytes() {
    return this.core.doors.anne_host_scratch_bytes(this.handle);
  }

  /** The outputs of every layer of the file for one row: an array for each, of floats, or of the integers themselves. */
  trace(x) {
    this.core.write(this.x, x);
    this.core.doors.anne_host_trace(this.handle, this.x, this.outputsAt);
    let at = this.outputsAt;
    return this.layers.map(({ nOut, scale }) => {
      const values = scale === undefined ? this.core.floats(at, nOut) : this.core.bytes(at, nOut);
      at += values.byteLength;
      return values;
    });
  }
}

/** Where each layer's weights and biases are among the parameters: {weights, bias, nIn, nOut} for each. */
export function layout(sizes) {
  let at = 0;
  return sizes.slice(1).map((nOut, l) => {
    const nIn = sizes[l];
    const layer = { weights: at, bias: at + nIn * nOut, nIn, nOut };
    at = layer.bias + nOut;
    return layer;
  });
}
