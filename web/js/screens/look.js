// Look: every neuron's value for one row; a click writes out its sum, and what the loss changes by it.

import { plane } from "../charts.js";
import { layout } from "../core.js";
import { h } from "../dom.js";
import { drawNetwork, nameOf } from "../network_drawing.js";
import { number, t } from "../texts.js";
import { featurePickers } from "./data.js";

let chosen = { layer: 1, neuron: 0 };

export function lookScreen(session) {
  const { data, network, sizes, activations } = session;
  if (!(chosen.layer < sizes.length && chosen.neuron < sizes[chosen.layer])) chosen = { layer: 1, neuron: 0 };
  const values = session.values(data.x[session.row]);
  const choose = (layer, neuron) => {
    chosen = { layer, neuron };
    session.changed("neuron");
  };
  return [
    h("section", {}, h("h2", {}, t("look.title")), rowPicker(session), answer(session), drawNetwork({
      sizes, activations, parameters: network.parameters, features: data.features, labels: data.labels, values, chosen, choose,
    }), h("p", {}, t("look.legend"))),
    h("section", {}, h("h2", {}, nameOf(chosen.layer, chosen.neuron, sizes, data.features, data.labels)),
      sum(session, values), gradient(session)),
    data.features.length > 1 ? h("section", {}, h("h2", {}, t("look.map")), featurePickers(session), map(session)) : null,
  ];
}

function rowPicker(session) {
  const n = session.data.x.length;
  const pick = (event) => session.look(Math.min(n, Math.max(1, Math.round(Number(event.target.value)) || 1)) - 1);
  return h("p", {}, h("label", {}, t("look.row", { n }), " ",
    h("input", { type: "number", id: "look-row", min: 1, max: n, value: session.row + 1, onchange: pick })));
}

function answer(session) {
  const { data, row } = session;
  const [is, says] = [data.labels[data.y[row]], data.labels[session.classOf(data.x[row])]];
  return h("p", { id: "look-answer" }, t(is === says ? "look.right" : "look.wrong", { is, says }));
}

/** The neuron's sum with its numbers: weight times value, one line each, then the bias, the sum and the activation. */
function sum(session, values) {
  const { sizes, activations, data, network } = session;
  const { layer, neuron } = chosen;
  const { weights, bias, nIn } = layout(sizes)[layer - 1];
  const parameters = network.parameters;
  const below = values[layer - 1];
  const lines = Array.from({ length: nIn }, (_, i) => {
    const w = parameters[weights + neuron * nIn + i];
    return h("tr", {}, h("th", { scope: "row" }, nameOf(layer - 1, i, sizes, data.features, data.labels)),
      h("td", {}, number(w)), h("td", {}, "×"), h("td", {}, number(below[i])));
  });
  const out = values[layer][neuron];
  return [
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("look.sum") },
      h("table", { class: "sum" },
        h("thead", {}, h("tr", {}, h("td", {}), h("th", {}, t("look.weight")), h("td", {}), h("th", {}, t("look.value")))),
        h("tbody", {}, lines, h("tr", {}, h("th", { scope: "row" }, t("look.bias")), h("td", {}, number(parameters[bias + neuron])), h("td", {}), h("td", {}))))),
    h("p", { id: "look-out", "data-value": out }, t("look.out", { activation: activations[layer - 1], out: number(out) })),
  ];
}

function gradient(session) {
  const { sizes, data, network, row } = session;
  const { layer, neuron } = chosen;
  const { bias } = layout(sizes)[layer - 1];
  const change = network.gradients(session.scaled(data.x[row]), Float32Array.of(data.y[row]))[bias + neuron];
  return h("p", { id: "look-gradient", "data-value": change }, t(change > 0 ? "look.less" : change < 0 ? "look.more" : "look.none", {
    change: number(Math.abs(change)),
  }));
}

function map(session) {
  const { data, features, row } = session;
  const { layer, neuron } = chosen;
  const heat = (a, b) => {
    const x = data.x[row].slice();
    [x[features[0]], x[features[1]]] = [a, b];
    return session.values(x)[layer][neuron];
  };
  return [plane({
    x: data.x, y: data.y, features, names: data.features, labels: data.labels, chosen: row, heat,
    onpick: (picked) => session.look(picked), title: t("look.mapTitle"),
  }), h("p", {}, t("look.map.about"))];
}
