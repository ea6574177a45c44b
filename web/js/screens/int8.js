// int8: the same network in integers; what is lost, and where.

import { classOf } from "../answer.js";
import { Model } from "../core.js";
import { namesOf } from "../datasets.js";
import { h } from "../dom.js";
import { nameOf } from "../network_drawing.js";
import { number, t } from "../texts.js";

export function int8Screen(session, look) {
  const refuse = (why) => h("section", {}, h("h2", {}, t("int8.title")), h("p", { role: "alert" }, t(why)));
  if (session.diverged) return refuse("pico.diverged");
  const file = session.int8();
  if (!file) return refuse("int8.infinite");
  const model = new Model(session.core, file);
  const compared = session.data.x.map((row) => compare(session, model, file, row));
  model.free();
  return [
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, t("int8.title")), h("p", {}, t("int8.about")), totals(session, file, compared), others(session, compared, look)),
      h("section", {}, h("h2", {}, t("int8.where")), layersTable(session, file, compared), h("p", {}, t("int8.whereAbout")))),
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, t("int8.row", { n: session.row + 1 })), neuronsTable(session, compared[session.row]))),
  ];
}

// {floats, integers, reals, answers}: what each layer's neurons say, in floats, in integers, and what those stand for.
function compare(session, model, file, row) {
  const floats = session.values(row);
  const traced = model.trace(Float32Array.from(row));
  const integers = drawn(file, traced, session.activations);
  const reals = integers.map(({ values, scale, zeroPoint }) => Array.from(values, (q) => scale * (q - zeroPoint)));
  return { floats, integers, reals, answers: [classOf(floats.at(-1)), classOf(reals.at(-1))] };
}

// Of the file's layers those that are drawn: the inputs, and of each layer what its activation gave.
function drawn(file, traced, activations) {
  const all = traced.map((values, i) => ({ values, ...file.layers[i] }));
  const kept = [all.shift()];
  for (const activation of activations) {
    const sums = all.shift();
    kept.push(activation === "relu" || activation === "linear" ? sums : all.shift());
  }
  return kept;
}

function totals(session, file, compared) {
  const { data } = session;
  const right = (which) => compared.filter(({ answers }, row) => answers[which] === data.y[row]).length;
  const line = (key, floats, integers) =>
    h("tr", {}, h("th", { scope: "row" }, t(key)), h("td", {}, String(floats)), h("td", {}, String(integers)));
  const floatBytes = session.file().bytes.length;
  const table = h("table", { id: "int8-totals", "data-right": `${right(0)} ${right(1)}` },
    h("thead", {}, h("tr", {}, h("td", {}), h("th", { scope: "col" }, t("int8.floats")), h("th", { scope: "col" }, t("int8.integers")))),
    h("tbody", {}, line("int8.right", right(0), right(1)), line("int8.file", floatBytes, file.bytes.length)));
  return [table, file.bytes.length > floatBytes ? h("p", {}, t("int8.larger")) : null];
}

function others(session, compared, look) {
  const rows = compared.map((_, row) => row).filter((row) => compared[row].answers[0] !== compared[row].answers[1]);
  if (!rows.length) return h("p", { id: "int8-others" }, t("int8.none"));
  return h("p", { id: "int8-others" }, t("int8.other"), " ", rows.slice(0, 30).map((row) =>
    h("button", {
      id: `int8-${row}`, onclick: () => {
        session.look(row);
        look();
      },
    }, String(row + 1))));
}

function layersTable(session, file, compared) {
  const nLayers = session.sizes.length;
  const rows = Array.from({ length: nLayers }, (_, l) => {
    const lost = compared.flatMap(({ floats, reals }) => reals[l].map((v, i) => Math.abs(v - floats[l][i])));
    const mean = lost.reduce((a, b) => a + b) / lost.length;
    const most = lost.reduce((a, b) => Math.max(a, b));
    const name = l ? `${l} ${session.activations[l - 1]}` : t("net.inputs");
    return h("tr", {}, h("th", { scope: "row" }, name), [compared[0].integers[l].scale, mean, most].map((v) => h("td", {}, number(v, 3))));
  });
  const heads = ["int8.layer", "int8.step", "int8.mean", "int8.most"].map((key) => h("th", { scope: "col" }, t(key)));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("int8.where") },
    h("table", { id: "int8-layers" }, h("thead", {}, h("tr", {}, heads)), h("tbody", {}, rows)));
}

function neuronsTable(session, { floats, integers, reals }) {
  const { sizes } = session;
  const names = namesOf(session.data);
  const rows = sizes.flatMap((n, l) => Array.from({ length: n }, (_, i) => {
    const [exact, q, real] = [floats[l][i], integers[l].values[i], reals[l][i]];
    return h("tr", { "data-integer": q }, h("th", { scope: "row" }, nameOf(l, i, sizes, names)),
      h("td", {}, number(exact)), h("td", {}, String(q)), h("td", { class: "of" }, number(real)), h("td", {}, number(real - exact, 2)));
  }));
  const heads = ["int8.floats", "int8.integer", "int8.stands", "int8.lost"].map((key) =>
    h("th", { scope: "col", class: key === "int8.stands" ? "of" : null }, t(key)));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("int8.row", { n: session.row + 1 }) },
    h("table", { id: "int8-neurons" }, h("thead", {}, h("tr", {}, h("td", {}), heads)), h("tbody", {}, rows)));
}
