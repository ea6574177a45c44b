// Live: send the network to a board, ask it, and watch what it computes, neuron by neuron.

import { Board, BoardError } from "../board.js";
import { namesOf } from "../datasets.js";
import { h } from "../dom.js";
import { hasSerial, isServed, serialLine, servedLine } from "../lines.js";
import { drawNetwork } from "../network_drawing.js";
import { refuse, typingField } from "../number_field.js";
import { MOST } from "../table.js";
import { number, t } from "../texts.js";

const PATH = "explorer.anne";
const HZ = 20;
let board = null;
let busy = false;
let fault = null; // the BoardError that came last
let sent = null; // the session's file that is on the board
let question = null; // {data, row, x}: what is typed to ask, a row of the data to begin with; null where nothing is
let said = null; // {x, here, there}: what page and board say of the numbers asked
let frame = null; // the last one seen
let watching = false;
let frames = 0;

export function liveScreen(session) {
  return [
    h("div", { class: "column" },
      h("section", {}, h("h2", {}, t("live.title")), connection(session), fault ? h("p", { role: "alert" }, t(fault.key, fault.values)) : null,
        board ? orders(session) : null),
      board && sent ? h("section", {}, h("h2", {}, t("live.ask")), questions(session)) : null),
    h("div", { class: "column" },
      watching || frame ? h("section", { id: "live-picture", "data-live": true }, h("h2", {}, t("live.watch")), picture(session)) : null),
  ];
}

// Do something with the board; what goes wrong is said in a sentence.
async function attempt(session, work) {
  if (busy) return;
  busy = true;
  fault = null;
  session.changed("board");
  try {
    await work();
  } catch (error) {
    if (!(error instanceof BoardError)) throw error;
    fault = error;
  } finally {
    busy = false;
    session.changed("board");
  }
}

function connection(session) {
  const open = (line) => () => attempt(session, async () => {
    sent = frame = said = null;
    board = await Board.connect(line, (error) => {
      board = null;
      watching = false;
      fault = error;
      session.changed("board");
    });
  });
  const close = () => {
    board.close();
    board = null;
    watching = false;
    session.changed("board");
  };
  if (board) return h("p", {}, t("live.connected"), " ", h("button", { id: "live-close", onclick: close }, t("live.close")));
  const ways = [
    hasSerial() ? h("button", { id: "live-usb", disabled: busy, onclick: open(serialLine) }, t("live.usb")) : null,
    isServed() ? h("button", { id: "live-served", disabled: busy, onclick: open(servedLine) }, t("live.served")) : null,
  ].filter(Boolean);
  return [h("p", {}, t(ways.length ? "live.about" : "live.noWay")), h("p", { class: "buttons" }, ways)];
}

function orders(session) {
  const send = () => attempt(session, async () => {
    const { bytes } = session.file();
    await board.put(PATH, bytes);
    await board.exec(`import anne\nnet = anne.load("${PATH}")`);
    sent = bytes;
    said = null;
  });
  const isSame = sent && same(sent, session.diverged ? null : session.file().bytes);
  const state = busy && !watching ? "busy" : !sent ? "notSent" : isSame ? "same" : "changed";
  return [
    h("p", { class: "buttons" },
      h("button", { id: "live-send", disabled: busy || session.diverged !== null, onclick: send }, t("live.send")),
      sent && !watching ? h("button", { id: "live-watch", disabled: busy, onclick: () => watch(session) }, t("live.start")) : null,
      watching ? h("button", { id: "live-stop", onclick: () => board.interrupt() }, t("live.stop")) : null),
    h("p", { id: "live-state", "data-state": state }, t(`live.${state}`)),
  ];
}

function same(a, b) {
  return b !== null && a.length === b.length && a.every((byte, i) => byte === b[i]);
}

// --- Ask -------------------------------------------------------------------------------------------------------------

function questions(session) {
  const { data, row } = session;
  if (question?.data !== data || question.row !== row) question = { data, row, x: data.x[row].slice() };
  const { x } = question;
  const fields = namesOf(data).features.map((name, i) =>
    h("label", {}, name, " ", typingField({ id: `ask-${i}`, value: x[i], least: -MOST, most: MOST, typed: (v) => (x[i] = v) })));
  const ask = () => {
    const none = x.indexOf(null);
    if (none >= 0) {
      const field = document.getElementById(`ask-${none}`);
      refuse(field, -MOST, MOST);
      return field.focus();
    }
    attempt(session, async () => {
      const printed = await board.exec(`import json\nprint(json.dumps(net.predict(${JSON.stringify(x)})))`);
      said = { x: x.slice(), here: Array.from(session.values(x).at(-1)), there: numbersIn(printed) };
    });
  };
  return [
    h("p", { class: "settings" }, fields, h("button", { id: "ask", disabled: busy, onclick: ask }, t("live.askBoard"))),
    said ? h("table", { id: "live-said" }, h("caption", {}, said.x.map((v) => number(v)).join("; ")), h("tbody", {},
      h("tr", {}, h("th", { scope: "row" }, t("live.there")), said.there.map((v) => h("td", {}, number(v, 6)))),
      h("tr", {}, h("th", { scope: "row" }, t("live.here")), said.here.map((v) => h("td", {}, number(v, 6)))))) : null,
  ];
}

// A list as MicroPython's json writes it, which of NaN makes nan.
function numbersIn(printed) {
  return JSON.parse(printed.replace(/-?\b(nan|inf)\b/g, "null")).map((v) => v ?? NaN);
}

// --- Watch -----------------------------------------------------------------------------------------------------------

function watch(session) {
  attempt(session, async () => {
    watching = true;
    frames = 0;
    session.changed("board");
    let rest = "";
    const onText = (text) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop();
      for (const line of lines) if (line.startsWith("{")) show(session, line);
    };
    try {
      await board.exec(program(session), onText);
    } catch (error) {
      if (error.key !== "board.error" || !/KeyboardInterrupt/.test(error.values.line)) throw error;
    } finally {
      watching = false;
    }
  });
}

// The rows of the data, one after another, again and again.
function program(session) {
  const rows = session.data.x.slice(0, 100).map((row) => JSON.stringify(row)).join(",\n");
  return [
    "import anne", `rows = [${rows}]`,
    "def again():", "    while True:", "        for row in rows:", "            yield row",
    `anne.stream(net, again(), ${HZ})`,
  ].join("\n");
}

function show(session, line) {
  try {
    frame = JSON.parse(line);
  } catch {
    return; // a number that JSON has not, such as nan
  }
  frames++;
  session.changed("live");
}

function picture(session) {
  if (!frame) return h("p", {}, t("live.waiting"));
  const { sizes, activations, data, network } = session;
  const names = namesOf(data);
  const values = session.neurons(Float32Array.from(frame.x, (v) => v ?? NaN), frame.layers.map((layer) => Float32Array.from(layer, (v) => v ?? NaN)));
  if (values.length !== sizes.length || values.some((layer, l) => layer.length !== sizes[l])) {
    return h("p", {}, t("live.changed"));
  }
  return [
    h("p", { id: "live-frame", "data-frames": frames, "data-frame": JSON.stringify(frame) },
      t("live.frame", { n: frames, answer: names.labels[data.labels.indexOf(frame.answer)] ?? frame.answer ?? t("answer.none"), us: frame.us })),
    h("div", { class: "scroll drawing", tabindex: 0, role: "region", "aria-label": t("live.watch") },
      drawNetwork({ sizes, activations, parameters: network.parameters, names, values })),
  ];
}
