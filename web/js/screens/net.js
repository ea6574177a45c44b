// Net: layers and neurons, added and taken away.

import { namesOf } from "../datasets.js";
import { h } from "../dom.js";
import { drawNetwork } from "../network_drawing.js";
import { numberField } from "../number_field.js";
import { HIDDEN, MOST_LAYERS, MOST_NEURONS } from "../session.js";
import { number, t } from "../texts.js";

export function netScreen(session) {
  const { sizes, activations, data, network } = session;
  return [
    h("section", {}, h("h2", {}, t("net.layers")), h("ol", { class: "layers" }, session.hidden.map((_, l) => layerRow(session, l)), lastRow(session)),
      h("p", {}, addButton(session)),
      h("p", {}, t("net.count", { weights: network.nParameters })), costs(session)),
    h("section", {}, h("h2", {}, sizes.join("-")),
      h("div", { class: "scroll drawing", tabindex: 0, role: "region", "aria-label": t("net.layers") }, drawNetwork({
        sizes, activations, parameters: network.parameters, names: namesOf(data), values: null,
      }))),
  ];
}

function layerRow(session, l) {
  const layer = session.hidden[l];
  const change = (to) => session.setHidden(session.hidden.with(l, { ...layer, ...to }));
  return h("li", {},
    h("label", {}, t("net.neurons"), " ",
      numberField({
        id: `neurons-${l}`, value: layer.n, least: 1, most: MOST_NEURONS, isWhole: true, clamps: true, take: (n) => change({ n }),
      })), " ",
    h("select", {
      id: `activation-${l}`, "aria-label": t("net.activation", { layer: l + 1 }),
      onchange: (event) => change({ activation: event.target.value }),
    }, HIDDEN.map((name) => h("option", { selected: name === layer.activation }, name))), " ",
    h("button", {
      id: `remove-${l}`, "aria-label": t("net.removeLayer", { layer: l + 1 }),
      onclick: () => session.setHidden(session.hidden.toSpliced(l, 1)),
    }, t("net.remove")));
}

function lastRow(session) {
  const n = session.nOut;
  return h("li", {}, t(n === 1 ? "net.last.one" : "net.last.many", { n, activation: session.activations.at(-1) }));
}

function addButton(session) {
  return h("button", {
    id: "add-layer", disabled: session.hidden.length >= MOST_LAYERS - 1,
    onclick: () => session.setHidden([...session.hidden, { n: 3, activation: session.hidden.at(-1)?.activation ?? "tanh" }]),
  }, t("net.add"));
}

function costs(session) {
  if (session.diverged) return null;
  const { microseconds, fileBytes, ramBytes } = session.cost();
  const rows = [["net.time", `${number(microseconds, 3)} µs`], ["net.file", t("net.bytes", { n: fileBytes })], ["net.ram", t("net.bytes", { n: ramBytes })]];
  return [
    h("table", { id: "net-cost", "data-microseconds": microseconds, "data-file": fileBytes, "data-ram": ramBytes }, h("caption", {}, t("net.cost")),
      h("tbody", {}, rows.map(([key, value]) => h("tr", {}, h("th", { scope: "row" }, t(key)), h("td", {}, value))))),
    h("p", {}, t("net.cost.about")),
  ];
}
