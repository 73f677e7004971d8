// The filters of the tables, boxes that scroll, and what a keyboard needs. No library.
"use strict";

function filterTable(form) {
  const table = document.getElementById(form.dataset.table);
  const lines = [...table.tBodies[0].rows].map((row) => ({ row, text: row.textContent.toLowerCase() }));
  const count = form.querySelector("output");

  function show() {
    const words = form.elements.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const menus = [...form.querySelectorAll("select")].filter((menu) => menu.value);
    let left = 0;
    for (const { row, text } of lines) {
      const kept = words.every((word) => text.includes(word)) && menus.every((menu) => row.dataset[menu.name] === menu.value);
      row.hidden = !kept;
      left += kept;
    }
    count.textContent = `${left} of ${lines.length}`;
  }

  for (const [name, value] of new URLSearchParams(location.search)) {
    if (form.elements[name]) form.elements[name].value = value; // claims.html?notebook=08
  }
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.classList.add("ready");
  show();
}

// A box that scrolls sideways must be reachable without a mouse; one that does not scroll must not hold up the Tab key.
const BOXES = ".wide, .pst-scrollable-table-container, .math, mjx-container, .text_html, pre";

function reachScrollingBoxes() {
  for (const box of document.querySelectorAll(BOXES)) {
    const scrolls = box.scrollWidth > box.clientWidth && /auto|scroll/.test(getComputedStyle(box).overflowX);
    if (scrolls) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}

// What the theme leaves without a name, and lines of claims, which are prose and may be wrapped.
for (const summary of document.querySelectorAll("li.has-children > details > summary")) {
  summary.setAttribute("aria-label", `Pages of ${summary.closest("li").querySelector("a").textContent.trim()}`);
}
for (const output of document.querySelectorAll(".cell_output pre")) {
  output.classList.toggle("claims", /^[✓✗] /.test(output.textContent));
}

document.querySelectorAll("form.filters").forEach(filterTable);
window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  reachScrollingBoxes();
});
window.addEventListener("resize", reachScrollingBoxes);
document.addEventListener("toggle", reachScrollingBoxes, true);
