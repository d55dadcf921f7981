{
// The point that readers move. The functions above are the network's own generated JavaScript.
const settings = JSON.parse(document.getElementById("settings").textContent);
const { inputs, outputs, low, high, order } = settings;
const n = inputs.length;
const SAMPLES = 81;
const point = Float64Array.from(settings.at);
let shown = 0; // the output whose slices are drawn

const short = (x) => {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "not defined" : x > 0 ? "∞" : "−∞";
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? x.toExponential(4) : String(+x.toPrecision(5));
  return text.replaceAll("-", "−");
};
const withUnit = (name) => (settings.units[name] ? `${name} [${settings.units[name]}]` : name);
const results = () => {
  if (order === 0) return { y: value(point) };
  if (order === 1) return valueJacobian(point);
  return valueJacobianHessian(point);
};

// --- sliders -----------------------------------------------------------------------------------

const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
};
const place = document.getElementById("sliders");
let asked = false;
const later = () => {
  if (!asked) requestAnimationFrame(() => { asked = false; drawSlices(); });
  asked = true;
};
const moved = (i, x) => {
  point[i] = x;
  tell();
  later();
};
inputs.forEach((name, i) => {
  const range = element("input", {
    type: "range", id: `slider-${i}`, min: low[i], max: high[i], step: "any", value: point[i],
  });
  const exact = element("input", {
    type: "number", step: "any", value: point[i], "aria-label": `${name}, as a number`,
  });
  const label = element("label", { for: range.id }, withUnit(name));
  range.addEventListener("input", () => { exact.value = range.value; moved(i, Number(range.value)); });
  exact.addEventListener("input", () => {
    if (exact.value === "" || !Number.isFinite(Number(exact.value))) return;
    range.value = exact.value;
    moved(i, Number(exact.value));
  });
  place.append(element("div", { class: "slider" }, label, range, exact));
});
const start = element("button", { type: "button" }, "Back to the start");
start.addEventListener("click", () => {
  point.set(settings.at);
  place.querySelectorAll(".slider").forEach((row, i) => {
    for (const field of row.querySelectorAll("input")) field.value = point[i];
  });
  tell();
  later();
});
const buttons = element("div", {}, start);
if (outputs.length > 1) {
  const choice = element("select", { id: "shown" }, ...outputs.map((name, p) =>
    element("option", { value: p }, name)));
  choice.addEventListener("change", () => { shown = Number(choice.value); drawSlices(); });
  buttons.append(element("label", { for: "shown" }, "Slices of "), choice);
}
place.append(buttons);
place.hidden = false;
for (const id of ["told", "key"]) document.getElementById(id).hidden = false;

// --- numbers -----------------------------------------------------------------------------------

const cells = [...document.querySelectorAll("#results tbody tr")].map((row) =>
  [...row.querySelectorAll("td")]);
function tell() {
  const { y, J, H } = named(results());
  const entries = [];
  outputs.forEach((_, p) => entries.push([y[p], ...(J ? J.slice(p * n, (p + 1) * n) : [])]));
  if (H) {
    for (let p = 0; p < outputs.length; p++) {
      for (let i = 0; i < n; i++) entries.push([...H.slice((p * n + i) * n, (p * n + i + 1) * n)]);
    }
  }
  entries.forEach((numbers, r) => numbers.forEach((x, c) => {
    const cell = cells[r]?.[c];
    if (!cell) return;
    cell.textContent = short(x);
    cell.dataset.value = String(x);
    cell.title = String(x);
  }));
}
function named(found) {
  const [y, J, H] = Object.values(found);
  return { y, J, H };
}

// --- slices ------------------------------------------------------------------------------------

const SPACE = "http://www.w3.org/2000/svg";
const drawn = (tag, attributes, text) => {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
};
const W = 300, H0 = 200, LEFT = 58, RIGHT = 12, TOP = 26, BOTTOM = 40;

function slice(i) {
  const x = Float64Array.from(point);
  const [from, to] = [Math.min(low[i], point[i]), Math.max(high[i], point[i])];
  const found = [];
  for (let k = 0; k < SAMPLES; k++) {
    x[i] = from + (to - from) * k / (SAMPLES - 1);
    found.push([x[i], value(x)[shown]]);
  }
  return { i, from, to, points: found };
}

