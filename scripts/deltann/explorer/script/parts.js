// Elements, numbers and names, as the whole page writes them.

/** An element with attributes and children; texts are never markup. */
function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A text as markup that shows it. */
function escaped(text) {
  return String(text).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

/** A number in three digits, or an empty text for null. */
function short(value) {
  if (value === null) return "";
  if (value && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e5)) return value.toExponential(2);
  return String(Number(value.toPrecision(3)));
}

/** A share in percent; two digits, as a tie's many zeros would not fit a column. */
function percent(value) {
  const number = 100 * value;
  return `${number && number < 0.001 ? number.toExponential(0) : +number.toPrecision(2)} %`;
}

/** A class as people read it: its name, where it has one, and its number. */
function className(label) {
  const name = DATA.classes[label];
  return name ? `${name} (${label})` : `class ${label}`;
}

/** A cell's link; the page's address says which cell is open. */
const cellAddress = (cell) => `#cell=${encodeURIComponent(cell.path)}`;

const imageAddress = (name) => `#image=${encodeURIComponent(name)}`;

/** A file of the study, relative to the page. */
const fileAddress = (path) => path.split("/").map(encodeURIComponent).join("/");

function link(address, text) {
  return make("a", { href: address }, text);
}
