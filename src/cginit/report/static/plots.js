/* The plots of the page. Each function returns what Plotly draws: traces and layout, for one position of the slider. */
"use strict";

/* Fingers scroll the page and would else be caught by every plot on their way. */
const coarse = matchMedia("(pointer: coarse)").matches;
const config = { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "resetScale2d"]] };
if (coarse) config.displayModeBar = false;

/* Plotly reads some HTML in its texts, and names come from files. */
function plain(text) {
  return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/* Units as they are printed: those of the reduced system by their letters. */
function unit(text) {
  return text.replace(/\bsigma\b/g, "σ").replace(/\bepsilon\b/g, "ε").replace(/\bangstrom\b/g, "Å");
}

/* The label of an axis: a unit such as nm^-1 with its exponent raised. */
function label(text) {
  return unit(plain(text)).replace(/\^(-?\d+)/g, "<sup>$1</sup>").replace(/\bchi<sup>/g, "χ<sup>");
}

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/* A colour of the style sheet, which writes them as #rrggbb, with an opacity. */
function faint(name, opacity) {
  const [r, g, b] = [1, 3, 5].map((k) => parseInt(colour(name).slice(k, k + 2), 16));
  return `rgba(${r}, ${g}, ${b}, ${opacity})`;
}

function line(x, y, name, key, more = {}) {
  return {
    x, y, name, mode: "lines", hovertemplate: "%{y:.4g}",
    line: { color: colour(key), width: more.width ?? 2, dash: more.dash ?? "solid" },
    yaxis: more.yaxis ?? "y",
  };
}

/* The area within `spread` of a curve; nothing where no spread is known. */
function area(x, middle, spread, key, opacity, yaxis = "y") {
  if (!spread) return [];
  const reach = spread.map((s) => s ?? 0);
  const high = middle.map((y, k) => (y === null ? null : y + reach[k]));
  const low = middle.map((y, k) => (y === null ? null : y - reach[k]));
  return [{
    x: x.slice(0, high.length).concat(x.slice(0, low.length).reverse()),
    y: high.concat(low.reverse()),
    mode: "lines", fill: "toself", hoverinfo: "skip", yaxis,
    fillcolor: faint(key, opacity), line: { width: 0 },
  }];
}

function axis(title, more = {}) {
  return {
    title: { text: label(title), standoff: 8 }, gridcolor: colour("grid"), linecolor: colour("line"),
    zerolinecolor: colour("line"), ticks: "outside", tickcolor: colour("line"), automargin: true,
    // 5 x 10^-4, where Plotly's own choice is 500 of the letter mu.
    fixedrange: coarse, exponentformat: "power", ...more,
  };
}

function layout(more) {
  const ink = colour("ink");
  return {
    autosize: true, margin: { l: 56, r: 14, t: 24, b: 44 }, showlegend: false, hovermode: "x unified",
    dragmode: coarse ? false : "zoom", paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: ink, family: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", size: 12 },
    hoverlabel: { bgcolor: colour("card"), bordercolor: colour("line"), font: { color: ink } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: faint("soft", 0.6), activecolor: colour("accent") },
    // What the reader has zoomed in on stays when the slider moves.
    uirevision: "same", ...more,
  };
}

/* A distribution with its target and, below, their difference in the band of its noise. */
function distribution(one, data, shown, on) {
  const now = one.frames[shown];
  const sigmas = data.sigmas;
  const times = (error) => error && error.map((e) => (e === null ? null : sigmas * e));
  const x = one.x;
  const traces = [];
  if (on.bands) traces.push(...area(x, one.target, times(one.target_error), "target", 0.25));
  traces.push(line(x, one.target, "target", "target", { width: 5 }));
  if (on.start && shown > 0 && one.frames[0])
    traces.push(line(x, one.frames[0].y, "start", "start", { width: 1.5, dash: "dot" }));
  let most = 0;
  if (now) {
    if (on.bands) traces.push(...area(x, now.y, times(now.error), "shown", 0.22));
    traces.push(line(x, now.y, plain(data.frames[shown].label), "shown"));
    const noise = times(now.noise);
    traces.push(...area(x, now.difference.map(() => 0), noise, "noise", 0.35, "y2"));
    traces.push(line(x, now.difference, "difference", "shown", { width: 1.5, yaxis: "y2" }));
    most = Math.max(...now.difference.map(Math.abs), ...noise);
  }
  const top = Math.max(...one.target, ...one.frames.flatMap((f) => (f ? [Math.max(...f.y)] : [])));
  const range = most > 0 ? [-1.15 * most, 1.15 * most] : undefined;
  return [traces, layout({
    xaxis: axis(one.x_label, { anchor: "y2", range: one.range }),
    yaxis: axis(one.y_label, { domain: [0.36, 1], range: [0, 1.06 * top] }),
    yaxis2: axis("difference", { domain: [0, 0.27], range, nticks: 4, uirevision: shown }),
  })];
}

function potential(one, data, shown, on) {
  const now = one.frames[shown];
  const first = one.frames[0];
  const x = now.x ?? one.x;
  const traces = [];
  if (on.start && shown > 0) traces.push(line(first.x ?? one.x, first.u, "start", "start", { width: 1.5, dash: "dot" }));
  if (on.bands && now.error) traces.push(...area(x, now.u, now.error.map((e) => data.sigmas * e), "shown", 0.25));
  traces.push(line(x, now.u, plain(data.frames[shown].label), "shown"));
  const shapes = [];
  if (one.core > 0)
    shapes.push({
      type: "rect", xref: "x", yref: "paper", x0: 0, x1: one.core, y0: 0, y1: 1, layer: "below",
      fillcolor: faint("core", 0.12), line: { width: 0 },
    });
  return [traces, layout({
    xaxis: axis(one.x_label, { range: [one.from_zero ? 0 : x[0], x[x.length - 1]] }),
    yaxis: axis("U / kT", { range: one.range }), shapes,
  })];
}

function structure(one, data, shown) {
  const now = one.frames[shown];
  const traces = [];
  if (now) {
    const x = now.x ?? one.x;
    traces.push(line(x, now.target ?? one.target, "target", "target", { width: 5 }));
    traces.push(line(x, now.y, plain(data.frames[shown].label), "shown"));
  }
  return [traces, layout({ xaxis: axis(one.x_label, { rangemode: "tozero" }), yaxis: axis("S(k)") })];
}

/* Pairs of one molecule: the start, the errors of the iteration shown, and what the target has of them if it is known. */
function insideMolecules(one, data, shown, on) {
  const now = one.frames[shown];
  const first = one.frames[0];
  const traces = [];
  if (one.target) traces.push(line(one.target.x, one.target.y, "target", "target", { width: 5 }));
  if (on.start && shown > 0 && first)
    traces.push(line(first.x ?? one.x, first.y, "start", "start", { width: 1.5, dash: "dot" }));
  if (now) {
    const x = now.x ?? one.x;
    if (on.bands) traces.push(...area(x, now.y, now.error.map((e) => (e === null ? null : data.sigmas * e)), "shown", 0.25));
    traces.push(line(x, now.y, plain(data.frames[shown].label), "shown"));
  }
  return [traces, layout({ xaxis: axis(one.x_label, { rangemode: "tozero" }), yaxis: axis("g(r)", { rangemode: "tozero" }) })];
}

/* Where the slider stands, in a plot of all iterations. */
function cursor(shown) {
  return {
    type: "line", xref: "x", yref: "paper", x0: shown, x1: shown, y0: 0, y1: 1, layer: "below",
    line: { color: colour("accent"), width: 2, dash: "dot" },
  };
}

function iterations(data) {
  const many = Math.ceil(data.frames.length / 12);
  const kept = data.frames.map((_, k) => k).filter((k) => k % many === 0 || data.frames[k].reweighted);
  return axis("iteration", {
    tickvals: kept, ticktext: kept.map((k) => (data.frames[k].reweighted ? "reweighted" : data.frames[k].short)),
    range: [-0.5, data.frames.length - 0.5], zeroline: false,
  });
}

/* A logarithmic axis of such values, with ticks at 1, 2 and 5, or at powers of ten where these would be too many. */
function logarithmic(values) {
  const known = values.filter((value) => value !== null && value > 0);
  const [low, high] = [Math.min(...known) / 1.5, Math.max(...known) * 1.5];
  const few = high / low < 300;
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power += 1)
    ticks.push(...(few ? [1, 2, 5] : [1]).map((digit) => Number(`${digit}e${power}`)));
  return {
    type: "log", range: [Math.log10(low), Math.log10(high)], tickvals: ticks, ticktext: ticks.map(String),
  };
}

