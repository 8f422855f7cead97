// Images with every answer of a model's cells, and the view that browses them.

// A group of cells longer than this many lines is folded.
const LINES = 8;

function cellList(some, all) {
  const texts = lines(some, all);
  const list = make("ul", {}, ...texts.map((text) => make("li", {}, text)));
  if (texts.length <= LINES) return list;
  return make("details", {}, make("summary", {}, `${texts.length} groups of cells`), list);
}

function answerRow(answer, part, all, cell) {
  const name = make("th", { scope: "row" }, className(answer.label));
  const mark = (kind, text) => name.append(" ", make("span", { class: `mark ${kind}` }, text));
  if (answer.label === part.truth) mark("right", "true label");
  for (const source of natives(answer.cells)) mark("native", `native ${source}`);
  if (answer.cells.includes(cell)) mark("own", "this cell");
  const figures = [answer.cells.length, percent(answer.median), percent(answer.least)];
  return make(
    "tr", {}, name,
    ...figures.map((figure) => make("td", { class: "number" }, String(figure))),
    make("td", {}, cellList(answer.cells, all))
  );
}

/** The answers to an image of one model's cells; `cell` is marked, if it is given. */
function partTable(part, cell) {
  const answers = decode(part, CELLS);
  const giving = new Set(answers.flatMap((answer) => answer.cells));
  const all = CELLS.filter((cell) => giving.has(cell));
  const disagree = part.between
    ? `: ${part.within} of ${count(all.length, "cell")} disagree with their source's others; ` +
      `${part.between} with the model's most frequent answer`
    : `: ${all.length === 1 ? "1 cell" : `all ${all.length} cells`} agree`;
  const caption = make("caption", {}, make("strong", {}, part.model), disagree);
  const heads = ["Answer", "Cells", "Margin, median", "Margin, least", "Given by"];
  const head = make("tr", {}, ...heads.map((text) => make("th", { scope: "col" }, text)));
  const rows = answers.map((answer) => answerRow(answer, part, all, cell));
  const table = make("table", { class: "answers" }, caption, make("thead", {}, head), make("tbody", {}, ...rows));
  return make("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Answers" }, table);
}

/** An image with the answers of some models. */
function article(entry, parts, cell) {
  const truths = [...new Set(parts.map((part) => part.truth))];
  const truth = truths.map((label) => (label === null ? "unknown" : className(label))).join(", ");
  const picture = make("img", {
    src: `data:${DATA.type};base64,${DATA.thumbnails[entry.name]}`,
    alt: `Thumbnail of ${entry.name}`, width: DATA.side, height: DATA.side,
  });
  const title = make("h3", {}, cell ? link(imageAddress(entry.name), entry.name) : entry.name);
  const tables = parts.map((part) => partTable(part, cell));
  return make("article", {}, picture, make("div", {}, title, `True label: ${truth}`), make("div", {}, ...tables));
}

const KINDS = {
  any: () => true,
  within: (part) => part.within > 0,
  between: (part) => part.within === 0 && part.between > 0,
  truth: (part) => part.answers.length > 1 && part.answers.some(([label]) => label === part.truth),
};

/** The view of all images; returns a function that shows the image of a name. */
function imagesView() {
  const control = Object.fromEntries(
    ["image", "model", "kind", "cell", "size"].map((id) => [id, document.getElementById(`images-${id}`)])
  );
  const shown = document.getElementById("entries");
  const steps = [...document.querySelectorAll("[data-step]")];
  const closest = !DATA.disagreements.length;
  const entries = closest ? DATA.closest : DATA.disagreements;
  let found = [];
  let page = 0;

  function matches(part) {
    if (control.model.value && part.model !== control.model.value) return false;
    if (!KINDS[control.kind.value](part)) return false;
    const words = control.cell.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return true;
    return disagreeing(decode(part, CELLS)).some((cell) => words.every((word) => cell.found.includes(word)));
  }

  function filter() {
    const wanted = control.image.value.toLowerCase();
    const sum = (parts, key) => parts.reduce((total, part) => total + part[key], 0);
    found = entries
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
    const some = found.slice(page * size, (page + 1) * size);
    shown.replaceChildren(...some.map(({ entry, parts }) => article(entry, parts)));
    const all = count(entries.length, closest ? "closest call" : "image");
    document.getElementById("images-status").textContent =
      `Page ${page + 1} of ${last + 1}: ${found.length} of ${all} match`;
    for (const button of steps) {
      const step = Number(button.dataset.step);
      button.disabled = step < 0 ? page === 0 : page === last;
    }
  }

  const form = document.getElementById("images-filters");
  for (const model of new Set(entries.flatMap((entry) => entry.models.map((part) => part.model))))
    control.model.append(make("option", { value: model }, model));
  if (closest) document.getElementById("closest").hidden = false;
  form.addEventListener("input", (event) => (event.target === control.size ? show() : filter()));
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const button of steps)
    button.addEventListener("click", () => {
      page += Number(button.dataset.step);
      show();
      shown.focus();
      shown.scrollIntoView();
    });
  filter();
  return (name) => {
    form.reset();
    control.image.value = name;
    filter();
  };
}
