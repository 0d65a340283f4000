// Draws charts from the JSON beside them, in the colours of the theme. Each chart stands above a table with the same
// numbers. Shapes of the JSON, by data-chart:
//   grouped    {categories, series: [{name, values (cents), labels}]}: bars side by side
//   stacked    {categories, pieces: [{name, of, value, note}]}: a bar a category, pieces of one name in one colour
//   columns    {categories, series: [{name, values}], line: {name, values} or null, links, chosen}: upright, over time;
//              a click on a column follows its link
//   burndown   {points: [{at, used, expected, low, high}], limit, stop}: use over time, then what is likely; `at` in
//              milliseconds, `stop` where the org's floor ends it; limit and stop may be null
//   readings   {points: [{at, all, own}], limit, stop}: what the org counted of all its users, and ours in the same
//              24 hours; limit and stop as above

const COLOURS = {
  light: ["#0b6e8f", "#c9822b", "#6f5aa8", "#3b8f63", "#b4525c", "#5b7083", "#8c7a2e", "#3f6fb5"],
  dark: ["#5cc3e4", "#e5a95c", "#a998e0", "#6fc797", "#e08d95", "#9db1c2", "#c9b662", "#86aeea"],
};
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const WHOLE = new Intl.NumberFormat("en-US");
const BAR_PIXELS = 18;
const UPRIGHT_PIXELS = { wide: 300, narrow: 260 };

const LINE = "path://M0,0H22V3H0Z"; // as the legend shows a line
const DASHES = "path://M0,0H6V3H0ZM8,0H14V3H8ZM16,0H22V3H16Z";

const styles = () => {
  const style = getComputedStyle(document.documentElement);
  const dark = document.documentElement.dataset.bsTheme === "dark";
  return {
    colours: COLOURS[dark ? "dark" : "light"],
    text: style.getPropertyValue("--tblr-body-color").trim(),
    quiet: style.getPropertyValue("--quiet").trim(),
    line: style.getPropertyValue("--tblr-border-color").trim(),
    bad: style.getPropertyValue("--bad").trim(),
    caution: style.getPropertyValue("--caution").trim(),
    surface: dark ? "#192127" : "#ffffff",
  };
};

const frame = (look) => ({
  animation: false,
  useUTC: true,
  textStyle: { fontFamily: "Inter, system-ui, sans-serif", color: look.text },
});

const legend = (look, names) => ({
  show: names.length > 1,
  data: names,
  bottom: 0,
  itemGap: 18,
  icon: "roundRect",
  itemWidth: 12,
  itemHeight: 12,
  textStyle: { color: look.text },
});

const tooltip = (look) => ({
  renderMode: "richText",
  confine: true,
  backgroundColor: look.surface,
  borderColor: look.line,
  textStyle: { color: look.text },
});

const namesOf = (series) => [...new Set(series.map((one) => one.name))];

const coloured = (series, colours) => {
  const names = namesOf(series);
  return series.map((one) => ({ ...one, itemStyle: { color: colours[names.indexOf(one.name) % colours.length] } }));
};

// Lying bars: a row a category.

const grouped = (data) => ({
  axis: (value) => COMPACT.format(value / 100),
  barsPerCategory: data.series.length,
  series: data.series.map((one) => ({
    type: "bar",
    name: one.name,
    barMaxWidth: BAR_PIXELS,
    data: one.values.map((value, place) => ({ value, shown: one.labels[place] })),
  })),
});

const stacked = (data) => ({
  axis: (value) => COMPACT.format(value),
  barsPerCategory: 1.6,
  series: data.pieces.map((piece) => ({
    type: "bar",
    name: piece.name,
    stack: "all",
    barMaxWidth: BAR_PIXELS * 1.5,
    data: data.categories.map((category) =>
      category === piece.of
        ? { value: piece.value, shown: WHOLE.format(piece.value), note: piece.note }
        : { value: 0, shown: "" },
    ),
  })),
});

const lying = (shape, data, narrow, look) => {
  const names = namesOf(shape.series);
  return {
    height: Math.max(120, data.categories.length * (shape.barsPerCategory * BAR_PIXELS + 18)) + (names.length > 1 ? 90 : 50),
    chart: {
      ...frame(look),
      legend: legend(look, names),
      grid: { left: 8, right: narrow ? 16 : 32, top: 8, bottom: names.length > 1 ? 56 : 16, containLabel: true },
      tooltip: {
        ...tooltip(look),
        trigger: "item",
        formatter: (hit) => `${hit.name}\n${hit.seriesName}${hit.data.note ? `, ${hit.data.note}` : ""}: ${hit.data.shown}`,
      },
      xAxis: { type: "value", minInterval: 1, axisLabel: { color: look.quiet, formatter: shape.axis }, splitNumber: narrow ? 3 : 6, splitLine: { lineStyle: { color: look.line } } },
      yAxis: {
        type: "category",
        inverse: true,
        data: data.categories,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: look.line } },
        axisLabel: { color: look.text, width: narrow ? 110 : 200, overflow: "truncate" },
      },
      series: coloured(shape.series, look.colours),
    },
  };
};

