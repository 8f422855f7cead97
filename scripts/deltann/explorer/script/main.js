// What is shown follows from the page's address: #cells, #images, #cell=<path> or #image=<name>.

function parse(data) {
  const { fields, rows } = data.cells;
  return rows.map((row, number) => {
    const cell = Object.fromEntries(fields.map((name, at) => [name, row[at]]));
    const path = fields.slice(0, 11).map((name) => cell[name]).join("/");
    return Object.assign(cell, { number, path, found: `${cell.cell_name} ${path}`.toLowerCase() });
  });
}

function main() {
  let opened = null;
  let view = "cells";
  const drawn = plots((wanted) => {
    table.filter(wanted);
    document.getElementById("cells-view").querySelector("#cells").scrollIntoView();
  });
  const table = cellTable((cells) => {
    document.getElementById("cells-status").textContent = `${cells.length} of ${count(CELLS.length, "cell")}`;
    ready = drawn.show(cells);
  });
  let browse = null;
  const show = dialog(() => {
    const cell = opened;
    opened = null;
    if (location.hash.startsWith("#cell=")) location.hash = `#${view}`;
    if (cell) table.row(cell)?.focus();
  });

  function route() {
    const [kind, rest = ""] = location.hash.slice(1).split(/=(.*)/s);
    const value = decodeURIComponent(rest);
    const cell = kind === "cell" ? CELLS.find((one) => one.path === value) : null;
    if (kind !== "cell") view = kind.startsWith("image") ? "images" : "cells";
    for (const name of ["cells", "images"]) {
      document.getElementById(`${name}-view`).hidden = name !== view;
      const tab = document.querySelector(`nav a[href="#${name}"]`);
      name === view ? tab.setAttribute("aria-current", "page") : tab.removeAttribute("aria-current");
    }
    if (view === "images") browse ??= imagesView();
    if (kind === "image") browse(value);
    show(cell);
    opened = cell;
    table.choose(cell);
    drawn.choose(cell);
  }

  addEventListener("hashchange", route);
  route();
}

let ready;
let DATA, CELLS;
if (typeof document !== "undefined") {
  DATA = JSON.parse(document.getElementById("data").textContent);
  CELLS = parse(DATA);
  main();
  ready.then(() => {
    performance.mark("ready");
    document.documentElement.setAttribute("data-ready", "");
  });
}
