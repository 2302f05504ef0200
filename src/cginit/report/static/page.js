/* The page: what the slider and the buttons do, and how a page that is served keeps up with its refinement. */
"use strict";

const at = (id) => document.getElementById(id);
const page = { data: null, shown: 0, playing: null, on: { start: true, bands: true }, plots: [], built: "" };
/* Milliseconds from one iteration to the next while they are played. */
const PACE = 700;

/* An element with attributes and children; strings among these become text, never HTML. */
function make(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

function short(value, digits = 3) {
  return value === null || value === undefined ? "–" : String(Number(value.toPrecision(digits)));
}

/* The bytes of what Python packed: gzip in letters. */
async function unpacked(packed) {
  const letters = atob(packed);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k += 1) bytes[k] = letters.charCodeAt(k);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).blob();
}

async function loadLibrary() {
  const content = await unpacked(at("library").textContent);
  const script = make("script", { src: URL.createObjectURL(new Blob([content], { type: "text/javascript" })) });
  await new Promise((resolve, reject) => {
    script.onload = resolve;
    script.onerror = () => reject(new Error("the plotting library of this page cannot be read"));
    document.head.append(script);
  });
}

/* ---- What does not change with the slider ---- */

function addPlot(parent, title, draw, tall = false) {
  const drawing = make("div", { class: tall ? "drawing tall" : "drawing", role: "img", "aria-label": title });
  const value = make("span", { class: "value" });
  parent.append(make("figure", { class: "plot" }, make("figcaption", {}, title, value), drawing));
  const plot = { drawing, draw, value, visible: false, stale: true, clicked: null, chi2: null };
  page.plots.push(plot);
  seen.observe(drawing);
  return plot;
}

/* A page may have a hundred plots: only those in sight are drawn when the slider moves. */
const seen = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    const plot = page.plots.find((one) => one.drawing === entry.target);
    if (!plot) continue;
    plot.visible = entry.isIntersecting;
    if (plot.visible && plot.stale) redraw(plot);
  }
}, { rootMargin: "200px" });

function redraw(plot) {
  plot.stale = false;
  const [traces, drawn] = plot.draw(page.data, page.shown, page.on);
  const first = plot.drawing.data === undefined;
  const chi2 = plot.chi2 && plot.chi2(page.data, page.shown);
  if (chi2 !== null) plot.value.textContent = `χ² ${short(chi2)}${chi2 <= page.data.noise ? ": noise" : ""}`;
  plot.value.classList.toggle("good", chi2 !== null && chi2 <= page.data.noise);
  Plotly.react(plot.drawing, traces, drawn, config);
  if (first && plot.clicked) plot.drawing.on("plotly_click", (event) => plot.clicked(event.points[0]));
}

function redrawAll() {
  for (const plot of page.plots) {
    plot.stale = true;
    if (plot.visible) redraw(plot);
  }
}

function build() {
  const { data } = page;
  for (const plot of page.plots) { seen.unobserve(plot.drawing); Plotly.purge(plot.drawing); }
  page.plots = [];
  // What is hidden has no width to draw in.
  for (const id of ["controls", "progress", "curves"]) at(id).hidden = !data.frames.length;
  at("structures").hidden = !data.structures.length;
  at("inside").hidden = !data.inside.length;
  const progress = at("progress-plots");
  progress.replaceChildren();
  for (const [title, draw] of [["Difference to the target", convergence], ["Pressure", pressure]])
    addPlot(progress, title, draw).clicked = (point) => show(point.x);
  const interactions = at("interactions");
  interactions.replaceChildren();
  data.potentials.forEach((energy, number) => {
    const row = make("div", { class: "plots" });
    interactions.append(make("h3", {}, energy.name), row);
    data.distributions.forEach((one, place) => {
      if (one.interaction === energy.interaction)
        addPlot(row, [one.kind, one.name].filter(Boolean).join(", "),
          (now, ...rest) => distribution(now.distributions[place], now, ...rest), true)
          .chi2 = (now, shown) => now.distributions[place].frames[shown]?.chi2 ?? null;
    });
    addPlot(row, "Potential", (now, ...rest) => potential(now.potentials[number], now, ...rest), true);
  });
  const structures = at("structure-plots");
  structures.replaceChildren();
  data.structures.forEach((one, number) =>
    addPlot(structures, one.name, (now, ...rest) => structure(now.structures[number], now, ...rest)));
  const inside = at("inside-plots");
  inside.replaceChildren();
  data.inside.forEach((one, number) =>
    addPlot(inside, one.name, (now, ...rest) => insideMolecules(now.inside[number], now, ...rest), true));
  buildLegend();
}

