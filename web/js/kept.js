// Whether what the browser kept is what this page keeps. Another version of it may have written it, or another page:
// browsers give all pages of a folder one store.

const whole = (least, most) => (v) => Number.isInteger(v) && v >= least && v <= most;
const all = (list, is) => Array.isArray(list) && list.every(is);
const isNumber = (v) => Number.isFinite(v);
const orNull = (is) => (v) => v === null || is(v); // JSON has no NaN
const isText = (v) => typeof v === "string";

/** The layers and the settings; limits: {hidden, mostLayers, mostNeurons}. */
export function isNetwork({ hidden, settings }, { hidden: activations, mostLayers, mostNeurons }) {
  const { optimizer, lr, batch, seed } = settings;
  return all(hidden, ({ n, activation }) => whole(1, mostNeurons)(n) && activations.includes(activation)) && hidden.length < mostLayers
    && ["sgd", "adam"].includes(optimizer) && [lr, batch, seed].every(isNumber) && lr > 0 && batch >= 1;
}

/** A table of one's own. */
export function isTable({ name, features, labels, x, y }) {
  return name === "own" && all(features, isText) && features.length > 0 && all(labels, isText) && labels.length > 1
    && all(x, (row) => all(row, isNumber) && row.length === features.length) && x.length > 1
    && all(y, whole(0, labels.length - 1)) && y.length === x.length;
}

/** What was done with the data and the network that the session has by now. */
export function isProgress(kept, { data, network, guesses }) {
  const { row, features, losses, testLosses, diverged, edits = null, guesses: guessed = [], typed = "", parameters } = kept;
  const isStep = ([index, value]) => whole(0, network.nParameters - 1)(index) && isNumber(value);
  const areEdits = ({ learnt, summary, steps }) => all(learnt, isNumber) && learnt.length === network.nParameters
    && isNumber(summary.right) && all(steps, isStep) && steps.length > 0;
  return whole(0, data.x.length - 1)(row) && all(features, whole(0, data.features.length - 1)) && features.length === 2
    && all(losses, isNumber) && all(testLosses, orNull(isNumber)) && testLosses.length === losses.length
    && orNull(isNumber)(diverged) && orNull(areEdits)(edits) && isText(typed)
    && all(guessed, whole(0, data.labels.length - 1)) && guessed.length <= guesses.order.length
    && all(parameters, orNull(isNumber)) && parameters.length === network.nParameters;
}
