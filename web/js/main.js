// Starts the page: the core, what was done before, the screen of the address. #de/iris/4-3-1/train is a link to the
// German page with the IRIS data, a network of these layers, on the screen "train".

import zipped from "core.wasm.gz";
import { loadCore } from "./core.js";
import { h, refresh, replace } from "./dom.js";
import { DATASETS } from "./datasets.js";
import { MOST_LAYERS, MOST_NEURONS, Session } from "./session.js";
import { LANGUAGES, setLanguage, t } from "./texts.js";
import { dataScreen } from "./screens/data.js";
import { int8Screen } from "./screens/int8.js";
import { liveScreen } from "./screens/live.js";
import { lookScreen } from "./screens/look.js";
import { netScreen } from "./screens/net.js";
import { picoScreen } from "./screens/pico.js";
import { trainScreen } from "./screens/train.js";

const SCREENS = { data: dataScreen, net: netScreen, train: trainScreen, look: lookScreen, int8: int8Screen, pico: picoScreen, live: liveScreen };
let session;
let screen = "data";
let language = navigator.language.startsWith("de") ? "de" : "en";

function address() {
  return `#${language}/${session.data.name}/${session.sizes.join("-")}/${screen}`;
}

/** Follow the address: what of it is not known is left as it is. */
function follow() {
  const [wantedLanguage, data, sizes, wantedScreen] = location.hash.slice(1).split("/");
  if (LANGUAGES.includes(wantedLanguage)) language = wantedLanguage;
  if (Object.hasOwn(SCREENS, wantedScreen ?? "")) screen = wantedScreen;
  setLanguage(language);
  if (DATASETS.includes(data) && data !== session.data.name) session.choose(data);
  const hidden = (sizes ?? "").split("-").slice(1, -1).map(Number);
  const isValid = hidden.length < MOST_LAYERS && hidden.every((n) => Number.isInteger(n) && n >= 1 && n <= MOST_NEURONS);
  if (sizes && isValid && hidden.join() !== session.hidden.map((layer) => layer.n).join()) {
    const activation = session.hidden[0]?.activation ?? "tanh";
    session.setHidden(hidden.map((n) => ({ n, activation })));
  }
  show();
}

function show() {
  document.title = t("title");
  const tabs = Object.keys(SCREENS).map((name) =>
    h("button", {
      id: `tab-${name}`, class: "tab", "aria-current": name === screen ? "page" : null, onclick: () => go({ screen: name }),
    }, t(`screen.${name}`)));
  const languages = LANGUAGES.map((name) =>
    h("button", {
      id: `language-${name}`, lang: name, class: "language", "aria-pressed": String(name === language),
      onclick: () => go({ language: name }),
    }, name.toUpperCase()));
  replace(document.getElementById("page"),
    h("header", {}, h("h1", {}, t("title")), h("nav", { "aria-label": t("screens") }, tabs), h("div", { class: "languages" }, languages)),
    h("main", {}, content()));
}

function content() {
  return SCREENS[screen](session, () => go({ screen: "look" }));
}

function go(to) {
  screen = to.screen ?? screen;
  language = to.language ?? language;
  setLanguage(language);
  history.replaceState(null, "", address());
  show();
}

async function start() {
  setLanguage(language);
  try {
    session = new Session(await loadCore(zipped));
  } catch (error) {
    replace(document.getElementById("page"), h("p", { role: "alert" }, t("oldBrowser"), ` (${error.message})`));
    return;
  }
  session.listen((what) => {
    // often, and while something may be typed
    const isLive = (what === "training" && screen === "train") || (what === "drag" && screen === "look") || what === "live";
    if (isLive) return refresh([content()]);
    history.replaceState(null, "", address());
    show();
  });
  addEventListener("pagehide", () => session.keep());
  addEventListener("hashchange", follow);
  follow();
  globalThis.anne = session; // for the curious, and for tests
}

start();
