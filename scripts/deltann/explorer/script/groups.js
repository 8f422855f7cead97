// Cells in as few words as possible: pure functions of cells.

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

/** The sources whose reference cell is among these. */
function natives(cells) {
  return [...new Set(cells.filter((cell) => cell.reference === cell.number).map((cell) => cell.source))];
}
