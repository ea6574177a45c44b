// Which class a network's outputs say.

export const NO_ANSWER = -1; // where they are no numbers

/** The number of the class; of one output the second above a half. */
export function classOf(outputs) {
  if (outputs.some(Number.isNaN)) return NO_ANSWER;
  return outputs.length === 1 ? Number(outputs[0] > 0.5) : outputs.indexOf(Math.max(...outputs));
}
