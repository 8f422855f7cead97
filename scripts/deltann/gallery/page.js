"use strict";
// A group of cells longer than this many lines is folded.
const LINES = 8;
// What tells cells apart, from the outside in; each a text.
const FACTORS = [
  (cell) => `from ${cell.source}`,
  (cell) => (cell.route === "unconverted" ? "unconverted" : `to ${cell.target} by ${cell.route}`),
  (cell) =>
    ["source", "target"].includes(cell.preprocessing)
      ? `with the ${cell.preprocessing}'s preprocessing by ${cell.resizer}`
      : `with the ${cell.preprocessing} convention by ${cell.resizer}`,
  (cell) =>
    ["none", "direct"].includes(cell.importer)
      ? cell.backend
      : `${cell.backend} through ${cell.importer}`,
  (cell) => (cell.schedule === "runtime" ? "" : `compiled by ${cell.compiler}`),
  (cell) => (cell.schedule === "runtime" ? "" : `with schedule ${cell.schedule}`),
  (cell) => `on ${cell.device}`,
];

/** The numbers in a text like `0-3,7`. */
function numbers(text) {
  return text.split(",").flatMap((run) => {
    const [first, last = first] = run.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, step) => first + step);
  });
}

/** A map from each value of `key` to the items that have it. */
function grouped(items, key) {
  const groups = new Map();
  for (const item of items) {
    const value = key(item);
    if (!groups.has(value)) groups.set(value, []);
    groups.get(value).push(item);
  }
  return groups;
}

/** Pairs of values of a factor, and what tells `some` from `all` cells within each of them. */
function split(some, all, depth) {
  const wholes = grouped(all, FACTORS[depth]);
  const parts = [...grouped(some, FACTORS[depth])];
  const rest = ([value, members]) => describe(members, wholes.get(value), depth + 1);
  return [...grouped(parts, rest)].map(([text, same]) => [same.map(([value]) => value), text]);
}

/** What tells `some` from `all` cells; empty where it is all of them. */
function describe(some, all, depth) {
  if (some.length === all.length) return "";
  if (grouped(all, FACTORS[depth]).size === 1) return describe(some, all, depth + 1);
  return split(some, all, depth)
    .map(([values, rest]) => {
      const last = depth === FACTORS.length - 1 ? values.join(" and ") : values.join(", ");
      return rest && depth === 2 ? `${last} (${rest})` : [last, rest].filter(Boolean).join(" ");
    })
    .join("; ");
}

/** Some of a model's cells in as few lines as possible. */
function lines(some, all) {
  const wholes = grouped(all, FACTORS[0]);
  return [...grouped(some, FACTORS[0])].flatMap(([source, members]) => {
    const whole = wholes.get(source);
    if (members.length === whole.length) return [`${source}: all ${whole.length}`];
    return split(members, whole, 1).map(
      ([values, rest]) => `${source} ${values.join(", ")}: ${rest || "all"}`
    );
  });
}

/** The cells that answer other than most cells of their source. */
function disagreeing(answers) {
  const given = answers.flatMap((answer) => answer.cells.map((cell) => ({ answer, cell })));
  return [...grouped(given, ({ cell }) => cell.source).values()].flatMap((ofSource) => {
    const parts = [...grouped(ofSource, ({ answer }) => answer).values()];
    const most = parts.reduce((best, part) => (part.length > best.length ? part : best));
    return parts.filter((part) => part !== most).flatMap((part) => part.map(({ cell }) => cell));
  });
}

/** The answers of an entry's part with their cells. */
function decode(part, cells) {
  return part.answers.map(([label, text, median, least]) => {
    return { label, median, least, cells: numbers(text).map((number) => cells[number]) };
  });
}

/** The sources whose unconverted model gives an answer in its own runtime. */
function natives(cells) {
  const own = cells.filter((cell) => cell.route === "unconverted" && cell.backend === "native");
  return [...new Set(own.map((cell) => cell.source))];
}

