// The flame graph. Nodes come as flat lists, each after its parent; only what is wide enough to be
// seen is drawn. Zoom and search stand in the address (#flame=12&search=read), so they can be shared.
(function () {
  "use strict";
  const source = document.getElementById("flame-data");
  if (!source) return;

  const ROW = 19, NARROWEST = 1.2, LETTER = 7, SVG = "http://www.w3.org/2000/svg";
  const { names, places, nodes, samples } = JSON.parse(source.textContent);
  const count = samples.length;
  const parent = new Int32Array(count), depth = new Int32Array(count), start = new Float64Array(count);
  const self = Float64Array.from(samples), children = Array.from({ length: count }, () => []);
  for (let node = 0; node < count; node++) {
    const above = parent[node] = nodes[3 * node];
    if (above < 0) continue;
    depth[node] = depth[above] + 1;
    start[node] = start[above] + samples[above] - self[above]; // right of the siblings before it
    self[above] -= samples[node];
    children[above].push(node);
  }

  const graph = document.getElementById("flame-graph"), details = document.getElementById("flame-details");
  const search = document.getElementById("flame-search"), matched = document.getElementById("flame-matched");
  const reset = document.getElementById("flame-reset");
  let zoomed = 0, here = 0, matches = null, drawn = new Map();

  const name = (node) => names[nodes[3 * node + 1]];
  const place = (node) => places[nodes[3 * node + 2]];
  const percent = (part, whole) => (whole ? (100 * part / whole).toFixed(1) : "0.0") + "%";

  function colour(node) {
    if (depth[node] < 2) return "frame-root"; // all executions, and the systems
    const file = place(node).replace(/:\d+$/, "");
    let hash = 0;
    for (let at = 0; at < file.length; at++) hash = (hash * 31 + file.charCodeAt(at)) >>> 0;
    return "frame-" + (hash % 6);
  }

  // ---- drawing

  function draw() {
    const width = graph.clientWidth, scale = width / samples[zoomed];
    const visible = [];
    for (let node = parent[zoomed]; node >= 0; node = parent[node]) visible.push([node, 0, width]);
    const waiting = [zoomed];
    let deepest = depth[zoomed];
    while (waiting.length) {
      const node = waiting.pop(), wide = samples[node] * scale;
      if (wide < NARROWEST) continue; // and so are all its children
      visible.push([node, (start[node] - start[zoomed]) * scale, wide]);
      deepest = Math.max(deepest, depth[node]);
      waiting.push(...children[node]);
    }
    const svg = document.createElementNS(SVG, "svg");
    svg.setAttribute("height", (deepest + 1) * ROW);
    svg.setAttribute("aria-hidden", "true"); // the line below the graph says it
    drawn = new Map();
    for (const [node, left, wide] of visible) svg.append(frame(node, left, wide));
    graph.replaceChildren(svg);
    reset.disabled = zoomed === 0;
    if (!drawn.has(here)) here = zoomed;
    tell(here);
  }

  function frame(node, left, wide) {
    const group = document.createElementNS(SVG, "g"), box = document.createElementNS(SVG, "rect");
    group.setAttribute("class", "frame " + (matches && matches[node] ? "frame-match" : colour(node)));
    if (depth[node] < depth[zoomed]) group.classList.add("frame-above");
    group.setAttribute("transform", "translate(" + left.toFixed(1) + "," + depth[node] * ROW + ")");
    group.dataset.node = node;
    box.setAttribute("width", wide.toFixed(1));
    box.setAttribute("height", ROW);
    group.append(box);
    const letters = Math.floor((wide - 6) / LETTER);
    if (letters >= 3) {
      const text = document.createElementNS(SVG, "text");
      const label = Array.from(depth[node] === 1 ? name(node).split(":").pop() : name(node));
      text.setAttribute("x", 4);
      text.setAttribute("y", ROW - 5.5);
      text.textContent = label.length > letters ? label.slice(0, letters - 1).join("") + "…" : label.join("");
      group.append(text);
    }
    drawn.set(node, group);
    return group;
  }

  function tell(node) {
    for (const group of graph.querySelectorAll(".frame-here")) group.classList.remove("frame-here");
    if (drawn.has(node) && document.activeElement === graph) drawn.get(node).classList.add("frame-here");
    const code = document.createElement("code");
    code.textContent = name(node);
    const words = [samples[node].toLocaleString("en") + " samples, " + percent(samples[node], samples[0]) + " of all"];
    if (zoomed) words.push(percent(samples[node], samples[zoomed]) + " of what is zoomed");
    words.push(self[node].toLocaleString("en") + " in itself");
    details.replaceChildren(code, " " + (place(node) ? place(node) + " " : "") + "– " + words.join(", "));
  }

  // ---- zoom and search

  function zoom(node) {
    zoomed = here = samples[node] > 0 ? node : 0;
    draw();
    share();
  }

  function find(words) {
    const wanted = words.trim().toLowerCase();
    matches = null;
    matched.textContent = "";
    if (!wanted) return;
    const hits = [names, places].map((all) => all.map((text) => text.toLowerCase().includes(wanted)));
    const covered = new Uint8Array(count); // so that what is nested is counted once
    matches = new Uint8Array(count);
    let total = 0;
    for (let node = 0; node < count; node++) {
      matches[node] = hits[0][nodes[3 * node + 1]] || hits[1][nodes[3 * node + 2]] ? 1 : 0;
      const above = parent[node] >= 0 && covered[parent[node]];
      if (matches[node] && !above) total += samples[node];
      covered[node] = matches[node] || above ? 1 : 0;
    }
    matched.textContent = "Matched " + percent(total, samples[0]) + " of the samples";
  }

  function share() {
    const state = new URLSearchParams();
    if (zoomed || search.value) state.set("flame", zoomed);
    if (search.value) state.set("search", search.value);
    history.replaceState(null, "", state.size ? "#" + state : location.pathname + location.search + "#flame");
  }

  function restore() {
    const state = new URLSearchParams(location.hash.slice(1));
    if (!state.get("flame") && !state.get("search")) return false;
    const node = Number(state.get("flame"));
    zoomed = here = Number.isInteger(node) && node > 0 && node < count ? node : 0;
    search.value = state.get("search") || "";
    find(search.value);
    return true;
  }

  // ---- what the reader does

  const nodeAt = (event) => { const group = event.target.closest(".frame"); return group && Number(group.dataset.node); };
  const seen = (node) => node !== undefined && node >= 0 && drawn.has(node);
  const sideways = (step) => {
    const row = parent[here] < 0 ? [here] : children[parent[here]].filter(seen);
    return row[row.indexOf(here) + step];
  };
  const keys = {
    ArrowUp: () => parent[here],
    ArrowDown: () => children[here].find(seen),
    ArrowLeft: () => sideways(-1),
    ArrowRight: () => sideways(1),
  };

  graph.addEventListener("click", (event) => { const node = nodeAt(event); if (node !== null) zoom(node); });
  graph.addEventListener("mouseover", (event) => { const node = nodeAt(event); if (node !== null) tell(node); });
  graph.addEventListener("mouseleave", () => tell(here));
  graph.addEventListener("focus", () => tell(here));
  graph.addEventListener("blur", () => tell(here));
  graph.addEventListener("keydown", (event) => {
    if (event.key === "Enter") zoom(here);
    else if (event.key === "Escape" || event.key === "Backspace") zoom(Math.max(0, parent[zoomed]));
    else if (event.key === "Home") zoom(0);
    else if (keys[event.key]) { const next = keys[event.key](); if (seen(next)) tell(here = next); }
    else return;
    event.preventDefault();
  });
  search.addEventListener("input", () => { find(search.value); draw(); share(); });
  reset.addEventListener("click", () => zoom(0));
  window.addEventListener("hashchange", () => { if (restore()) draw(); });
  new ResizeObserver(draw).observe(graph);

  if (restore()) document.getElementById("flame").scrollIntoView();
  draw();
})();
