// What the network says of each row, beside what is right: the confusion matrix, whose wrong rows can be looked at.

import { NO_ANSWER } from "./answer.js";
import { namesOf } from "./datasets.js";
import { h } from "./dom.js";
import { t } from "./texts.js";

const MOST_LISTED = 60;
let shownCell = null; // the cell whose rows are listed

/** Forget which rows were listed. */
export function closeRows() {
  shownCell = null;
}

/** The matrix, how many rows are right, and the rows of the cell that was clicked; look(row) is called for one. */
export function confusion(session, look) {
  const { labels } = namesOf(session.data);
  const columns = labels.map((_, says) => says);
  if (session.classes.includes(NO_ANSWER)) columns.push(NO_ANSWER);
  const cells = new Map(labels.flatMap((_, is) => columns.map((says) => [`${is} ${says}`, []])));
  session.classes.forEach((says, row) => cells.get(`${session.data.y[row]} ${says}`).push(row));
  const body = labels.map((label, is) =>
    h("tr", {}, h("th", { scope: "row" }, label), columns.map((says) => cell(session, cells.get(`${is} ${says}`), labels, is, says))));
  const heads = columns.map((says) => h("th", { scope: "col" }, labels[says] ?? t("answer.none")));
  return [
    h("p", { class: "soft" }, t("train.confusion.about")),
    h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": t("train.confusion") },
      h("table", { class: "confusion" },
        h("thead", {}, h("tr", {}, h("td", {}), heads)), h("tbody", {}, body))),
    accuracy(session),
    list(cells.get(`${shownCell?.is} ${shownCell?.says}`) ?? [], look),
  ];
}

function cell(session, rows, labels, is, says) {
  if (is === says || !rows.length) return h("td", { class: is === says ? "right" : null }, String(rows.length));
  const name = t(says === NO_ANSWER ? "train.cell.none" : "train.cell", { is: labels[is], says: labels[says], n: rows.length });
  const isShown = shownCell?.is === is && shownCell?.says === says;
  const open = () => {
    shownCell = { is, says };
    session.changed("cell");
  };
  return h("td", {}, h("button", {
    id: `cell-${is}-${says}`, class: "wrong", onclick: open, "aria-label": name, "aria-expanded": String(isShown),
  }, String(rows.length)));
}

function accuracy(session) {
  const { right, testRight } = session.summary();
  const { data, test, guesses, classes } = session;
  const kept = test ? ` ${t("train.accuracy.test", { right: testRight, all: test.n })}` : "";
  return [
    h("p", { id: "train-accuracy", "data-right": right }, t("train.accuracy", { right, all: data.x.length }), kept),
    guesses.made.length ? h("p", { id: "guess-now" }, t("guess.tally", guesses.tally(classes))) : null,
  ];
}

function list(rows, look) {
  if (!rows.length) return null;
  const buttons = rows.slice(0, MOST_LISTED).map((row) => h("button", { id: `wrong-${row}`, onclick: () => look(row) }, String(row + 1)));
  return [h("p", {}, t("train.wrongRows")), h("p", { class: "rows" }, buttons, rows.length > MOST_LISTED ? " …" : null)];
}
