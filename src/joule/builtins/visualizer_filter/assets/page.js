// Asks for the newest values once a second while the page is seen, and draws them. Texts from the node only ever become
// text, never markup.
"use strict";

const PERIOD_MS = 1000;
const STALE_US = 10e6;
const POINTS = 120; // of a trace: two minutes
const SVG = "http://www.w3.org/2000/svg";
const cards = new Map(); // by element id

function make(parent, tag, className, text) {
  const made = parent.appendChild(document.createElement(tag));
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function show(value, isKnown) {
  if (value === null) return isKnown ? "NaN" : "–";
  if (typeof value === "string") return value.replace("Infinity", "∞");
  const size = Math.abs(value);
  return size !== 0 && (size >= 1e7 || size < 1e-4) ? value.toExponential(4) : String(Number(value.toPrecision(6)));
}

function makeCard(parent, entry) {
  const card = make(parent, "section", "element");
  make(card, "h3", "", entry.element);
  const value = make(card, "div", "value");
  const number = make(value, "span");
  if (entry.units) make(value, "small", "", " " + entry.units);
  const trace = card.appendChild(document.createElementNS(SVG, "svg"));
  trace.setAttribute("class", "trace");
  trace.setAttribute("viewBox", `0 0 ${POINTS - 1} 1`);
  trace.setAttribute("preserveAspectRatio", "none");
  trace.setAttribute("aria-hidden", "true");
  const range = make(card, "p", "range");
  return { number, trace, low: make(range, "span"), high: make(range, "span"), points: [] };
}

function build(entries) {
  const main = document.getElementById("streams");
  main.replaceChildren();
  cards.clear();
  let grid, age, input;
  for (const entry of entries) {
    if (entry.input !== input) {
      input = entry.input;
      const heading = make(main, "h2", "", entry.stream + " ");
      if (entry.input !== entry.stream) make(heading, "span", "", `(${entry.input}) `);
      age = make(heading, "span", "age");
      grid = make(main, "div", "elements");
    }
    cards.set(entry.id, { ...makeCard(grid, entry), age, key: JSON.stringify([entry.input, entry.element, entry.units]) });
  }
  if (!entries.length) make(main, "p", "", "This module has no inputs: name some in the [Inputs] section of its file.");
}

function draw(card, value) {
  card.points.push(typeof value === "number" ? value : NaN);
  if (card.points.length > POINTS) card.points.shift();
  const numbers = card.points.filter(Number.isFinite);
  const low = Math.min(...numbers);
  const span = Math.max(...numbers) - low || 1;
  const start = POINTS - card.points.length;
  const lines = [[]];
  card.points.forEach((point, index) => {
    if (Number.isFinite(point)) lines.at(-1).push(`${start + index},${0.95 - 0.9 * ((point - low) / span)}`);
    else lines.push([]);
  });
  card.trace.replaceChildren(...lines.filter((line) => line.length > 1).map((line) => {
    const drawn = document.createElementNS(SVG, "polyline");
    drawn.setAttribute("points", line.join(" "));
    return drawn;
  }));
}

function update(entries, nowMs) {
  const isSame = entries.length === cards.size && entries.every((entry) =>
    cards.get(entry.id)?.key === JSON.stringify([entry.input, entry.element, entry.units]));
  if (!isSame || !entries.length) build(entries);
  for (const entry of entries) {
    const card = cards.get(entry.id);
    const isKnown = entry.time_us !== null;
    card.number.textContent = show(entry.value, isKnown);
    card.low.textContent = "min " + show(entry.min, isKnown);
    card.high.textContent = "max " + show(entry.max, isKnown);
    const isOld = isKnown && nowMs * 1000 - entry.time_us > STALE_US;
    card.age.textContent = !isKnown ? "no rows yet" : isOld ? "last row " + new Date(entry.time_us / 1000).toLocaleString() : "";
    draw(card, entry.value);
  }
}

async function ask(path, options) {
  const state = document.getElementById("state");
  try {
    const answer = await fetch(path, { ...options, signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(`it answered ${answer.status}`);
    update(await answer.json(), Date.parse(answer.headers.get("Date")) || Date.now()); // by the clock of the node
    state.className = "";
    state.textContent = new Date().toLocaleTimeString();
  } catch (error) {
    state.className = "bad";
    state.textContent = `The module does not answer (${error.message}); trying again.`;
  }
}

async function follow() {
  if (!document.hidden) await ask("data.json");
  setTimeout(follow, PERIOD_MS);
}

document.getElementById("reset").addEventListener("click", () => ask("reset.json", { method: "POST" }));
follow();
