// The overview sorts by the heading that is clicked; a table that needs no scrolling is no stop of the
// Tab key; what is folded is opened for print.
(function () {
  "use strict";
  const table = document.getElementById("overview");
  if (table) table.tHead.addEventListener("click", function (event) {
    const button = event.target.closest(".sort");
    if (button) sortBy(button.closest("th"));
  });

  function sortBy(heading) {
    const before = heading.getAttribute("aria-sort");
    const numbers = heading.classList.contains("number");
    // Figures start with the largest, names with A.
    const down = before ? before === "ascending" : numbers;
    const column = heading.cellIndex;
    const rows = Array.from(table.tBodies[0].rows);
    rows.sort(function (a, b) { return compare(value(a, column), value(b, column), numbers, down); });
    table.tBodies[0].append(...rows);
    for (const th of table.tHead.rows[0].cells) th.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  }

  function value(row, column) { return row.cells[column].dataset.value; }

  // What was not measured stays last, whichever way.
  function compare(a, b, numbers, down) {
    if (a === "" || b === "") return (a === "") - (b === "");
    const order = numbers ? a - b : a.localeCompare(b);
    return down ? -order : order;
  }

  function stops() {
    for (const box of document.querySelectorAll(".scrolls")) {
      if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  }
  window.addEventListener("resize", stops);
  stops();

  window.addEventListener("beforeprint", function () {
    for (const details of document.querySelectorAll("details")) details.open = true;
  });
})();
