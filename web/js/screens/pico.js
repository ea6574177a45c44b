// To the Pico: the network as files to take away, and the lines that run it there.

import { modelUf2, program } from "../board_files.js";
import { namesOf } from "../datasets.js";
import { h } from "../dom.js";
import { number, t } from "../texts.js";

export function picoScreen(session) {
  if (session.diverged) return h("section", {}, h("h2", {}, t("pico.title")), h("p", { role: "alert" }, t("pico.diverged")));
  const { data, row } = session;
  const name = `${data.name}.anne`;
  const { bytes } = session.file();
  const text = program({
    sizes: session.sizes, activations: session.activations, parameters: session.network.parameters,
    scaling: session.scaling, labels: data.labels, featureNames: data.features, row: data.x[row],
  });
  const lines = (path) => [
    "import anne",
    `net = anne.load("${path}")`,
    `net.classify([${data.x[row].join(", ")}])`,
  ].join("\n");
  const said = session.values(data.x[row]).at(-1);
  return [
    h("div", { class: "column" }, h("section", {}, h("h2", {}, t("pico.title")),
      h("p", {}, download("pico-file", t("pico.file"), name, bytes)),
      h("p", {}, t("pico.file.about")), h("pre", { tabindex: 0 }, lines(name)),
      h("p", { id: "pico-said" }, t("pico.same"), " ", Array.from(said, (v) => number(v, 6)).join("; ")), englishNames(data)),
    h("section", {}, h("h2", {}, t("pico.uf2")),
      h("p", { class: "buttons" }, download("pico-uf2", t("pico.uf2"), `${data.name}.uf2`, modelUf2(name, bytes)),
        download("pico-uf2-pico2", t("pico.uf2.pico2"), `${data.name}-pico2.uf2`, modelUf2(name, bytes, "pico2"))),
      h("p", {}, t("pico.uf2.about")), h("pre", { tabindex: 0 }, lines(`/rom/${name}`)))),
    h("div", { class: "column" }, h("section", {}, h("h2", {}, t("pico.program")),
      h("p", {}, download("pico-program", t("pico.program"), `${data.name}.py`, new TextEncoder().encode(text))),
      h("p", {}, t("pico.program.about")), h("pre", { class: "scroll", tabindex: 0, id: "pico-text" }, text))),
  ];
}

// That names in files are not those on the page, where it is so.
function englishNames(data) {
  const { features, labels } = namesOf(data);
  const pairs = [...features, ...labels].map((shown, i) => [shown, [...data.features, ...data.labels][i]]);
  const words = pairs.filter(([shown, written]) => shown !== written).map(([shown, written]) => `${written} (${shown})`);
  return words.length ? h("p", { id: "pico-names" }, t("pico.names", { words: words.join(", ") })) : null;
}

// A button that gives a file; its bytes are made into an address only when it is pressed.
function download(id, label, name, bytes) {
  const give = () => {
    const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
  };
  return h("button", { id, onclick: give }, label);
}
