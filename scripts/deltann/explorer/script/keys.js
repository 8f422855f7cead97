// Marks of a plot by keyboard: Tab enters the plot, arrow keys go from mark to mark, Enter opens.

const MARKS = ":is(.mark-rect, .mark-symbol).role-mark path";

/** The middle of a mark, in the window. */
function middle(mark) {
  const { left, right, top, bottom } = mark.getBoundingClientRect();
  return { clientX: (left + right) / 2, clientY: (top + bottom) / 2 };
}

/** The mark above (`way` is -1) or below (1) another one that is nearest, first of all across. */
function beyond(marks, from, way) {
  const start = middle(from);
  const distances = marks
    .map((mark) => [mark, middle(mark)])
    .filter(([, { clientY }]) => way * (clientY - start.clientY) > 1)
    .map(([mark, { clientX, clientY }]) =>
      [mark, Math.abs(clientY - start.clientY) + 8 * Math.abs(clientX - start.clientX)]);
  return distances.reduce((a, b) => (b[1] < a[1] ? b : a), [from, Infinity])[0];
}

/** The mark that a key leads to; undefined if it is none of these keys. */
function led(key, marks, from) {
  const at = marks.indexOf(from);
  const wanted = {
    ArrowRight: () => marks[Math.min(at + 1, marks.length - 1)],
    ArrowLeft: () => marks[Math.max(at - 1, 0)],
    ArrowDown: () => (from ? beyond(marks, from, 1) : marks[0]),
    ArrowUp: () => (from ? beyond(marks, from, -1) : marks[0]),
    Home: () => marks[0],
    End: () => marks[marks.length - 1],
  };
  return wanted[key]?.();
}

/**
 * Let a plot be used by keyboard.
 * @param view gives the plot's view by Vega
 * @param open called with the datum of the mark on which Enter was pressed; says if that opened a cell
 * @return a function that goes back to the mark that opened a cell, if one did
 */
function byKeyboard(plot, view, open) {
  const say = (mark, value) => view()?.tooltip()(null, middle(mark), mark.__data__, value);
  const go = (mark) => {
    mark.setAttribute("tabindex", "-1");
    mark.focus();
  };
  let opened = -1;
  plot.tabIndex = 0;
  plot.addEventListener("keydown", (event) => {
    const marks = [...plot.querySelectorAll(MARKS)];
    const from = marks.find((mark) => mark === document.activeElement);
    const next = led(event.key, marks, from);
    if (!marks.length || !(next || (from && event.key === "Enter"))) return;
    event.preventDefault();
    if (next) go(next);
    else if (open(from.__data__.datum)) opened = marks.indexOf(from);
  });
  plot.addEventListener("focusin", ({ target }) => target.matches(MARKS) && say(target, target.getAttribute("aria-label")));
  plot.addEventListener("focusout", ({ target }) => target.matches(MARKS) && say(target, null));
  return () => {
    const mark = plot.querySelectorAll(MARKS)[opened];
    opened = -1;
    if (mark) go(mark);
  };
}
