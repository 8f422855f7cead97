// The table of all cells: sorted, filtered and searched by DataTables.

const COORDINATES = [
  "status", "outcome", "precision", "model", "source", "target", "route", "preprocessing", "resizer",
  "importer", "compiler", "schedule", "backend", "device",
];
const YES = { 0: "no", 1: "yes" };

const interval = (cell) => (cell.ms_low === null ? "" : ` (${short(cell.ms_low)} to ${short(cell.ms_high)})`);
const right = (cell) => (cell.n_labelled ? `${cell.top1_correct} of ${cell.n_labelled}` : "");
const changed = (cell) => (cell.differing === null ? "" : `${cell.differing} of ${cell.n}`);

// Each column: its title, what it shows, and the number it is sorted by if that is another value.
const COLUMNS = [
  { title: "Cell", shown: (cell) => cell.cell_name, name: "cell" },
  { title: "Labels changed", shown: changed, sorted: (cell) => (cell.differing === null ? null : cell.differing / cell.n) },
  { title: "Largest logit difference", shown: (cell) => short(cell.max_logit_difference), sorted: (cell) => cell.max_logit_difference },
  { title: "Right", shown: right, sorted: (cell) => cell.top1_percent },
  { title: "Milliseconds (95 % interval)", shown: (cell) => short(cell.median_ms) + interval(cell), sorted: (cell) => cell.median_ms },
  { title: "Disturbed", shown: (cell) => YES[cell.disturbed] ?? "", name: "disturbed" },
  ...COORDINATES.map((name) => ({ title: name[0].toUpperCase() + name.slice(1), shown: (cell) => cell[name], name })),
];

const values = (name, cells) => [...new Set(cells.map((cell) => cell[name] ?? ""))];

/** A column for DataTables, which takes what it shows for markup. */
function definition(column) {
  const { title, shown, sorted, name } = column;
  return {
    title,
    data: null,
    className: [sorted ? "number" : "", name === "cell" ? "first" : ""].join(" ").trim(),
    cellType: name === "cell" ? "th" : "td",
    type: sorted ? "num" : "string",
    render: (_, kind, cell) => {
      // a missing number comes first, or last
      if (kind === "sort" || kind === "type") return sorted ? sorted(cell) ?? -1 : shown(cell).toLowerCase();
      if (kind === "filter") return name === "cell" ? `${cell.cell_name} ${cell.path}` : shown(cell);
      const text = escaped(shown(cell));
      return name === "cell" ? `<a href="${escaped(cellAddress(cell))}">${text}</a>` : text;
    },
  };
}

/** A labelled choice among the values of a coordinate. */
function choice(name, label, options, every) {
  const select = make("select", { name }, ...(every ? [make("option", { value: "" }, every)] : []));
  for (const [value, text] of options) select.append(make("option", { value }, text));
  return make("label", {}, `${label} `, select);
}

/**
 * The table.
 * @param changed called with the cells that are left, whenever others are
 * @return `filter`, which sets filters by coordinate, and `choose`, which marks a row
 */
function cellTable(changed) {
  const form = document.getElementById("filters");
  const varied = [...COORDINATES, "disturbed"].filter((name) => values(name, CELLS).length > 1);
  for (const name of varied) {
    const options = values(name, CELLS).sort().map((value) => [String(value), String(YES[value] ?? value) || "none"]);
    form.insertBefore(choice(name, name, options, "all"), form.querySelector("button"));
  }
  const visible = (column) => !column.name || column.name === "cell" || varied.includes(column.name);
  const table = new DataTable("#cells", {
    data: CELLS,
    columns: COLUMNS.map((column) => ({ ...definition(column), visible: visible(column) })),
    order: [],
    autoWidth: false,
    pageLength: 25,
    lengthMenu: [10, 25, 100, { label: "all", value: -1 }],
    layout: { topStart: "search", topEnd: "pageLength", bottomStart: "info", bottomEnd: "paging" },
    language: { search: "Search all columns:", lengthMenu: "_MENU_ rows a page", info: "_START_ to _END_ of _TOTAL_ cells",
      infoEmpty: "no cells", infoFiltered: "(of _MAX_)", zeroRecords: "No cell matches." },
    createdRow: (row, cell) => (row.dataset.number = cell.number),
  });
  const shared = [...COORDINATES].filter((name) => !varied.includes(name) && values(name, CELLS)[0]);
  document.getElementById("shared").textContent = shared.length
    ? `All cells: ${shared.map((name) => `${name} ${CELLS[0][name]}`).join(", ")}.` : "";

  function applied() {
    COLUMNS.forEach((column, at) => {
      const select = varied.includes(column.name) ? form.elements[column.name] : null;
      if (!select) return;
      const every = select.selectedIndex === 0;
      const same = (_, cell) => String(cell[column.name] ?? "") === select.value;
      table.column(at).search.fixed("choice", every ? null : same);
    });
    table.draw();
  }

  form.addEventListener("change", applied);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("reset", () => setTimeout(() => { table.search(""); applied(); }));
  document.getElementById("every-column").addEventListener("change", (event) =>
    COLUMNS.forEach((column, at) => table.column(at).visible(event.target.checked || visible(column)))
  );
  let last = null;
  function tell() {
    const left = table.rows({ search: "applied" }).data().toArray();
    const numbers = left.map((cell) => cell.number).sort((a, b) => a - b).join();
    if (numbers === last) return; // another page, or another order
    last = numbers;
    changed(left);
  }
  table.on("draw.dt", tell);
  tell();
  const body = document.querySelector("#cells tbody");
  body.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-number]");
    if (row && !event.target.closest("a")) location.hash = cellAddress(CELLS[row.dataset.number]);
  });
  body.addEventListener("keydown", (event) => {
    const step = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
    const next = step && event.target.closest("tr")?.[step]?.querySelector("a");
    if (!next) return;
    event.preventDefault();
    next.focus();
  });
  return {
    filter(wanted) {
      for (const [name, value] of Object.entries(wanted)) if (form.elements[name]) form.elements[name].value = value;
      applied();
    },
    choose(cell) {
      for (const row of body.querySelectorAll(".chosen")) row.classList.remove("chosen");
      if (cell) body.querySelector(`tr[data-number="${cell.number}"]`)?.classList.add("chosen");
    },
    /** The link of a cell's row, if the row is on the table's page. */
    row: (cell) => body.querySelector(`tr[data-number="${cell.number}"] a`),
  };
}
