// A neuron's sum with its numbers, a line for each weight: typed or dragged, times the value it takes.

import { layout } from "./core.js";
import { namesOf } from "./datasets.js";
import { h } from "./dom.js";
import { nameOf } from "./network_drawing.js";
import { numberField, show } from "./number_field.js";
import { LARGEST } from "./session.js";
import { number, t } from "./texts.js";

const DIGITS = 4; // shown of a weight

export function neuronTable(session, { layer, neuron }, values, gradients) {
  const { sizes, data, network } = session;
  const { weights, bias, nIn } = layout(sizes)[layer - 1];
  const parameters = network.parameters;
  const first = weights + neuron * nIn;
  const reach = reachOf(session, layer);
  const line = (name, place, index, value) => {
    const w = parameters[index];
    return h("tr", { id: `line-${place}` }, h("th", { scope: "row" }, name),
      h("td", {}, fields(session, { name, place, index, w, reach })),
      h("td", { class: "of" }, value === null ? null : number(value)),
      h("td", { id: `product-${place}`, "data-live": true }, number(value === null ? w : w * value)),
      h("td", { id: `slope-${place}`, "data-live": true, class: "of" }, number(gradients[index], 2)));
  };
  const lines = Array.from({ length: nIn }, (_, i) =>
    line(nameOf(layer - 1, i, sizes, namesOf(data)), i, first + i, values[layer - 1][i]));
  const heads = ["look.weight", "look.value", "look.product", "look.slope"].map((key, i) =>
    h("th", { scope: "col", class: i % 2 ? "of" : null }, t(key)));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("look.sum") }, h("table", { class: "sum" },
    h("thead", {}, h("tr", {}, h("td", {}), heads)), h("tbody", {}, lines, line(t("look.bias"), "bias", bias + neuron, null))));
}

// How far a weight can be dragged: twice what the layer has learnt, and as far as was typed.
function reachOf(session, layer) {
  const { weights, bias, nOut } = layout(session.sizes)[layer - 1];
  const now = session.network.parameters;
  const learnt = session.edits?.learnt ?? now;
  let most = 1;
  for (let i = weights; i < bias + nOut; i++) most = Math.max(most, Math.abs(learnt[i]), Math.abs(now[i]) / 2);
  return Number.isFinite(most) ? Math.ceil(2 * most) : 1;
}

function fields(session, { name, place, index, w, reach }) {
  const label = place === "bias" ? name : t("look.weightOf", { name });
  const disabled = session.diverged !== null;
  const field = numberField({
    id: `weight-${place}`, "aria-label": label, value: Number(w.toPrecision(DIGITS)), disabled, least: -LARGEST, most: LARGEST,
    take: (value) => session.setParameter(index, value),
  });
  const dragged = (isDragged) => (event) => {
    session.setParameter(index, Number(event.target.value), isDragged);
    show(field, event.target.value);
  };
  const range = h("input", {
    type: "range", min: -reach, max: reach, step: reach / 100, id: `range-${place}`, "aria-label": t("look.drag", { name: label }), value: w,
    disabled, oninput: dragged(true), onchange: dragged(false),
  });
  return h("div", { class: "weight" }, field, range);
}