// Upright: time runs to the right.

const upright = (look, names) => ({
  ...frame(look),
  legend: legend(look, names),
  grid: { left: 8, right: 24, top: 24, bottom: names.length > 1 ? 44 : 8, containLabel: true },
});

const callsAxis = (look) => ({
  type: "value",
  minInterval: 1,
  axisLabel: { color: look.quiet, formatter: (value) => COMPACT.format(value) },
  splitNumber: 4,
  splitLine: { lineStyle: { color: look.line } },
});

const columns = (data, narrow, look) => {
  const bars = data.series.map((one) => ({
    type: "bar",
    name: one.name,
    stack: "all",
    barMaxWidth: BAR_PIXELS * 1.5,
    barCategoryGap: "20%",
    cursor: data.links ? "pointer" : "default",
    data: one.values.map((value, place) => ({
      value,
      itemStyle: { opacity: data.chosen === null || data.chosen === place ? 1 : 0.45 },
    })),
  }));
  const line = data.line && {
    type: "line",
    name: data.line.name,
    step: "middle",
    symbol: "none",
    silent: true,
    lineStyle: { color: look.bad, width: 1.5 },
    itemStyle: { color: look.bad },
    data: data.line.values,
  };
  const names = namesOf(line ? [...bars, line] : bars);
  return {
    height: narrow ? UPRIGHT_PIXELS.narrow : UPRIGHT_PIXELS.wide,
    links: data.links,
    chart: {
      ...upright(look, names),
      tooltip: {
        ...tooltip(look),
        trigger: "axis",
        axisPointer: { type: "shadow" },
        formatter: (hits) =>
          [hits[0].name, ...hits.filter((hit) => hit.value).map((hit) => `${hit.seriesName}: ${WHOLE.format(hit.value)}`)].join("\n"),
      },
      xAxis: {
        type: "category",
        data: data.categories,
        axisTick: { show: false },
        axisLine: { lineStyle: { color: look.line } },
        axisLabel: { color: look.quiet, hideOverlap: true },
      },
      yAxis: callsAxis(look),
      series: line ? [...coloured(bars, look.colours), line] : coloured(bars, look.colours),
    },
  };
};

// With marks, the axis must reach beyond them; its end is then no round number, and has no label.
const upTo = (top, marks, look) => {
  const axis = { ...callsAxis(look), min: 0 };
  return marks.length ? { ...axis, max: top, axisLabel: { ...axis.axisLabel, showMaxLabel: false } } : axis;
};

const mark = (name, value, colour) => ({
  name,
  yAxis: value,
  lineStyle: { color: colour, width: 1.5, type: "solid" },
  label: { formatter: `${name} ${WHOLE.format(value)}`, position: "insideStartTop", color: colour, fontWeight: 600 },
});

const burndown = (data, narrow, look) => {
  const [accent] = look.colours;
  const course = (name, key, style) => ({
    type: "line",
    symbol: "none",
    name,
    data: data.points.filter((point) => point[key] !== null).map((point) => [point.at, point[key]]),
    itemStyle: { color: accent },
    ...style,
  });
  const band = data.points.filter((point) => point.high !== null);
  const edge = { silent: true, lineStyle: { color: accent, width: 1, type: "dotted", opacity: 0.7 } };
  const marks = [];
  if (data.limit !== null) marks.push(mark("Limit", data.limit, look.bad));
  if (data.stop !== null) marks.push(mark("Floor of the org", data.stop, look.caution));
  const base = upright(look, ["Used", "Expected", "Likely range"]);
  const items = [
    { name: "Used", icon: LINE },
    { name: "Expected", icon: DASHES },
    { name: "Likely range", icon: "roundRect", itemStyle: { opacity: 0.3 } },
  ];
  const highest = Math.max(...data.points.map((point) => point.high ?? point.used), data.limit ?? 0, data.stop ?? 0);
  return {
    height: narrow ? UPRIGHT_PIXELS.narrow : UPRIGHT_PIXELS.wide + 20,
    chart: {
      ...base,
      legend: { ...base.legend, itemWidth: 22, data: items },
      tooltip: { ...tooltip(look), trigger: "axis", formatter: (hits) => said(data.points, hits[0].axisValue) },
      xAxis: {
        type: "time",
        min: data.points[0].at,
        max: data.points.at(-1).at,
        axisLine: { lineStyle: { color: look.line } },
        axisTick: { show: false },
        splitNumber: narrow ? 4 : 8,
        axisLabel: { color: look.quiet, hideOverlap: true, formatter: { day: "{HH}:{mm}", hour: "{HH}:{mm}" } },
      },
      yAxis: upTo(highest * 1.08, marks, look),
      series: [
        course("Used", "used", {
          lineStyle: { color: accent, width: 2.5 },
          areaStyle: { color: accent, opacity: 0.16 },
          markLine: { symbol: "none", silent: true, data: marks },
          z: 5,
        }),
        course("Expected", "expected", { lineStyle: { color: accent, width: 2, type: "dashed" }, z: 4 }),
        course("Likely range", "low", { stack: "range", stackStrategy: "all", ...edge }),
        {
          ...course("Likely range", "high", { stack: "range", stackStrategy: "all", ...edge }),
          data: band.map((point) => [point.at, point.high - point.low]),
          areaStyle: { color: accent, opacity: 0.12 },
        },
      ],
    },
  };
};