/* Differences to the target, in noise, of each interaction by iteration. */
function convergence(data, shown) {
  const x = data.frames.map((_, k) => k);
  const traces = data.errors.map((one, number) => {
    const made = line(x, one.chi2, plain(one.name), `series-${number % 6}`, { dash: number < 6 ? "solid" : "dash" });
    made.mode = "lines+markers";
    made.marker = { size: 7, symbol: one.chi2.map((c) => (c !== null && c <= data.noise ? "circle-open" : "circle")) };
    return made;
  });
  const limit = {
    type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: data.noise, y1: data.noise, layer: "below",
    line: { color: colour("good"), width: 1.5, dash: "dash" },
    label: { text: "noise", textposition: "end", yanchor: "top", font: { color: colour("good"), size: 11 } },
  };
  return [traces, layout({
    xaxis: iterations(data), yaxis: axis("chi^2 per point", logarithmic([...data.errors.flatMap((one) => one.chi2), data.noise])),
    shapes: [limit, cursor(shown)], showlegend: data.errors.length > 1,
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 11 } },
  })];
}

function pressure(data, shown) {
  const x = data.frames.map((_, k) => k);
  const traces = data.states.map((state, number) => {
    const values = data.frames.map((frame) => frame.pressure[number]);
    const name = data.states.length > 1 ? `state ${number}` : "pressure";
    const made = line(x, values.map((v) => v[0]), name, `series-${number % 6}`);
    made.mode = "lines+markers";
    made.marker = { size: 7 };
    made.error_y = { type: "data", array: values.map((v) => (v[1] === null ? 0 : data.sigmas * v[1])), thickness: 1.5, width: 4 };
    return made;
  });
  const wanted = data.states.flatMap((state, number) => (state.pressure === null ? [] : [{
    type: "line", xref: "paper", yref: "y", x0: 0, x1: 1, y0: state.pressure, y1: state.pressure, layer: "below",
    line: { color: colour(`series-${number % 6}`), width: 1.5, dash: "dash" },
    label: { text: "wanted", textposition: "end", yanchor: "bottom", font: { color: colour("soft"), size: 11 } },
  }]));
  return [traces, layout({
    xaxis: iterations(data), yaxis: axis(`pressure / ${data.states[0].unit}`),
    shapes: [...wanted, cursor(shown)], showlegend: data.states.length > 1,
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0, font: { size: 11 } },
  })];
}
