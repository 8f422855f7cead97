// Two plots by Vega, of the cells that the table's filters leave.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW = matchMedia("(max-width: 40rem)");
const ROW_HEIGHT = 24;
// A heat map with more rows begins with one coordinate's.
const ROWS = 200;

/** The largest of a tile's shares of changed labels; null if no cell was compared. */
function most(cells) {
  const compared = cells.filter((cell) => cell.differing !== null && cell.n);
  if (!compared.length) return null;
  return compared.reduce((a, b) => (b.differing / b.n > a.differing / a.n ? b : a));
}

/** What a cell is called in a row or a column of the heat map. */
const called = (cell, names) => names.map((name) => cell[name]).join(", ");

/** The cells of each pair of values of two lists of coordinates. */
function tiles(cells, row, column) {
  const rows = grouped(cells, (cell) => called(cell, row));
  return [...rows].flatMap(([rowValue, members]) =>
    [...grouped(members, (cell) => called(cell, column))].map(([columnValue, some]) => {
      const worst = most(some);
      const failed = some.filter((cell) => cell.status !== "ok").length;
      const who = some.length === 1 ? some[0].cell_name : `${rowValue}, ${columnValue}: ${some.length} cells`;
      const said = worst ? `${some.length > 1 ? "up to " : ""}${worst.differing} of ${worst.n} labels changed` : "not compared";
      return {
        row: rowValue, column: columnValue,
        percent: worst ? (100 * worst.differing) / worst.n : -1,
        label: worst ? String(worst.differing) : failed ? "failed" : "?",
        text: `${who}: ${said}` + (failed ? `, ${failed} failed` : ""),
        numbers: some.map((cell) => cell.number),
      };
    })
  );
}

/** The cells that were timed and compared, for the plot of time against agreement. */
function marks(cells, colour) {
  return cells
    .filter((cell) => cell.median_ms !== null && cell.agreement_percent !== null)
    .map((cell) => ({
      ...cell,
      colour: String(cell[colour]),
      text: `${cell.cell_name}: ${short(cell.median_ms)} ms, ${changed(cell)} labels changed, ${cell.precision}` +
        (cell.disturbed ? ", disturbed" : ""),
    }));
}

/**
 * The coordinates that tell cells of one value of `column` apart, so that a tile is one cell.
 * How a file reaches TVM and how it is compiled only count where nothing else tells.
 */
function others(column) {
  const told = ["model", "source", "route", "preprocessing", "resizer", "backend", "device"]
    .filter((name) => name !== column && values(name, CELLS).length > 1);
  for (const name of ["target", "importer", "compiler", "schedule"]) {
    const groups = grouped(CELLS, (cell) => called(cell, [...told, column]));
    if ([...groups.values()].some((some) => values(name, some).length > 1)) told.push(name);
  }
  return told.length ? told : ["route"];
}

/**
 * The plots.
 * @param narrowed called with two coordinates and their values when a tile of several cells is chosen
 * @return `show`, which draws other cells, and `choose`, which marks a cell; both return promises
 */
function plots(narrowed) {
  const form = document.getElementById("plot-choices");
  const varied = COORDINATES.filter((name) => !["status", "outcome"].includes(name) && values(name, CELLS).length > 1);
  const named = (varied.length ? varied : ["route"]).map((name) => [name, name]);
  form.append(
    choice("row", "Heat map: rows", named, "all but the column"),
    choice("column", "columns", named),
    choice("colour", "Marks coloured by", named)
  );
  const prefer = (control, name) => varied.includes(name) && (form.elements[control].value = name);
  prefer("column", "backend");
  prefer("colour", "precision");
  if (grouped(CELLS, (cell) => called(cell, others(form.elements.column.value))).size > ROWS) prefer("row", "route");
  let cells = [];
  let chosen = -1;
  const views = {};
  let drawing = Promise.resolve();

  /** The coordinates of the heat map's rows and columns. */
  function axes() {
    const column = form.elements.column.value;
    return [form.elements.row.value ? [form.elements.row.value] : others(column), [column]];
  }

  const data = () => ({
    heatmap: ["tiles", tiles(cells, ...axes())],
    pareto: ["cells", marks(cells, form.elements.colour.value)],
  });

  const height = (rows) => ROW_HEIGHT * Math.max(1, new Set(rows.map((tile) => tile.row)).size);

  /** Draw a plot's cells; anew if there is no plot, or if the colours or the room have changed. */
  async function draw(name, anew) {
    const [source, rows] = data()[name];
    document.getElementById(name).hidden = !rows.length;
    document.getElementById(`no-${name}`).hidden = rows.length > 0;
    if (!rows.length || anew) {
      views[name]?.finalize();
      delete views[name];
    }
    if (!rows.length) return; // Vega draws no axis of nothing
    if (views[name]) {
      if (name === "heatmap") views[name].height(height(rows));
      await views[name].data(source, rows).resize().runAsync();
      return;
    }
    const spec = structuredClone(DATA.plots[name]);
    const settings = { dark: DARK.matches, narrow: NARROW.matches, chosen };
    for (const param of spec.params) param.value = settings[param.name];
    spec.data = { name: source, values: rows };
    if (name === "heatmap") spec.height = height(rows);
    const options = { mode: "vega-lite", ast: true, actions: false, renderer: "svg", defaultStyle: false, logLevel: 1 };
    const { view } = await vegaEmbed(`#${name}`, spec, options);
    view.addEventListener("click", (_, item) => item?.datum && clicked(item.datum));
    views[name] = view;
  }

  /** Open a mark's cell, or filter by its cells; says if a cell was opened. */
  function clicked({ numbers = [], number = numbers[0] }) {
    if (number === undefined) return false;
    const cell = CELLS[number];
    if (numbers.length < 2) location.hash = cellAddress(cell);
    else narrowed(Object.fromEntries(axes().flat().map((name) => [name, cell[name]])));
    return numbers.length < 2;
  }

  const backs = Object.keys(DATA.plots).map((name) =>
    byKeyboard(document.getElementById(name), () => views[name], clicked));

  const queue = (work) => (drawing = drawing.then(work));
  const update = (anew) =>
    queue(async () => {
      for (const name of Object.keys(DATA.plots)) await draw(name, anew);
    });
  form.addEventListener("change", () => update(false));
  for (const query of [DARK, NARROW]) query.addEventListener("change", () => update(true));
  return {
    show(some) {
      cells = [...some].sort((a, b) => a.number - b.number);
      return update(false);
    },
    choose(cell) {
      chosen = cell ? cell.number : -1;
      return queue(async () => {
        await views.pareto?.signal("chosen", chosen).runAsync();
        if (!cell) backs.forEach((back) => back());
      });
    },
  };
}