function buildLegend() {
  const entry = (text, key, kind, toggle) => {
    const swatch = make("span", { class: `swatch ${kind}`, style: `--key: var(--${key})`, "aria-hidden": "true" });
    if (!toggle) return make("button", { type: "button", disabled: "", "aria-pressed": "true" }, swatch, text);
    const button = make("button", { type: "button", "aria-pressed": String(page.on[toggle]) }, swatch, text);
    button.onclick = () => {
      page.on[toggle] = !page.on[toggle];
      button.setAttribute("aria-pressed", String(page.on[toggle]));
      redrawAll();
    };
    return button;
  };
  const sigmas = `${page.data.sigmas} standard errors`;
  at("legend").replaceChildren(
    entry("target", "target", ""), entry("shown iteration", "shown", ""), entry("start", "start", "dotted", "start"),
    entry(`errors (${sigmas})`, "shown", "area", "bands"), entry(`noise of the difference (${sigmas})`, "noise", "area"),
    ...(page.data.potentials.some((one) => one.core > 0) ? [entry("core: extrapolated", "core", "area")] : []),
  );
}

/* ---- What each new state of the refinement changes ---- */

function describe() {
  const { data } = page;
  document.title = `${data.title}: refinement`;
  at("title").textContent = data.title;
  at("status").textContent = data.status;
  at("status").dataset.status = data.status;
  at("sentence").textContent = data.sentence.replaceAll("chi^2", "χ²");
  at("simulating").hidden = data.simulating === null;
  if (data.simulating !== null) at("simulating").textContent = `Iteration ${data.simulating} is being simulated.`;
  at("slider").max = Math.max(0, data.frames.length - 1);
  at("history").hidden = !data.frames.length;
  describeTables();
  describeRounds();
  at("citations").replaceChildren(...data.citations.map((one) => make("li", {},
    make("b", {}, `${one.what}: `), one.text, ...(one.link ? [", ", make("a", { href: one.link, rel: "noreferrer" }, one.link)] : []))));
  const groups = [["versions", data.versions], ...Object.entries(data.settings)];
  const open = new Set([...document.querySelectorAll("#settings details[open]")].map((one) => one.dataset.name));
  at("settings").replaceChildren(...groups.map(([name, rows]) => {
    const body = make("tbody", {}, ...rows.map(([key, value]) =>
      make("tr", {}, make("th", { scope: "row" }, key), make("td", {}, value))));
    const details = make("details", { "data-name": name }, make("summary", {}, name), make("table", {}, body));
    details.open = open.has(name);
    return details;
  }));
}

function describeTables() {
  const { data } = page;
  at("downloads").hidden = !data.tables.length;
  if (!data.tables.length) return;
  at("tables-of").textContent = `The potentials of the result (${data.frames[data.best].label}), ready to run.`;
  at("certainty").replaceChildren(...data.certainty.map((text) => make("li", {}, unit(text).replaceAll("+-", "±").replaceAll("^3", "³"))));
  at("tables").replaceChildren(...data.tables.map((one) => {
    const link = make("a", { href: "#", download: one.name }, one.name, make("small", {}, one.what));
    unpacked(one.packed).then((content) => { link.href = URL.createObjectURL(content); });
    return make("li", {}, link);
  }));
}

function describeRounds() {
  const { data } = page;
  const heads = ["iteration", "made by", "χ² (largest)", "mean sq. difference", `pressure / ${unit(data.states[0].unit).replace("^3", "³")}`, "steps", "seconds", "notes"];
  const body = data.frames.map((frame, number) => {
    const choose = make("button", { type: "button" }, frame.label + (number === data.best ? " ★" : ""));
    choose.onclick = () => show(number);
    const skipped = frame.skipped ? ` (${frame.skipped} judged by reweighting)` : "";
    const notes = [...(frame.complete ? [] : ["ended early: far from the target"]), ...frame.notes];
    const cells = [
      frame.chi2.map((value) => short(value)).join(" | "), short(frame.lmse),
      frame.pressure.map(([p, error]) => `${short(p)} ± ${short(error, 2)}`).join(" | "),
      frame.reweighted ? "–" : String(frame.steps), frame.reweighted ? "–" : short(frame.seconds),
    ];
    return make("tr", { "data-frame": number }, make("td", { class: "words" }, choose), make("td", { class: "words" }, frame.made_by + skipped),
      ...cells.map((text) => make("td", {}, text)), make("td", { class: "words" }, notes.join("; ")));
  });
  const head = make("tr", {}, ...heads.map((text, k) => make("th", { scope: "col", ...([0, 1, 7].includes(k) ? { class: "words" } : {}) }, text)));
  at("rounds").replaceChildren(make("thead", {}, head), make("tbody", {}, ...body));
}

/* ---- The slider ---- */

