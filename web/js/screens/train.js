// Train: play, pause, one sample, one epoch; the loss, and what the network mistakes for what.

import { lossChart } from "../charts.js";
import { h } from "../dom.js";
import { number, t } from "../texts.js";

const OPTIMIZERS = ["sgd", "adam"];
const FRAME_MS = 14; // of training before the picture follows
let playing = null; // the session that trains by itself
let shownCell = null; // the cell of the confusion matrix whose rows are listed

export function trainScreen(session, look) {
  if (playing !== session || session.diverged) playing = null;
  return [
    h("section", {}, h("h2", {}, t("train.title")), buttons(session), settings(session), state(session)),
    h("section", { id: "train-chart", "data-live": true }, h("h2", {}, t("train.loss")), lossChart(session.losses.map((v) => session.shownLoss(v)), session.testLosses), t("train.legend")),
    h("section", { id: "train-confusion", "data-live": true }, h("h2", {}, t("train.confusion")), confusion(session, look)),
  ];
}

function buttons(session) {
  const button = (name, action, more = {}) => h("button", { id: `train-${name}`, onclick: action, ...more }, t(`train.${name}`));
  const disabled = session.diverged !== null;
  const play = () => {
    playing = session;
    session.changed("mode");
    step(session);
  };
  const pause = () => {
    playing = null;
    session.changed("mode");
  };
  const again = () => {
    playing = null;
    shownCell = null;
    session.restart();
  };
  return h("p", { class: "buttons" },
    playing ? button("pause", pause) : button("play", play, { disabled }),
    button("sample", () => session.sample(), { disabled }), button("epoch", () => session.epochs(1), { disabled }),
    button("hundred", () => session.epochs(100), { disabled }), button("again", again));
}

// Train for a while before the picture follows, as long as this screen is there and nothing else was chosen.
function step(session) {
  if (playing !== session || !document.getElementById("train-pause")) {
    playing = null;
    return;
  }
  session.epochsFor(FRAME_MS);
  requestAnimationFrame(() => step(session));
}

function settings(session) {
  const { lr, batch, optimizer, seed } = session.settings;
  const field = (name, value, least, most, attributes = {}) =>
    h("label", {}, t(`train.${name}`), " ", h("input", {
      type: "number", id: `train-${name}-value`, value, min: least, max: most, ...attributes,
      onchange: (event) => {
        const wanted = Number(event.target.value);
        session.setSettings({ [name]: wanted >= least && wanted <= most && event.target.value !== "" ? wanted : value });
      },
    }));
  const isWhole = { step: 1 };
  return h("p", { class: "settings" },
    field("lr", lr, 1e-6, 1e6, { step: "any" }), field("batch", batch, 1, 64, isWhole), field("seed", seed, 0, 1e6, isWhole),
    h("label", {}, t("train.optimizer"), " ", h("select", {
      id: "train-optimizer-value", onchange: (event) => session.setSettings({ optimizer: event.target.value }),
    }, OPTIMIZERS.map((name) => h("option", { selected: name === optimizer }, name)))));
}

function state(session) {
  const { losses, testLosses, diverged } = session;
  if (diverged) return h("p", { role: "alert", id: "train-state", "data-live": true }, t("train.diverged", { n: diverged }));
  if (!losses.length) return h("p", { id: "train-state", "data-live": true }, t("train.begin"));
  const values = { n: losses.length, loss: number(session.shownLoss(losses.at(-1)), 6) };
  const test = testLosses.at(-1);
  return h("p", { id: "train-state", "data-live": true, "data-loss": session.shownLoss(losses.at(-1)) },
    t("train.state", values), test === null ? null : ` ${t("train.state.test", { loss: number(test, 4) })}`);
}

// --- What the network says, beside what is right -------------------------------------------------------------------

function confusion(session, look) {
  const { data } = session;
  const n = data.labels.length;
  const cells = Array.from({ length: n * n }, () => []);
  data.x.forEach((_, row) => cells[data.y[row] * n + session.classOf(data.x[row])].push(row));
  const right = data.labels.reduce((sum, _, k) => sum + cells[k * n + k].length, 0);
  const cell = (is, says) => {
    const rows = cells[is * n + says];
    const name = t("train.cell", { is: data.labels[is], says: data.labels[says], n: rows.length });
    if (is === says || !rows.length) return h("td", { class: is === says ? "right" : null }, String(rows.length));
    const open = () => {
      shownCell = { is, says };
      session.changed("cell");
    };
    return h("td", {}, h("button", { id: `cell-${is}-${says}`, class: "wrong", onclick: open, "aria-label": name }, String(rows.length)));
  };
  const listed = shownCell && shownCell.is < n && shownCell.says < n ? cells[shownCell.is * n + shownCell.says] : [];
  return [
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("train.confusion") }, h("table", { class: "confusion" }, h("caption", {}, t("train.confusion.about")),
      h("thead", {}, h("tr", {}, h("td", {}), data.labels.map((label) => h("th", { scope: "col" }, label)))),
      h("tbody", {}, data.labels.map((label, is) => h("tr", {}, h("th", { scope: "row" }, label), data.labels.map((_, says) => cell(is, says))))))),
    h("p", { id: "train-accuracy" }, t("train.accuracy", { right, all: data.x.length })),
    listed.length ? h("p", {}, t("train.wrongRows"), " ", listed.map((row) => h("button", {
      id: `wrong-${row}`, onclick: () => {
        session.look(row);
        look();
      },
    }, String(row + 1)))) : null,
  ];
}
