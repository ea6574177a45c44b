// What a board takes: a UF2 file with nothing but a model, to be dragged onto the drive of a Pico in its bootloader,
// and a program in AI-ANNE's own words. The formats are explained in host_tools/anne_tools/boards/{romfs,uf2}.py.

import constants from "constants.json";
import { layout } from "./core.js";
import { joined, numbers } from "./model_file.js";

const PAGE = 256;
const [FILE_SYSTEM, PADDING, DATA, FILE] = [[0xd2, 0xcd, 0x31], 1, 2, 5];

/** The UF2 file that puts `content` into the ROMFS of our firmware on a board, as /rom/name, and nothing else. */
export function modelUf2(name, content, board = "pico") {
  const { address, family } = constants.boards[board];
  const image = romfs(name, content);
  const total = Math.ceil(image.length / PAGE);
  return joined(Array.from({ length: total }, (_, i) => {
    const page = new Uint8Array(PAGE).fill(0xff);
    page.set(image.subarray(i * PAGE, (i + 1) * PAGE));
    const head = numbers("IIIIIIII", 0x0a324655, 0x9e5d5157, 0x2000, address + i * PAGE, PAGE, i, total, family);
    return joined([head, page, new Uint8Array(512 - 32 - PAGE - 4), numbers("I", 0x0ab16f30)]);
  }));
}

// A file system of one file, whose bytes begin at a multiple of 16.
function romfs(name, content) {
  const encoded = new TextEncoder().encode(name);
  const begin = [FILE, ...number(0, 4), ...number(encoded.length), ...encoded];
  const headBytes = FILE_SYSTEM.length + 4;
  let gap = -(headBytes + begin.length + 5) & 15;
  if (gap === 1) gap = 17; // a padding record takes two bytes at least
  const padding = gap ? [PADDING, ...number(gap - 2), ...new Array(gap - 2).fill(0)] : [];
  const inner = [...begin.slice(5), ...padding, DATA, ...number(content.length, 4)];
  const file = [FILE, ...number(inner.length + content.length, 4), ...inner];
  const isOdd = (headBytes + file.length + content.length) % 2;
  const end = isOdd ? [PADDING, ...number(1), 0] : [];
  const head = [...FILE_SYSTEM, ...number(file.length + content.length + end.length, 4)];
  return joined([Uint8Array.from([...head, ...file]), content, Uint8Array.from(end)]);
}

// Seven bits a byte, the greatest first.
function number(value, nBytes = 1) {
  const digits = [];
  while (value || digits.length < nBytes) {
    digits.unshift((value & 0x7f) | (digits.length ? 0x80 : 0));
    value >>>= 7;
  }
  return digits;
}

/** The network as a program in AI-ANNE's words. Its first weights have the scaling in them: it takes what was measured. */
export function program({ sizes, activations, parameters, scaling, labels, featureNames, row }) {
  const text = [
    "# A network from the AI-ANNE Explorer: weights as lists, a line for each neuron; a call for each layer.",
    `# Inputs: ${featureNames.map(plain).join(", ")}. Classes: ${labels.map(plain).join(", ")}.`,
    "from anne import dense",
    "",
  ];
  layout(sizes).forEach(({ weights, bias, nIn, nOut }, l) => {
    const rows = [];
    const biases = [];
    for (let o = 0; o < nOut; o++) {
      const w = Array.from(parameters.subarray(weights + o * nIn, weights + (o + 1) * nIn));
      const scaled = l ? w : w.map((v, i) => v * scaling.factors[i]);
      const moved = l ? 0 : w.reduce((sum, v, i) => sum + v * scaling.offsets[i], 0);
      rows.push(`[${scaled.map(literal).join(", ")}]`);
      biases.push(literal(parameters[bias + o] + moved));
    }
    text.push(`w${l + 1} = [${rows.join(",\n      ")}]`, `b${l + 1} = [${biases.join(", ")}]`);
  });
  text.push("", `x = [${row.map((v) => `[${v}]`).join(", ")}]  # one row of the data, a list for each input`);
  activations.forEach((activation, l) => {
    text.push(`x = dense(${sizes[l + 1]}, x, w${l + 1}, b${l + 1}, "${activation}")`);
  });
  return [...text, "print(x)", ""].join("\n");
}

// Seven digits tell float32 numbers apart on the board, nine on a PC too.
function literal(v) {
  return String(Number(v.toPrecision(9)));
}

function plain(text) {
  return text.replace(/[\x00-\x1f\x7f]/g, " ");
}
