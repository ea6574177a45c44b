// Numbers that look random, the same ones from the same seed as in python_api/anne/training.py: so a network begins
// here with the weights that it has on the board.

export class Random {
  constructor(seed) {
    this.state = seed >>> 0;
    for (let i = 0; i < 3; i++) this.below(1);
  }

  /** A whole number from 0 to n - 1; n is at most 65536. */
  below(n) {
    this.state = (Math.imul(this.state, 1664525) + 1013904223) >>> 0;
    return Math.floor(((this.state >>> 16) * n) / 65536);
  }

  /** A number from 0 up to, but not including, 1. */
  uniform() {
    this.below(1);
    return (this.state >>> 8) / 16777216;
  }
}

/** First weights for a network, as anne.Trainer draws them (Glorot; before relu, He), and the generator's state. */
export function firstParameters(sizes, activations, seed) {
  const random = new Random(seed);
  const parameters = [];
  activations.forEach((activation, l) => {
    const [nIn, nOut] = [sizes[l], sizes[l + 1]];
    const limit = Math.sqrt(6 / (nIn + (activation.includes("relu") ? 0 : nOut)));
    for (let i = 0; i < nIn * nOut; i++) parameters.push((2 * random.uniform() - 1) * limit);
    for (let i = 0; i < nOut; i++) parameters.push(0);
  });
  return { parameters: Float32Array.from(parameters), random: random.state };
}
