// Draws charts from the JSON beside them, in the colours of the theme. Each chart stands above a table with the same
// numbers. "grouped": {categories, series: [{name, values (cents), labels}]}; "stacked": {categories, pieces: [{name,
// of, value, note}]}, pieces of one name in one colour.

const COLOURS = {
  light: ["#0b6e8f", "#c9822b", "#6f5aa8", "#3b8f63", "#b4525c", "#5b7083", "#8c7a2e", "#3f6fb5"],
  dark: ["#5cc3e4", "#e5a95c", "#a998e0", "#6fc797", "#e08d95", "#9db1c2", "#c9b662", "#86aeea"],
};
const COMPACT = new Intl.NumberFormat("en-US", { notation: "compact", maximumFractionDigits: 1 });
const BAR_PIXELS = 18;

const styles = () => {
  const style = getComputedStyle(document.documentElement);
  const dark = document.documentElement.dataset.bsTheme === "dark";
  return {
    colours: COLOURS[dark ? "dark" : "light"],
    text: style.getPropertyValue("--tblr-body-color"),
    quiet: style.getPropertyValue("--quiet"),
    line: style.getPropertyValue("--tblr-border-color"),
    surface: dark ? "#192127" : "#ffffff",
  };
};

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
        ? { value: piece.value, shown: piece.value.toLocaleString("en-US"), note: piece.note }
        : { value: 0, shown: "" },
    ),
  })),
});

const coloured = (series, colours) => {
  const names = [...new Set(series.map((one) => one.name))];
  return series.map((one) => ({ ...one, itemStyle: { color: colours[names.indexOf(one.name) % colours.length] } }));
};

const option = (kind, data, narrow) => {
  const look = styles();
  const shape = kind === "stacked" ? stacked(data) : grouped(data);
  const names = [...new Set(shape.series.map((one) => one.name))];
  return {
    height: Math.max(120, data.categories.length * (shape.barsPerCategory * BAR_PIXELS + 18)) + (names.length > 1 ? 90 : 50),
    chart: {
      animation: false,
      textStyle: { fontFamily: "Inter, system-ui, sans-serif", color: look.text },
      legend: { show: names.length > 1, data: names, bottom: 0, itemGap: 18, icon: "roundRect", itemWidth: 12, itemHeight: 12, textStyle: { color: look.text } },
      grid: { left: 8, right: narrow ? 16 : 32, top: 8, bottom: names.length > 1 ? 56 : 16, containLabel: true },
      tooltip: {
        renderMode: "richText",
        trigger: "item",
        confine: true,
        backgroundColor: look.surface,
        borderColor: look.line,
        textStyle: { color: look.text },
        formatter: (hit) => `${hit.name}\n${hit.seriesName}${hit.data.note ? `, ${hit.data.note}` : ""}: ${hit.data.shown}`,
      },
      xAxis: { type: "value", axisLabel: { color: look.quiet, formatter: shape.axis }, splitNumber: narrow ? 3 : 6, splitLine: { lineStyle: { color: look.line } } },
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

const draw = (place) => {
  const data = JSON.parse(document.getElementById(place.dataset.source).textContent);
  const made = option(place.dataset.chart, data, place.clientWidth < 500);
  place.style.height = `${made.height}px`;
  const chart = echarts.getInstanceByDom(place) ?? echarts.init(place, null, { renderer: "canvas" });
  chart.resize();
  chart.setOption(made.chart, true);
  place.dataset.drawn = "true";
};

const places = document.querySelectorAll("[data-chart]");
const drawAll = () => places.forEach(draw);
document.fonts.ready.then(drawAll);
addEventListener("resize", drawAll);
new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-bs-theme"] });
