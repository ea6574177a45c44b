// Data: choose what the network shall learn, look at it, or bring a table of one's own.

import { DATASETS } from "../datasets.js";
import { plane } from "../charts.js";
import { h } from "../dom.js";
import { readTable, TableError } from "../table.js";
import { number, t } from "../texts.js";

const MOST_SHOWN = 100; // rows of the table
let message = ""; // what is wrong with the table that was brought
let typed = "";

export function dataScreen(session) {
  const { data } = session;
  return [
    h("section", {}, h("h2", {}, t("data.choose")), choices(session), own(session)),
    h("section", {},
      h("h2", {}, t("data.rows", { n: data.x.length, classes: data.labels.join(", ") })),
      data.features.length > 1 ? featurePickers(session) : null,
      data.features.length > 1 ? picture(session) : null,
      table(session)),
  ];
}

function choices(session) {
  return h("div", { class: "choices" }, DATASETS.map((name) =>
    h("label", {},
      h("input", {
        type: "radio", name: "data", id: `data-${name}`, checked: session.data.name === name,
        onchange: () => {
          message = "";
          session.choose(name);
        },
      }),
      h("b", {}, t(`data.${name}`)), " ", t(`data.${name}.about`))));
}

function own(session) {
  const take = (text) => {
    try {
      const data = readTable(text);
      message = "";
      session.choose(data);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      message = t(error.key, error.values);
      session.changed("message");
    }
  };
  const open = async (event) => {
    const [file] = event.target.files;
    if (file) take(await file.text());
  };
  const area = h("textarea", {
    id: "data-typed", rows: 5, spellcheck: "false", "aria-label": t("data.typed"), placeholder: t("data.example"),
    oninput: (event) => (typed = event.target.value),
  }, typed);
  return h("details", { open: message !== "" || typed !== "" || session.data.name === "own" },
    h("summary", {}, t("data.own")),
    h("p", {}, t("data.own.about")),
    h("label", {}, t("data.file"), " ", h("input", { type: "file", id: "data-file", accept: ".csv,.txt,.tsv,text/csv", onchange: open })),
    area,
    h("button", { id: "data-take", onclick: () => take(typed) }, t("data.take")),
    message ? h("p", { role: "alert" }, message) : null);
}

/** Two lists to choose the features that are drawn. */
export function featurePickers(session) {
  const { features } = session.data;
  const list = (which) =>
    h("select", {
      id: `feature-${which}`, "aria-label": t(which ? "data.up" : "data.across"),
      onchange: (event) => session.setFeatures(session.features.with(which, Number(event.target.value))),
    }, features.map((name, i) => h("option", { value: i, selected: session.features[which] === i }, name)));
  return h("p", {}, t("data.across"), " ", list(0), " ", t("data.up"), " ", list(1));
}

function picture(session) {
  const { data, features } = session;
  const legend = h("p", {}, data.labels.map((label, i) => h("span", { class: "legend" }, `${"●✕▲□"[i % 4]} ${label}`)));
  return [plane({
    x: data.x, y: data.y, features, names: data.features, labels: data.labels, chosen: session.row,
    onpick: (row) => session.look(row), title: t("data.plane"),
  }), legend];
}

function table(session) {
  const { data } = session;
  const rows = data.x.slice(0, MOST_SHOWN).map((row, i) =>
    h("tr", { class: i === session.row ? "chosen" : null },
      h("th", { scope: "row" }, String(i + 1)), row.map((v) => h("td", {}, number(v))), h("td", {}, data.labels[data.y[i]])));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("data.table") }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, t("data.row")), data.features.map((name) => h("th", {}, name)), h("th", {}, t("data.class")))),
    h("tbody", {}, rows)),
  data.x.length > MOST_SHOWN ? h("p", {}, t("data.more", { n: data.x.length - MOST_SHOWN })) : null);
}
