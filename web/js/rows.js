// Rows as the core takes them, and their division into those to learn from and those to test with.

const FEW = 20; // so many rows are all learnt from
const EVERY = 4; // of more, every fourth tests
const LEAST_SPREAD = 1e-30; // a smaller one is none, as the factor to spread 1 would be near where float32 ends

/** {training, test, scaling} of data; rows are scaled to mean 0 and spread 1 by what those to learn from have. */
export function split(data) {
  const isTest = (i) => !data.exercise && data.x.length > FEW && i % EVERY === EVERY - 1;
  const places = data.x.map((_, i) => i);
  const scaling = data.exercise ? none(data) : standard(data.x.filter((_, i) => !isTest(i)));
  const part = (wanted) => {
    const chosen = places.filter(wanted);
    const scaled = (row) => row.map((v, k) => v * scaling.factors[k] + scaling.offsets[k]);
    return { places: chosen, x: chosen.map((i) => scaled(data.x[i])), y: chosen.map((i) => data.y[i]) };
  };
  return { training: part((i) => !isTest(i)), test: part(isTest), scaling };
}

function none(data) {
  return { factors: data.features.map(() => 1), offsets: data.features.map(() => 0) };
}

function standard(x) {
  const factors = [];
  const offsets = [];
  for (let k = 0; k < x[0].length; k++) {
    const mean = x.reduce((sum, row) => sum + row[k], 0) / x.length;
    const spread = Math.sqrt(x.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / x.length);
    const unit = spread < LEAST_SPREAD ? 1 : spread;
    factors.push(1 / unit);
    offsets.push(-mean / unit);
  }
  return { factors, offsets };
}

/** Rows in arrays of the core's types; y has the number of the class, or 0 and 1 for one output. */
export class Rows {
  constructor({ places, x, y }) {
    this.places = places; // which rows of the data they are
    this.n = x.length;
    this.nIn = x[0].length;
    this.x = Float32Array.from(x.flat());
    this.y = Float32Array.from(y);
  }

  row(i) {
    return this.x.subarray(i * this.nIn, (i + 1) * this.nIn);
  }

  /** Row i alone. */
  only(i) {
    return { n: 1, x: this.row(i), y: this.y.subarray(i, i + 1) };
  }

  numbers() {
    return Uint16Array.from({ length: this.n }, (_, i) => i);
  }
}
