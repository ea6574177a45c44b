// What the pupil guesses before the network says it: rows one after the other, in an order of their own.

import { Random } from "./random.js";

const SEED = 2;

export class Guesses {
  /** Rows to guess are those kept back to test, which the network does not learn either; all if there are none. */
  constructor(data, testPlaces) {
    this.data = data;
    this.order = shuffled(testPlaces.length ? testPlaces : data.x.map((_, row) => row));
    this.made = []; // the classes guessed, of the first rows of the order
  }

  /** The row to guess next; undefined after the last one. */
  get row() {
    return this.order[this.made.length];
  }

  guess(label) {
    this.made.push(label);
  }

  /** The rows guessed: {row, guessed, is} each. */
  get rows() {
    return this.made.map((guessed, i) => ({ row: this.order[i], guessed, is: this.data.y[this.order[i]] }));
  }

  /** How many of them are right, as guessed and as others say, a class for each row of the data. */
  tally(classes) {
    const right = (says) => this.rows.filter((each) => says(each) === each.is).length;
    return { all: this.made.length, you: right(({ guessed }) => guessed), net: right(({ row }) => classes[row]) };
  }
}

function shuffled(rows) {
  const random = new Random(SEED);
  const order = rows.slice();
  for (let i = order.length - 1; i > 0; i--) {
    const k = random.below(i + 1);
    [order[i], order[k]] = [order[k], order[i]];
  }
  return order;
}
