// Sorting and folding. Rows know their level; what stands below a row with a higher level is within it.
"use strict";
for (const table of document.querySelectorAll("table")) {
  const body = table.tBodies[0];
  const root = { inside: [] };
  const path = [root];
  for (const row of body.rows) {
    const level = Number(row.dataset.level);
    const node = { row, level, inside: [], open: true };
    path.length = level + 1;
    path[level].inside.push(node);
    path.push(node);
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
  const sorted = (nodes, at, sign) => sign === 0 ? nodes : [...nodes].sort((a, b) => {
    const [x, y] = [value(a, at), value(b, at)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined);
    return sign * compare(x, y);
  });

  let [by, sign] = [0, 0];
  const show = () => {
    const lay = (nodes, visible) => {
      for (const node of sorted(nodes, by, sign)) {
        node.row.hidden = !visible;
        body.append(node.row);
        const button = node.row.querySelector(".fold");
        if (button) button.setAttribute("aria-expanded", String(node.open));
        lay(node.inside, visible && node.open);
      }
    };
    lay(root.inside, true);
    [...table.tHead.rows[0].cells].forEach((cell, at) =>
      cell.setAttribute("aria-sort", at !== by || sign === 0 ? "none" : sign > 0 ? "ascending" : "descending"));
  };

  const every = (nodes, open) => nodes.forEach((node) => { node.open = open; every(node.inside, open); });
  table.tHead.addEventListener("click", (event) => {
    const cell = event.target.closest("th");
    if (!cell) return;
    const first = cell.classList.contains("right") || cell.dataset.kind === "share" ? -1 : 1;
    sign = by !== cell.cellIndex || sign === 0 ? first : sign === first ? -first : 0; // then the order of the text
    by = cell.cellIndex;
    show();
  });
  const find = (nodes, row) => {
    for (const node of nodes) {
      const found = node.row === row ? node : find(node.inside, row);
      if (found) return found;
    }
    return null;
  };
  body.addEventListener("click", (event) => {
    const button = event.target.closest(".fold");
    if (!button) return;
    const node = find(root.inside, button.closest("tr"));
    node.open = !node.open;
    show();
  });
  for (const button of document.querySelectorAll("[data-open]")) {
    button.addEventListener("click", () => { every(root.inside, button.dataset.open === "true"); show(); });
  }
  if (body.rows.length > 60) every(root.inside, false);
  show();
}
