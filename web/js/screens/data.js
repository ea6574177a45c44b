// Data: choose what the network shall learn, look at it, or bring a table of one's own.

import { legend, plane } from "../charts.js";
import { DATASETS, namesOf } from "../datasets.js";
import { h } from "../dom.js";
import { guessSection } from "../guess_section.js";
import { readTable, TableError } from "../table.js";
import { fixed, number, t } from "../texts.js";

const MOST_SHOWN = 100; // rows of the table
const MOST_DECIMALS = 4;
let fault = null; // the TableError of the table that was brought

export function dataScreen(session) {
  const { data } = session;
  return [
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, t("data.choose")), choices(session), own(session)), guessSection(session)),
    h("div", { class: "column" }, h("section", {},
      h("h2", {}, t("data.rows", { n: data.x.length, classes: namesOf(data).labels.join(", ") })),
      data.features.length > 1 ? [featurePickers(session), picture(session)] : null,
      table(session))),
  ];
}

function choices(session) {
  return h("div", { class: "choices" }, DATASETS.map((name) =>
    h("label", {},
      h("input", {
        type: "radio", name: "data", id: `data-${name}`, checked: session.data.name === name,
        onchange: () => {
          fault = null;
          session.choose(name);
        },
      }),
      h("span", {}, h("b", {}, t(`data.${name}`)), " ", t(`data.${name}.about`)))));
}

function own(session) {
  const take = (text) => {
    try {
      const data = readTable(text);
      fault = null;
      session.choose(data);
    } catch (error) {
      if (!(error instanceof TableError)) throw error;
      fault = error;
      session.changed("message");
    }
  };
  const open = async (event) => {
    const [file] = event.target.files;
    if (file) take(await file.text());
  };
  const area = h("textarea", {
    id: "data-typed", rows: 5, spellcheck: "false", "aria-label": t("data.typed"), placeholder: t("data.example"),
    oninput: (event) => (session.typed = event.target.value),
  }, session.typed);
  return h("details", { open: fault !== null || session.typed !== "" || session.data.name === "own" },
    h("summary", {}, t("data.own")),
    h("p", {}, t("data.own.about")),
    h("label", {}, t("data.file"), " ", h("input", { type: "file", id: "data-file", accept: ".csv,.txt,.tsv,text/csv", onchange: open })),
    area,
    h("button", { id: "data-take", onclick: () => take(session.typed) }, t("data.take")),
    fault ? h("p", { role: "alert" }, t(fault.key, fault.values)) : null);
}

/** Two lists to choose the features that are drawn. */
export function featurePickers(session) {
  const { features } = namesOf(session.data);
  const list = (which) =>
    h("select", {
      id: `feature-${which}`, "aria-label": t(which ? "data.up" : "data.across"),
      onchange: (event) => session.setFeatures(session.features.with(which, Number(event.target.value))),
    }, features.map((name, i) => h("option", { value: i, selected: session.features[which] === i }, name)));
  return h("p", { class: "settings" }, h("span", {}, t("data.across"), " ", list(0)), h("span", {}, t("data.up"), " ", list(1)));
}

function picture(session) {
  const { data, features, guesses } = session;
  const names = namesOf(data);
  return [plane({
    x: data.x, y: data.y, features, names: names.features, labels: names.labels, chosen: session.row,
    unknown: guesses.row, onpick: (row) => session.look(row), title: t("data.plane"),
  }), legend(names.labels)];
}

function table(session) {
  const { data, guesses } = session;
  const names = namesOf(data);
  const shown = data.x.slice(0, MOST_SHOWN);
  const decimals = data.features.map((_, k) => Math.max(...shown.map((row) => decimalsOf(row[k]))));
  const cell = (v, k) => h("td", {}, decimals[k] > MOST_DECIMALS ? number(v) : fixed(v, decimals[k]));
  const rows = shown.map((row, i) =>
    h("tr", { class: i === session.row ? "chosen" : null },
      h("th", { scope: "row" }, String(i + 1)), row.map(cell), h("td", {}, i === guesses.row ? "?" : names.labels[data.y[i]])));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("data.table") }, h("table", {},
    h("thead", {}, h("tr", {}, h("th", {}, t("data.row")), names.features.map((name) => h("th", {}, name)), h("th", {}, t("data.class")))),
    h("tbody", {}, rows)),
  data.x.length > MOST_SHOWN ? h("p", {}, t("data.more", { n: data.x.length - MOST_SHOWN })) : null);
}

function decimalsOf(v) {
  return /e/.test(String(v)) ? Infinity : (String(v).split(".")[1]?.length ?? 0);
}
