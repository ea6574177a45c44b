// Look: every neuron's value for one row, or backwards what the loss depends on; a neuron's sum written out, whose
// weights can be changed by hand; and what comes of it for all rows.

import { NO_ANSWER } from "../answer.js";
import { legend, plane } from "../charts.js";
import { confusion } from "../confusion.js";
import { layout } from "../core.js";
import { namesOf } from "../datasets.js";
import { h } from "../dom.js";
import { mapsOver } from "../heat_map.js";
import { drawNetwork, nameOf } from "../network_drawing.js";
import { neuronTable } from "../neuron_table.js";
import { numberField } from "../number_field.js";
import { number, t } from "../texts.js";
import { featurePickers } from "./data.js";

let chosen = { layer: 1, neuron: 0 };
let shows = "forwards"; // what the drawing shows; "backwards" and "maps" are the others
const [CELLS, CELLS_OF_ALL] = [28, 10]; // of a map, to each side: of the one neuron, and of all in the drawing
const LEGENDS = { forwards: "look.legend", backwards: "look.legend.backwards", maps: "look.legend.maps" };

export function lookScreen(session) {
  const { data, sizes } = session;
  if (data.features.length < 2 && shows === "maps") shows = "forwards";
  if (!(chosen.layer < sizes.length && chosen.neuron < sizes[chosen.layer])) chosen = { layer: 1, neuron: 0 };
  const values = session.values(data.x[session.row]);
  const gradients = gradientsOf(session);
  const { layer, neuron } = chosen;
  return [
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, t("look.title")), rowPicker(session), answer(session), modes(session),
        h("div", { id: "look-network", class: "scroll drawing", "data-live": true, tabindex: 0, role: "region", "aria-label": t("look.title") },
          drawing(session, values, gradients)),
        h("p", {}, t(LEGENDS[shows]))),
      data.features.length > 1 ? h("section", { class: "later" }, h("h2", {}, t("look.map")), featurePickers(session), map(session)) : null),
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, nameOf(layer, neuron, sizes, namesOf(data))), h("p", {}, t("look.byHand")),
        neuronTable(session, chosen, values, gradients), sum(session, values), gradient(session, gradients), wayBack(session)),
      effect(session)),
  ];
}

function gradientsOf(session) {
  const { network, data, row } = session;
  return network.gradients(session.scaled(data.x[row]), Float32Array.of(data.y[row]));
}

// --- The row and the network -----------------------------------------------------------------------------------------

function rowPicker(session) {
  const n = session.data.x.length;
  return h("p", {}, h("label", {}, t("look.row"), " ", numberField({
    id: "look-row", value: session.row + 1, least: 1, most: n, isWhole: true, clamps: true, take: (row) => session.look(row - 1),
  }), " ", t("look.of", { n })));
}

function answer(session) {
  const { data, row, classes } = session;
  const { labels } = namesOf(data);
  const [is, says] = [labels[data.y[row]], labels[classes[row]]];
  const key = classes[row] === NO_ANSWER ? "look.noAnswer" : is === says ? "look.right" : "look.wrong";
  return h("p", { id: "look-answer", "data-live": true }, t(key, { is, says }));
}

function modes(session) {
  const button = (key) => {
    const mode = key.split(".")[1];
    const show = () => {
      shows = mode;
      session.changed("mode");
    };
    return h("button", { id: `look-${mode}`, "aria-pressed": String(shows === mode), onclick: show }, t(key));
  };
  const hasPlane = session.data.features.length > 1;
  return h("p", { class: "buttons" }, button("look.forwards"), button("look.backwards"), hasPlane ? button("look.maps") : null);
}

function drawing(session, values, gradients) {
  const { sizes, activations, data, network } = session;
  const choose = (layer, neuron, input) => {
    chosen = { layer, neuron };
    session.changed("neuron");
    if (input !== undefined) document.getElementById(`weight-${input}`).focus();
  };
  const ofSums = layout(sizes).map(({ bias, nOut }) => gradients.subarray(bias, bias + nOut));
  return drawNetwork({
    sizes, activations, parameters: shows === "backwards" ? gradients : network.parameters, names: namesOf(data),
    values: shows === "backwards" ? [[], ...ofSums] : values, maps: shows === "maps" ? maps(session, CELLS_OF_ALL) : null,
    chosen, choose,
  });
}

// --- The neuron ------------------------------------------------------------------------------------------------------

function sum(session, values) {
  const { activations } = session;
  const { layer, neuron } = chosen;
  const [total, out] = [session.sums(layer - 1, values[layer - 1])[neuron], values[layer][neuron]];
  return h("p", { id: "look-out", "data-live": true, "data-value": out, "data-sum": total },
    t("look.out", { activation: activations[layer - 1], sum: number(total), out: number(out) }));
}

function gradient(session, gradients) {
  const { layer, neuron } = chosen;
  const change = gradients[layout(session.sizes)[layer - 1].bias + neuron];
  if (!Number.isFinite(change)) return null;
  return h("p", { id: "look-gradient", "data-live": true, "data-value": change },
    t(change > 0 ? "look.less" : change < 0 ? "look.more" : "look.none", { change: number(Math.abs(change)) }));
}

function wayBack(session) {
  const disabled = !session.edits;
  return h("p", { class: "buttons" },
    h("button", { id: "look-undo", disabled, onclick: () => session.undo() }, t("look.undo")),
    h("button", { id: "look-learnt", disabled, onclick: () => session.backToLearnt() }, t("look.learnt")));
}

// --- All rows --------------------------------------------------------------------------------------------------------

/** What the weights, as they are, do to all rows; once they were changed by hand, beside what was learnt. */
function effect(session) {
  if (session.diverged) {
    return h("section", { id: "look-effect", "data-live": true }, h("p", { role: "alert" }, t("train.diverged", { n: session.diverged })));
  }
  const { edits, data, test } = session;
  const now = session.summary();
  const line = (key, shown) => h("tr", {}, h("th", { scope: "row" }, t(key)),
    edits ? h("td", {}, shown(edits.summary)) : null, h("td", {}, shown(now)));
  const lines = [
    line("look.loss", ({ loss }) => number(loss)),
    test ? line("look.testLoss", ({ testLoss }) => number(testLoss)) : null,
    line("look.rightRows", ({ right }) => `${right} / ${data.x.length}`),
  ];
  const heads = [edits ? "look.wasLearnt" : null, "look.now"].filter(Boolean).map((key) => h("th", { scope: "col" }, t(key)));
  return h("section", { id: "look-effect", class: "later", "data-live": true, "data-loss": now.loss }, h("h2", {}, t("look.effect")),
    h("table", {}, h("thead", {}, h("tr", {}, h("td", {}), heads)), h("tbody", {}, lines)),
    confusion(session, (row) => session.look(row)));
}

function maps(session, cells) {
  const { data, features, row } = session;
  return mapsOver({ x: data.x, features, row: data.x[row], cells, valuesOf: (x) => session.values(x) });
}

function map(session) {
  const { data, features, row } = session;
  const { layer, neuron } = chosen;
  const names = namesOf(data);
  const own = maps(session, CELLS)[layer][neuron];
  return h("div", { id: "look-map", "data-live": true }, plane({
    x: data.x, y: data.y, features, names: names.features, labels: names.labels, chosen: row, map: own,
    onpick: (picked) => session.look(picked), title: t("look.mapTitle"),
  }), legend(names.labels), h("p", {}, t("look.map.about", { low: number(own.low, 3), high: number(own.high, 3) })));
}
