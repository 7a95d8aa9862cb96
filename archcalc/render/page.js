// Sorting and folding. Rows know their level; what stands below a row with a higher level is within it.
"use strict";
for (const table of document.querySelectorAll("table.sorts")) {
  const body = table.tBodies[0];
  const root = { inside: [] };
  const path = [root];
  const nodes = new Map();
  for (const row of body.rows) {
    const level = Number(row.dataset.level);
    const node = { row, level, inside: [], open: true, button: row.querySelector(".fold") };
    path.length = level + 1;
    path[level].inside.push(node);
    path.push(node);
    nodes.set(row, node);
  }

  const value = (node, at) => node.row.cells[at].dataset.value;
  const compare = (a, b) => {
    if (/^-?\d+$/.test(a) && /^-?\d+$/.test(b)) {
      const [x, y] = [BigInt(a), BigInt(b)];
      return x < y ? -1 : x > y ? 1 : 0;
    }
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b, undefined, { numeric: true }) : x - y;
  };
  const sorted = (inside, at, sign) => sign === 0 ? inside : [...inside].sort((a, b) => {
    const [x, y] = [value(a, at), value(b, at)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * compare(x, y);
  });

  let [by, sign] = [0, 0];
  const order = () => {
    const laid = document.createDocumentFragment();
    const lay = (inside) => {
      for (const node of sorted(inside, by, sign)) {
        laid.append(node.row);
        lay(node.inside);
      }
    };
    lay(root.inside);
    body.append(laid);
    [...table.tHead.rows[0].cells].forEach((cell, at) =>
      cell.setAttribute("aria-sort", at !== by || sign === 0 ? "none" : sign > 0 ? "ascending" : "descending"));
  };
  const show = (inside, visible) => { // moves no row, so that the button that was pressed keeps the focus
    for (const node of inside) {
      node.row.hidden = !visible;
      if (node.button) node.button.setAttribute("aria-expanded", String(node.open));
      show(node.inside, visible && node.open);
    }
  };
  const every = (open) => {
    for (const node of nodes.values()) node.open = open;
    show(root.inside, true);
  };

  table.tHead.addEventListener("click", (event) => {
    const cell = event.target.closest("th");
    if (!cell) return;
    const first = cell.classList.contains("right") || cell.dataset.kind === "share" ? -1 : 1;
    sign = by !== cell.cellIndex || sign === 0 ? first : sign === first ? -first : 0; // then the order of the text
    by = cell.cellIndex;
    order();
  });
  body.addEventListener("click", (event) => {
    const button = event.target.closest(".fold");
    if (!button) return;
    const node = nodes.get(button.closest("tr"));
    node.open = !node.open;
    show(root.inside, true);
  });
  for (const button of table.closest("section").querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => every(button.dataset.open === "true"));
  }
  order();
  every(body.rows.length <= 60);
}
for (const leaves of document.querySelectorAll("section.leaves")) {
  for (const button of leaves.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => {
      for (const each of leaves.querySelectorAll("details")) each.open = button.dataset.open === "true";
    });
  }
}
