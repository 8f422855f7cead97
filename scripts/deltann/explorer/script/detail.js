// What is known of one cell, in a dialog.

// Images shown at a time.
const SOME = 10;

/** Nested values as rows of a table: `machine.cores` and its value. */
function flat(value, name) {
  if (value === null || typeof value !== "object") return [[name, String(value)]];
  if (Array.isArray(value) && value.every((item) => typeof item !== "object")) return [[name, value.join(", ")]];
  return Object.entries(value).flatMap(([key, item]) => flat(item, `${name}.${key}`));
}

function rows(pairs) {
  const made = pairs.map(([name, value]) => make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value)));
  return make("table", { class: "pairs" }, make("tbody", {}, ...made));
}

function section(title, ...children) {
  return make("section", {}, make("h3", {}, title), ...children);
}

/** What a cell's record says, by name; without the traceback, which belongs to the failure. */
function record(cell) {
  const { record_names: names, records } = DATA.cells;
  return Object.fromEntries(
    names.map((name, at) => [name, records[at][cell.record[at]]]).filter(([, value]) => value !== undefined)
  );
}

/** An answer's part of an image that has one of this cell, and the label of the cell. */
function answerOf(entry, cell) {
  const part = entry.models.find((part) => part.model === cell.model);
  const answer = part?.answers.find(([, text]) => numbers(text).includes(cell.number));
  return answer ? { entry, part, label: answer[0], least: answer[3] } : null;
}

/** The images whose answer differs from the reference's, and the closest calls of the rest. */
function imagesOf(cell) {
  const reference = CELLS[cell.reference];
  const own = [...DATA.disagreements, ...DATA.closest].map((entry) => answerOf(entry, cell)).filter(Boolean);
  const other = ({ entry, label }) => {
    const native = reference && answerOf(entry, reference);
    return native && native.label !== label;
  };
  const moved = own.filter(other);
  const rest = own.filter((item) => !moved.includes(item)).sort((a, b) => a.least - b.least);
  return { moved, rest };
}

/** Articles of images, some at a time. */
function articles(items, cell) {
  const holder = make("div", {});
  const more = make("button", { type: "button" }, "Show more images");
  let shown = 0;
  function add() {
    for (const { entry, part } of items.slice(shown, shown + SOME)) holder.append(article(entry, [part], cell));
    shown += SOME;
    more.hidden = shown >= items.length;
  }
  more.addEventListener("click", add);
  add();
  return [holder, more];
}

function answersSection(cell) {
  const reference = CELLS[cell.reference];
  const facts = [["outcome", cell.outcome]];
  if (reference) facts.push(["reference", reference === cell ? "this cell" : link(cellAddress(reference), reference.cell_name)]);
  if (cell.differing !== null) facts.push(["labels changed", changed(cell)]);
  if (cell.agreement_low !== null)
    facts.push(["agreement", `${short(cell.agreement_percent)} % (95 % interval ${short(cell.agreement_low)} to ${short(cell.agreement_high)} %)`]);
  if (cell.max_logit_difference !== null) facts.push(["largest logit difference", short(cell.max_logit_difference)]);
  if (cell.n_labelled) facts.push(["right", `${right(cell)} (${short(cell.top1_percent)} %)`]);
  if (cell.median_ms !== null) facts.push(["milliseconds per image", short(cell.median_ms) + interval(cell)]);
  if (cell.median_ms !== null) facts.push(["disturbed", YES[cell.disturbed]]);
  if (cell.precision) facts.push(["precision", `${cell.precision}: ${cell.precision_operators}; by ${cell.precision_cause}`]);
  return section("Answers and time", rows(facts));
}

function failureSection(cell, traceback) {
  const pairs = [["stage", cell.failed_stage], ["error", cell.error_type], ["message", make("pre", {}, cell.error_message)]];
  const trace = traceback ? make("details", {}, make("summary", {}, "Traceback"), make("pre", { tabindex: "0" }, traceback)) : null;
  return section("Failure", rows(pairs), trace);
}

function imageSections(cell) {
  if (cell.status !== "ok") return [];
  const { moved, rest } = imagesOf(cell);
  if (moved.length) {
    const few = moved.length < cell.differing ? `${moved.length} of ${cell.differing} are on this page` : count(moved.length, "image");
    return [section(`Answer changed against the reference: ${few}`, ...articles(moved, cell))];
  }
  if (!rest.length) return [];
  const title = cell.differing ? "None of the images with a changed answer is on this page. Closest calls" : "No answer changed. Closest calls of this cell";
  return [section(title, make("p", {}, "Images on which the cell's least margin is the smallest."), ...articles(rest, cell))];
}

function filesSection(cell) {
  const { prediction, explanation, explain_command: [before, after] } = DATA.cells;
  const split = (template) => template.replace(/\.[a-z]+$/, `${cell.path}$&`);
  const items = [make("p", {}, "Prediction file: ", link(fileAddress(split(prediction)), split(prediction)))];
  if (cell.explain)
    items.push(
      make("p", {}, "Where it leaves its native model: ", link(fileAddress(split(explanation)), "its page"),
        ", once this command has made it, in the repository's folder:"),
      make("pre", { class: "command", tabindex: "0" }, `${before}${cell.explain}${after}`)
    );
  return section("Files", ...items);
}

/** The content of a cell's dialog. */
function detail(cell) {
  const { traceback, ...rest } = record(cell);
  const names = DATA.cells.fields.slice(0, 11).map((name) => [name, cell[name]]);
  const pairs = Object.entries(rest).flatMap(([name, value]) => flat(value, name)).filter(([, value]) => value !== "");
  return [
    make("h2", { id: "detail-title" }, cell.cell_name),
    make("p", { class: "path" }, cell.path),
    cell.status === "ok" ? null : failureSection(cell, traceback),
    answersSection(cell),
    ...imageSections(cell),
    filesSection(cell),
    make("details", { class: "record" }, make("summary", {}, "Record: coordinates, versions, digests, machine"), rows([...names, ...pairs])),
  ].filter(Boolean);
}

/** The dialog; returns a function that shows a cell, or closes it for null. */
function dialog(closed) {
  const element = document.getElementById("detail");
  const body = document.getElementById("detail-body");
  document.getElementById("close").addEventListener("click", () => element.close());
  element.addEventListener("click", (event) => event.target === element && element.close());
  element.addEventListener("close", closed);
  return (cell) => {
    if (!cell) return element.open && element.close();
    body.replaceChildren(...detail(cell));
    if (!element.open) element.showModal();
    element.scrollTop = 0;
  };
}