const readings = (data, narrow, look) => {
  const lines = [
    ["All users of the org", "all", look.colours[1]],
    ["Headwater", "own", look.colours[0]],
  ];
  const marks = [];
  if (data.limit !== null) marks.push(mark("Allowance", data.limit, look.bad));
  if (data.stop !== null) marks.push(mark("Floor", data.stop, look.caution));
  const highest = Math.max(...data.points.map((point) => point.all), data.limit ?? 0);
  return {
    height: narrow ? UPRIGHT_PIXELS.narrow : UPRIGHT_PIXELS.wide,
    chart: {
      ...upright(look, lines.map(([name]) => name)),
      tooltip: {
        ...tooltip(look),
        trigger: "axis",
        formatter: (hits) =>
          [`${new Date(hits[0].axisValue).toISOString().slice(5, 16).replace("T", ", ")} UTC`, ...hits.map((hit) => `${hit.seriesName}: ${WHOLE.format(hit.value[1])}`)].join("\n"),
      },
      xAxis: {
        type: "time",
        axisLine: { lineStyle: { color: look.line } },
        axisTick: { show: false },
        splitNumber: narrow ? 3 : 7,
        axisLabel: { color: look.quiet, hideOverlap: true, formatter: { day: "{MMM} {d}", hour: "{HH}:{mm}" } },
      },
      yAxis: upTo(highest * 1.08, marks, look),
      series: lines.map(([name, key, colour], place) => ({
        type: "line",
        name,
        symbolSize: narrow ? 0 : 5,
        data: data.points.map((point) => [point.at, point[key]]),
        lineStyle: { color: colour, width: 2 },
        itemStyle: { color: colour },
        ...(place ? { areaStyle: { color: colour, opacity: 0.14 } } : { markLine: { symbol: "none", silent: true, data: marks } }),
      })),
    },
  };
};

const said = (points, at) => {
  const point = points.find((one) => one.at === at);
  const time = `${new Date(at).toISOString().slice(11, 16)} UTC`;
  if (!point) return time;
  if (point.used !== null) return `${time}\nUsed: ${WHOLE.format(point.used)}`;
  return `${time}\nExpected: ${WHOLE.format(point.expected)}\nLikely: ${WHOLE.format(point.low)} to ${WHOLE.format(point.high)}`;
};

const KINDS = {
  grouped: (data, narrow, look) => lying(grouped(data), data, narrow, look),
  stacked: (data, narrow, look) => lying(stacked(data), data, narrow, look),
  columns,
  burndown,
  readings,
};

// Anywhere in a column, as a bar may be too low to hit.
const follow = (chart, links) => {
  const canvas = chart.getZr();
  canvas.off("click");
  canvas.on("click", (event) => {
    const at = [event.offsetX, event.offsetY];
    if (!chart.containPixel("grid", at)) return;
    const [column] = chart.convertFromPixel({ seriesIndex: 0 }, at);
    if (links[column]) location.assign(links[column]);
  });
};

const draw = (place) => {
  const data = JSON.parse(document.getElementById(place.dataset.source).textContent);
  const made = KINDS[place.dataset.chart](data, place.clientWidth < 500, styles());
  place.style.height = `${made.height}px`;
  const chart = echarts.getInstanceByDom(place) ?? echarts.init(place, null, { renderer: "canvas" });
  chart.resize();
  chart.setOption(made.chart, true);
  if (made.links) follow(chart, made.links);
  place.dataset.drawn = "true";
};

const places = document.querySelectorAll("[data-chart]");
const drawAll = () => places.forEach(draw);
document.fonts.ready.then(drawAll);
addEventListener("resize", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
