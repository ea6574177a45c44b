// Reads a table that a user brings: a line for each row, numbers first, the class in the last column.
//
// Commas, semicolons or tabs between cells; with the latter two a comma may be the decimal sign. A first line without
// numbers names the columns. What is wrong is said with the line and the column, as an error with the key of a text.

export const MOST_ROWS = 20000;
export const MOST_COLUMNS = 64;
export const MOST_CLASSES = 16;
export const MOST = 1e30; // far below where float32 ends, so that sums of squares of scaled values stay finite
const MOST_CHARACTERS = 8e6;

export class TableError extends Error {
  constructor(key, values = {}) {
    super(key);
    this.key = key;
    this.values = values;
  }
}

export function readTable(text) {
  if (text.includes("\uFFFD")) throw new TableError("table.encoding");
  if (text.length > MOST_CHARACTERS) throw new TableError("table.large", { most: MOST_ROWS });
  const lines = text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/);
  const rows = lines.map((line, i) => ({ line: i + 1, text: line })).filter((row) => row.text.trim() !== "");
  if (rows.length > MOST_ROWS + 1) throw new TableError("table.rows", { most: MOST_ROWS, got: rows.length - 1 });
  if (rows.length < 3) throw new TableError("table.empty");
  const separator = [";", "\t", ","].find((sign) => rows[0].text.includes(sign));
  if (!separator) throw new TableError("table.separator", { line: rows[0].line });
  const decimal = separator === "," ? (cell) => cell : (cell) => cell.replace(",", ".");
  const cells = rows.map((row) => row.text.split(separator).map((cell) => unquoted(cell.trim())));
  const width = cells[0].length;
  if (width > MOST_COLUMNS + 1) throw new TableError("table.columns", { most: MOST_COLUMNS, got: width - 1 });
  const isHeader = cells[0].slice(0, -1).every((cell) => Number.isNaN(Number(decimal(cell))));
  const features = isHeader ? cells[0].slice(0, -1) : cells[0].slice(0, -1).map((_, i) => `x${i + 1}`);
  const labels = [];
  const x = [];
  const y = [];
  cells.forEach((row, i) => {
    if (i === 0 && isHeader) return;
    const line = rows[i].line;
    if (row.length !== width) throw new TableError("table.width", { line, expected: width, got: row.length });
    x.push(row.slice(0, -1).map((cell, k) => value(decimal(cell), cell, line, k + 1)));
    y.push(classNumber(labels, row.at(-1), line));
  });
  if (labels.length < 2) throw new TableError("table.oneClass", { label: labels[0] });
  return { name: "own", features, labels, x, y };
}

function unquoted(cell) {
  return /^".*"$/.test(cell) ? cell.slice(1, -1).replaceAll('""', '"') : cell;
}

function value(text, cell, line, column) {
  const number = Number(text);
  if (text === "" || !(Math.abs(number) <= MOST)) throw new TableError("table.number", { line, column, got: cell });
  return number;
}

function classNumber(labels, label, line) {
  if (label === "") throw new TableError("table.noClass", { line });
  if (!labels.includes(label)) labels.push(label);
  if (labels.length > MOST_CLASSES) throw new TableError("table.classes", { most: MOST_CLASSES, line });
  return labels.indexOf(label);
}
