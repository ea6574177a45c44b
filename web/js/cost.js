// What the network costs on the Pico, by the prices and the sums of host_tools/anne_tools/boards/fit.py: cycles as in
// the emulated Pico, bytes of RAM and of the file.

import constants from "constants.json";

const { prices, blocks, layerBytes, clockHz } = constants;

/** {microseconds, fileBytes, ramBytes} of one prediction, list in and list out, with the file in RAM. */
export function cost({ bytes, arenaBytes, layers }, scratchBytes) {
  const [nIn, nOut] = [layers[0].nIn, layers.at(-1).nOut];
  let cycles = priced(prices.call, { per_input: nIn, per_output: nOut });
  for (const layer of layers) cycles += layerCycles(layer);
  const ramBytes = bytes.length + layers.length * layerBytes + arenaBytes + scratchBytes;
  return { microseconds: (cycles / clockHz) * 1e6, fileBytes: bytes.length, ramBytes };
}

function layerCycles({ kernel, activation, nIn, nOut }) {
  const elements = { per_output: nOut, row: 1 };
  const own = activation === null ? 0 : priced(prices.activations[activation], elements);
  if (!(kernel in blocks)) return priced(prices.kernels[kernel], elements) + own;
  const { rows, panel } = blocks[kernel];
  const n = Math.ceil(nOut / rows);
  const parts = { per_input: nIn, per_output: nOut, block: Math.ceil(nIn / panel) * n, block_column: nIn * n };
  const hasRelu = kernel === "f32_aligned" && activation === "relu"; // one of its own
  return hasRelu ? priced(prices.kernels["f32_aligned relu"], parts) : priced(prices.kernels[kernel], parts) + own;
}

function priced(price, parts) {
  return Object.entries(price).reduce((sum, [part, cycles]) => sum + cycles * (part === "base" ? 1 : (parts[part] ?? 0)), 0);
}