function main() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const cells = data.cells.map((values) => {
    const cell = Object.fromEntries(data.names.map((name, at) => [name, values[at]]));
    return Object.assign(cell, { path: values.join("/").toLowerCase() });
  });
  data.entries.forEach((entry, at) => (entry.thumbnail = data.thumbnails[at]));
  const control = Object.fromEntries(
    ["image", "model", "kind", "cell", "size"].map((id) => [id, document.getElementById(id)])
  );
  const shown = document.getElementById("entries");
  const steps = [...document.querySelectorAll("[data-step]")];
  let found = [];
  let page = 0;

  /** An element with attributes and children; texts are never markup. */
  function make(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  const percent = (value) => {
    const number = 100 * value;
    // a tie's many zeros would not fit the column
    const short = number && number < 0.001 ? number.toExponential(0) : +number.toPrecision(2);
    return `${short} %`;
  };
  const className = (label) => data.classes[label] ?? `class ${label}`;
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

  function cellList(some, all) {
    const texts = lines(some, all);
    const list = make("ul", {}, ...texts.map((text) => make("li", {}, text)));
    if (texts.length <= LINES) return list;
    return make("details", {}, make("summary", {}, `${texts.length} groups of cells`), list);
  }

  function answerRow(answer, part, all) {
    const name = make("th", { scope: "row" }, className(answer.label));
    if (answer.label === part.truth) name.append(" ", make("span", { class: "right" }, "true label"));
    for (const source of natives(answer.cells))
      name.append(" ", make("span", { class: "mark" }, `native ${source}`));
    const figures = [answer.cells.length, percent(answer.median), percent(answer.least)];
    return make(
      "tr", {}, name,
      ...figures.map((figure) => make("td", { class: "number" }, String(figure))),
      make("td", {}, cellList(answer.cells, all))
    );
  }

  function partTable(part) {
    const answers = decode(part, cells);
    const giving = new Set(answers.flatMap((answer) => answer.cells));
    const all = cells.filter((cell) => giving.has(cell));
    const caption = make(
      "caption", {}, make("strong", {}, part.model),
      `: ${part.within} of ${count(all.length, "cell")} disagree with their source's others; ` +
        `${part.between} with the model's most frequent answer`
    );
    const heads = ["Answer", "Cells", "Margin, median", "Margin, least", "Given by"];
    const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
    return make(
      "table", {}, caption, make("thead", {}, head),
      make("tbody", {}, ...answers.map((answer) => answerRow(answer, part, all)))
    );
  }

  function article({ entry, parts }) {
    const truths = [...new Set(parts.map((part) => part.truth))];
    const truth = truths.map((label) => (label === null ? "unknown" : className(label))).join(", ");
    const picture = make("img", {
      src: `data:${data.type};base64,${entry.thumbnail}`,
      alt: `Thumbnail of ${entry.name}`, width: data.side, height: data.side,
    });
    const title = make("div", {}, make("h2", {}, entry.name), `True label: ${truth}`);
    return make("article", {}, picture, title, make("div", {}, ...parts.map(partTable)));
  }

  const KINDS = {
    any: () => true,
    within: (part) => part.within > 0,
    between: (part) => part.within === 0,
    truth: (part) => part.answers.some(([label]) => label === part.truth),
  };

  function matches(part) {
    if (control.model.value && part.model !== control.model.value) return false;
    if (!KINDS[control.kind.value](part)) return false;
    const words = control.cell.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    return disagreeing(decode(part, cells)).some((cell) => words.every((word) => cell.path.includes(word)));
  }

  function filter() {
    const wanted = control.image.value.toLowerCase();
    const sum = (parts, key) => parts.reduce((total, part) => total + part[key], 0);
    found = data.entries
      .filter((entry) => entry.name.toLowerCase().includes(wanted))
      .map((entry) => ({ entry, parts: entry.models.filter(matches) }))
      .filter(({ parts }) => parts.length)
      .map((item) => ({ ...item, within: sum(item.parts, "within"), between: sum(item.parts, "between") }))
      .sort((a, b) => b.within - a.within || b.between - a.between);
    page = 0;
    show();
  }

  function show() {
    const size = Number(control.size.value);
    const last = Math.max(0, Math.ceil(found.length / size) - 1);
    page = Math.min(Math.max(page, 0), last);
    shown.replaceChildren(...found.slice(page * size, (page + 1) * size).map(article));
    document.getElementById("status").textContent =
      `Page ${page + 1} of ${last + 1}: ${found.length} of ${count(data.entries.length, "image")} match`;
    for (const button of steps) {
      const step = Number(button.dataset.step);
      button.disabled = step < 0 ? page === 0 : page === last;
    }
  }

  const models = new Set(data.entries.flatMap((entry) => entry.models.map((part) => part.model)));
  for (const model of models) control.model.append(make("option", { value: model }, model));
  document.getElementById("filters").addEventListener("input", (event) =>
    event.target === control.size ? show() : filter()
  );
  document.getElementById("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const button of steps)
    button.addEventListener("click", () => {
      page += Number(button.dataset.step);
      show();
      shown.focus();
      shown.scrollIntoView();
    });
  addEventListener("beforeprint", () =>
    shown.querySelectorAll("details").forEach((details) => (details.open = true))
  );
  filter();
}

if (typeof document !== "undefined") main();