function show(number) {
  const { data } = page;
  if (!data.frames.length) return;
  page.shown = Math.min(Math.max(0, number), data.frames.length - 1);
  const frame = data.frames[page.shown];
  const text = frame.label + (page.shown === data.best ? " ★" : "");
  at("slider").value = page.shown;
  at("slider").setAttribute("aria-valuetext", `${frame.label}, chi squared ${frame.chi2.map((value) => short(value)).join(", ")}`);
  at("shown").textContent = text;
  const noise = frame.chi2.every((c) => c !== null && c <= data.noise);
  const tile = (name, value, kind = "") => make("div", { class: kind }, make("dt", {}, name), make("dd", { class: noise && name === "χ²" ? "good" : "" }, value));
  const pressures = frame.pressure.map(([p, error], k) => {
    const { bar } = data.states[k];
    const own = `${short(p)} ± ${short(error, 2)} ${unit(data.states[k].unit).replace("^3", "³")}`;
    return bar === null || p === null ? own : `${own} (${short(p * bar)} bar)`;
  });
  at("tiles").replaceChildren(
    tile("χ²", frame.chi2.map((value) => short(value)).join(", ") + (noise ? " (noise)" : "")), tile("mean sq. difference", short(frame.lmse)),
    tile("P", pressures.join(", ")), tile("made by", frame.made_by || "–", "more"),
  );
  for (const row of document.querySelectorAll("#rounds tbody tr"))
    row.setAttribute("aria-current", String(Number(row.dataset.frame) === page.shown));
  redrawAll();
}

function stop() {
  clearInterval(page.playing);
  page.playing = null;
  at("play").firstElementChild.textContent = "▶";
  at("play").setAttribute("aria-label", "Play all iterations");
}

function play() {
  if (page.playing) return stop();
  if (page.shown === page.data.frames.length - 1) show(0);
  at("play").firstElementChild.textContent = "❚❚";
  at("play").setAttribute("aria-label", "Stop playing");
  page.playing = setInterval(() => {
    show(page.shown + 1);
    if (page.shown === page.data.frames.length - 1) stop();
  }, PACE);
}

function keys(event) {
  const busy = event.target.closest("input, select, textarea, .scroll") || event.ctrlKey || event.metaKey || event.altKey;
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (busy || !step) return;
  event.preventDefault();
  stop();
  show(page.shown + step);
}

/* ---- A page that is served ---- */

function take(data) {
  const before = page.data;
  // Who looks at the newest goes on to the next; who studies an earlier one is left there.
  const follows = !before || page.shown >= before.frames.length - 1;
  page.data = data;
  describe();
  const structure = JSON.stringify([data.frames.length > 0, data.distributions.map((one) => one.name), data.potentials.map((one) => one.name), data.structures.map((one) => one.name), data.inside.map((one) => one.name)]);
  if (structure !== page.built) build();
  page.built = structure;
  show(!before || !before.frames.length || data.status !== before.status && data.status !== "running" ? data.best : follows ? data.frames.length - 1 : page.shown);
}

async function update(address) {
  try {
    const answer = await fetch(`${address}?since=${page.data.version}`, { cache: "no-store" });
    if (!answer.ok && answer.status !== 204) throw new Error(`the server answered ${answer.status}`);
    if (answer.status === 200) take(await answer.json());
    at("trouble").hidden = true;
  } catch (error) {
    at("trouble").textContent = `This page is no longer kept up to date (${error.message}); what it shows stays.`;
    at("trouble").hidden = false;
  }
}

function follow({ address, seconds }) {
  const turn = async () => {
    if (!document.hidden) await update(address);
    setTimeout(turn, 1000 * seconds);
  };
  setTimeout(turn, 1000 * seconds);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) update(address); });
}

/* The next time that the browser has shown what there is. */
function painted() {
  return new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
}

async function begin() {
  const data = JSON.parse(at("data").textContent);
  page.data = data;
  page.shown = data.best;
  describe();
  // The library takes a second or two to read, in which one can read the page.
  at("loading").hidden = !data.frames.length;
  if (!document.hidden) await painted();
  try {
    await loadLibrary();
  } catch (error) {
    at("trouble").textContent = `The curves cannot be drawn: ${error.message}. This page needs a browser of 2023 or later.`;
    at("trouble").hidden = false;
    return;
  } finally {
    at("loading").hidden = true;
  }
  at("slider").oninput = (event) => { stop(); show(Number(event.target.value)); };
  at("play").onclick = play;
  document.addEventListener("keydown", keys);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redrawAll);
  page.data = null;
  take(data);
  const live = JSON.parse(at("live").textContent);
  if (live) follow(live);
  document.documentElement.dataset.ready = "yes";
}

begin();
