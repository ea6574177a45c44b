// Elements of HTML and SVG, made in one call. Text is always text: nothing from a file becomes markup.

const SVG = "http://www.w3.org/2000/svg";

/** h("button", {class: "go", onclick: f}, "text", child, ...): an element. Attributes that are null are left out. */
export function h(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

/** The same in a drawing. */
export function s(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Put children in place of what an element has, and keep the focus on what has the same id. */
export function replace(element, ...children) {
  const focused = document.activeElement?.id;
  element.replaceChildren(...children.flat(Infinity).filter(Boolean));
  if (focused) document.getElementById(focused)?.focus();
}

/** Put those of `children` that have an id and are marked data-live, with all in them, in place of what has the id. */
export function refresh(children) {
  for (const child of children.flat(Infinity).filter(Boolean)) {
    for (const live of [child, ...child.querySelectorAll("[data-live]")]) {
      if (!live.hasAttribute("data-live")) continue;
      const focused = document.activeElement?.id;
      document.getElementById(live.id)?.replaceWith(live);
      if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
    }
  }
}