function drawSlices() {
  const where = document.getElementById("slices");
  const slices = inputs.map((_, i) => slice(i)).filter(({ from, to }) => from < to);
  const heights = slices.flatMap((s) => s.points.map(([, y]) => y)).filter(Number.isFinite);
  let [bottom, top] = [Math.min(...heights), Math.max(...heights)];
  const room = 0.06 * (top - bottom) || Math.abs(top) * 0.1 || 1;
  [bottom, top] = [bottom - room, top + room];
  const { y, J, H } = named(results());
  where.replaceChildren(...slices.map(({ i, from, to, points }) => {
    const across = (x) => LEFT + (W - LEFT - RIGHT) * (x - from) / (to - from);
    const up = (v) => H0 - BOTTOM - (H0 - TOP - BOTTOM) * (v - bottom) / (top - bottom);
    const path = (f) => {
      let pen = "M";
      let text = "";
      for (const [x, v] of f) {
        if (!Number.isFinite(v)) { pen = "M"; continue; }
        text += `${pen}${across(x).toFixed(1)} ${up(v).toFixed(1)}`;
        pen = "L";
      }
      return text;
    };
    const y0 = y[shown], slope = J?.[shown * n + i], bend = H?.[(shown * n + i) * n + i];
    const says = `${outputs[shown]} along ${inputs[i]}, from ${short(from)} to ${short(to)}` +
      (J ? `; slope ${short(slope)} at ${short(point[i])}` : "");
    const svg = drawn("svg", { viewBox: `0 0 ${W} ${H0}`, role: "img", "aria-label": says });
    const clip = `clip-${i}`;
    const box = { x: LEFT, y: TOP, width: W - LEFT - RIGHT, height: H0 - TOP - BOTTOM };
    const mask = drawn("clipPath", { id: clip });
    mask.append(drawn("rect", box));
    const inside = drawn("g", { "clip-path": `url(#${clip})` });
    if (H) {
      inside.append(drawn("path", { class: "bend", d: path(points.map(([x]) => {
        const d = x - point[i];
        return [x, y0 + slope * d + bend * d * d / 2];
      })) }));
    }
    if (J) {
      inside.append(drawn("path", { class: "tangent", d: path([from, to].map((x) =>
        [x, y0 + slope * (x - point[i])])) }));
    }
    inside.append(drawn("path", { class: "curve", d: path(points) }));
    if (Number.isFinite(y0)) {
      inside.append(drawn("circle", { class: "here", cx: across(point[i]), cy: up(y0), r: 4 }));
    }
    const base = H0 - BOTTOM;
    svg.append(mask, drawn("path", { class: "frame", d: `M${LEFT} ${TOP}V${base}H${W - RIGHT}` }), inside,
      drawn("text", { x: LEFT, y: base + 14 }, short(+from.toPrecision(3))),
      drawn("text", { x: W - RIGHT, y: base + 14, "text-anchor": "end" }, short(+to.toPrecision(3))),
      drawn("text", { x: (LEFT + W - RIGHT) / 2, y: base + 30, "text-anchor": "middle" }, settings.beside[inputs[i]]),
      drawn("text", { x: LEFT - 6, y: TOP + 9, "text-anchor": "end" }, short(+top.toPrecision(3))),
      drawn("text", { x: LEFT - 6, y: base, "text-anchor": "end" }, short(+bottom.toPrecision(3))),
      drawn("text", { x: LEFT, y: TOP - 10 }, settings.beside[outputs[shown]]));
    return svg;
  }));
}

// --- the module's own test ---------------------------------------------------------------------

const worst = selfTest();
const test = document.getElementById("self-test");
test.className = worst <= 1 ? "ok" : "wrong";
test.textContent = worst <= 1
  ? `Self-test passed in this browser: at ${POINTS.length} known points the largest error is ` +
    `${worst.toPrecision(2)} of what is put down to rounding.`
  : `Self-test FAILED in this browser: an error of ${worst.toPrecision(2)} times what is allowed. ` +
    "Do not trust the numbers below.";
tell();
drawSlices();
}
