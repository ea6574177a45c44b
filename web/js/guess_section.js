// Guess: the pupil says what a row is before the network does; both are counted.

import { NO_ANSWER } from "./answer.js";
import { namesOf } from "./datasets.js";
import { h } from "./dom.js";
import { number, t } from "./texts.js";

export function guessSection(session) {
  const { guesses } = session;
  return h("section", { id: "guess" }, h("h2", {}, t("guess.title")),
    guesses.made.length ? null : h("p", {}, t("guess.about")),
    guesses.row === undefined ? h("p", {}, t("guess.end")) : question(session),
    guesses.made.length ? [answer(session), tally(session)] : null);
}

function question(session) {
  const { data, guesses } = session;
  const { features, labels } = namesOf(data);
  const take = (label) => () => {
    guesses.guess(label);
    session.changed("guess");
  };
  return [
    h("p", { id: "guess-row", "data-row": guesses.row }, t("guess.row", { n: guesses.row + 1 })),
    h("dl", {}, features.map((name, i) => h("div", {}, h("dt", {}, name), h("dd", {}, number(data.x[guesses.row][i]))))),
    h("p", { class: "buttons" }, labels.map((label, i) => h("button", { id: `guess-${i}`, onclick: take(i) }, label))),
  ];
}

/** Of the row guessed last: what it is, and what the network says. */
function answer(session) {
  const { row, guessed, is } = session.guesses.rows.at(-1);
  const { labels } = namesOf(session.data);
  const says = session.classes[row];
  const values = { n: row + 1, is: labels[is], guessed: labels[guessed], says: labels[says] };
  const net = says === NO_ANSWER ? "guess.net.none" : says === is ? "guess.net.right" : "guess.net.wrong";
  return h("p", { id: "guess-answer", role: "status" },
    t(guessed === is ? "guess.right" : "guess.wrong", values), " ", t(net, values));
}

function tally(session) {
  const { guesses, classes, losses } = session;
  const again = () => {
    guesses.made = [];
    session.changed("guess");
  };
  const { all, you, net } = guesses.tally(classes);
  return [
    h("p", { id: "guess-tally", "data-tally": `${you} ${net} ${all}` }, h("b", {}, t("guess.tally", { all, you, net })),
      losses.length ? null : ` ${t("guess.untaught")}`),
    h("p", { class: "buttons" }, h("button", { id: "guess-again", onclick: again }, t("guess.again"))),
  ];
}
