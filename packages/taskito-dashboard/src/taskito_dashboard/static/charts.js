// Draws what /api/rollups says: lines in steps, failures as bars, marks; the open bucket dashed.

const EVERY_MS = 10_000;
const WHOLE = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 1e5, 1e6];
const drawn = new WeakMap();
const colour = (element) => getComputedStyle(element).color;

async function draw(section, isOld, asked) {
  const { plot, at = 0 } = drawn.get(section) ?? {};
  if (!isOld && Date.now() - at < EVERY_MS) return;
  drawn.set(section, { plot, at: Date.now() });
  const url = section.dataset.chart;
  asked[url] ??= fetch(url).then((it) => it.ok && it.json());
  const data = await asked[url];
  if (!data) return;
  plot?.destroy();
  drawn.set(section, { plot: make(section, data), at: Date.now() });
}

function make(section, data) {
  const place = section.querySelector(".plot");
  const keys = [...section.querySelectorAll("[data-series]")];
  const isCount = keys[0].dataset.series === "done";
  const quiet = colour(section.querySelector(".third"));
  const axis = { stroke: quiet, font: "11px system-ui", ticks: { show: false } };
  const zone = section.closest("main").dataset.zone;
  const bucket = ({ cursor, posToVal }) => {
    const at = Math.floor((posToVal(cursor.left, "x") * 1000 - data.from) / data.step);
    return cursor.left < 0 ? -1 : at;
  };
  place.replaceChildren();
  return new uPlot({
    width: place.clientWidth,
    height: 150,
    padding: [10, 20, 0, 0],
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    legend: { show: false },
    cursor: { drag: { setScale: false }, points: { show: false }, y: false },
    scales: {
      x: { range: [data.from / 1000, data.to / 1000] },
      y: { range: (_, low, high) => [0, (high || 1) * 1.1] },
    },
    axes: [
      { ...axis, values: data.step > 3_600_000 ? "{MMM} {D}" : "{HH}:{mm}", grid: { show: false }, space: 70, size: 26 },
      { ...axis, grid: { stroke: quiet, width: 0.15 }, size: 46, ...(isCount && { incrs: WHOLE }) },
    ],
    series: [{}, ...keys.map((key) => ({
      stroke: colour(key),
      fill: colour(key),
      width: 1.5,
      points: { show: false },
      paths: (plot, series) => paths(plot, series, data, key.dataset.series === "failed"),
    }))],
    hooks: {
      draw: [(plot) => {
        keys.forEach((key, at) => dash(plot, at + 1, data, colour(key)));
        plot.ctx.fillStyle = quiet;
        for (const { at } of data.marks) plot.ctx.fillRect(plot.valToPos(at / 1000, "x", true), 0, 2, plot.valToPos(0, "y", true));
      }],
      setCursor: [(plot) => keys.forEach((key, at) => {
        key.lastElementChild.textContent = plot.data[at + 1][bucket(plot)]?.toLocaleString("en") ?? "";
      })],
      setSelect: [({ select, posToVal }) => {
        const ends = [0, select.width].map((x) => posToVal(select.left + x, "x") * 1000);
        if (select.width > 8) go(location, { t: ends.map(Math.round).join("-") });
      }],
      ready: [(plot) => plot.over.addEventListener("click", () => {
        const from = data.at[bucket(plot)];
        if (from) go(section.dataset.jobs, { created_after: from, created_before: from + data.step });
      })],
    },
  }, [
    data.at.map((ms) => ms / 1000),
    ...keys.map((key) => data[key.dataset.series].map((v) => (v === null || isCount ? v : v / 1000))),
  ], place);
}

function paths(plot, series, data, isBars, isOpen = false) {
  const path = new Path2D();
  const across = (seconds) => plot.valToPos(seconds, "x", true);
  const up = (value) => plot.valToPos(value, "y", true);
  let before = null;
  plot.data[series].forEach((value, at) => {
    if (value === null || (at === data.open) !== isOpen) return;
    const [x, y] = [across(plot.data[0][at]), up(value)];
    const right = across(plot.data[0][at] + data.step / 1000);
    if (isBars) path.rect(x, y, right - x, up(0) - y);
    else {
      path[before === at - 1 ? "lineTo" : "moveTo"](x, y);
      path.lineTo(right, y);
      before = at;
    }
  });
  return isBars ? { fill: path } : { stroke: path };
}

function dash({ ctx, ...plot }, series, data, stroke) {
  ctx.save();
  ctx.setLineDash([4, 3]);
  ctx.strokeStyle = stroke;
  ctx.stroke(paths(plot, series, data, false, true).stroke);
  ctx.restore();
}

function go(address, query) {
  const target = new URL(address, location);
  for (const [name, value] of Object.entries(query)) target.searchParams.set(name, value);
  location.assign(target);
}

function drawAll(isOld) {
  const asked = {};
  for (const section of document.querySelectorAll("[data-chart]")) draw(section, isOld, asked);
}

document.addEventListener("htmx:after:swap", () => drawAll(false));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
addEventListener("resize", drawAll);
drawAll(true);
