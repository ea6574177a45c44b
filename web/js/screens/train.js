// Train: play, pause, one sample, one epoch; the loss, and what the network mistakes for what.

import { lossChart } from "../charts.js";
import { closeRows, confusion } from "../confusion.js";
import { h } from "../dom.js";
import { numberField } from "../number_field.js";
import { number, t } from "../texts.js";

const OPTIMIZERS = ["sgd", "adam"];
const FRAME_MS = 14; // of training before the picture follows
let playing = null; // the session that trains by itself

export function trainScreen(session, look) {
  if (playing !== session || session.diverged) playing = null;
  const open = (row) => {
    session.look(row);
    look();
  };
  return [
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, t("train.title")), buttons(session), settings(session), state(session)),
      h("section", { id: "train-confusion", "data-live": true }, h("h2", {}, t("train.confusion")), confusion(session, open))),
    h("div", { class: "column" },
      h("section", { id: "train-chart", "data-live": true }, h("h2", {}, t("train.loss")),
        lossChart(session.losses.map((v) => session.shownLoss(v)), session.testLosses), h("p", {}, t(session.test ? "train.legend" : "train.legend.all")))),
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
    closeRows();
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
  const field = (name, value, least, most, isWhole) =>
    h("label", {}, t(`train.${name}`), " ", numberField({
      id: `train-${name}-value`, value, least, most, isWhole, take: (wanted) => session.setSettings({ [name]: wanted }),
    }));
  return h("p", { class: "settings" },
    field("lr", lr, 1e-6, 1e6, false), field("batch", batch, 1, 64, true), field("seed", seed, 0, 1e6, true),
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
