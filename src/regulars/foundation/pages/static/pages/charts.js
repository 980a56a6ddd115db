// Draws what charts.py describes: previous period in grey, direct labels, reachable by keyboard, no motion where none is wanted.
"use strict";
window.regularsChart = (box) => {
  const spec = JSON.parse(document.getElementById(box.dataset.chart).textContent);
  const says = document.querySelector(`[data-chart-says="${box.dataset.chart}"]`);
  const probe = document.createElement("span");
  box.append(probe);
  const token = (name) => { probe.style.color = `var(--${name})`; return getComputedStyle(probe).color; };
  const colours = () => ({ accent: token("accent"), ink: token("ink"), ink2: token("ink-2"), grey: token("line-strong"), line: token("line"), paper: token("paper"), amber: token("amber") });
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const flat = spec.kind === "bar-horizontal";
  const isMoney = spec.unit.length === 3 && spec.unit === spec.unit.toUpperCase();
  const language = document.documentElement.lang || "en-GB";
  const places = isMoney ? new Intl.NumberFormat(language, { style: "currency", currency: spec.unit }).resolvedOptions().maximumFractionDigits : 0;
  const short = spec.unit === "percent" ? new Intl.NumberFormat(language, { style: "percent" })
    : new Intl.NumberFormat(language, { notation: "compact", maximumFractionDigits: 1, ...(isMoney ? { style: "currency", currency: spec.unit } : {}) });
  const major = (value) => (value === null ? null : isMoney ? value / 10 ** places : value);

  const mount = document.createElement("div");
  mount.style.cssText = "inline-size:100%;block-size:100%";
  box.append(mount);
  const family = getComputedStyle(document.body).fontFamily;
  const chart = echarts.init(mount, null, { renderer: "svg" });
  const escape = (text) => { probe.textContent = text; const safe = probe.innerHTML; probe.textContent = ""; return safe; };

  const tooltip = (points) => {
    const index = points[0].dataIndex;
    const lines = spec.series.map((series, n) => `<div style="display:flex;gap:16px;justify-content:space-between"><span>${escape(series.name)}</span><b style="font-variant-numeric:tabular-nums">${escape(series.texts[index])}</b></div>`);
    return `<div style="font-weight:600;margin-bottom:2px">${escape(spec.labels[index])}</div>${lines.join("")}`;
  };
  const draw = () => {
    const c = colours();
    const palette = [c.accent, c.amber, c.ink2];
    const category = { type: "category", data: spec.labels, boundaryGap: spec.kind !== "line", axisTick: { show: false }, axisLine: { lineStyle: { color: c.line } },
      axisLabel: { color: c.ink2, hideOverlap: true, ...(flat ? {} : { interval: Math.ceil(spec.labels.length / 7) - 1 }), fontFamily: family, ...(flat ? {} : { alignMinLabel: spec.kind === "line" ? "left" : null, alignMaxLabel: spec.kind === "line" ? "right" : null }) }, inverse: flat };
    const value = { type: "value", splitNumber: 4, minInterval: spec.unit === "count" ? 1 : 0, splitLine: { lineStyle: { color: c.line } },
      axisLabel: { color: c.ink2, fontFamily: family, formatter: (number) => short.format(number) } };
    let nth = 0;
    const lasts = spec.series.map((one) => one.values.at(-1));
    const spread = Math.max(...spec.series.flatMap((one) => one.values.map((number) => Math.abs(number ?? 0)))) || 1;
    // Labels at the ends of lines that meet stand below each other instead of on each other.
    const plot = Math.max(40, box.clientHeight - 40);
    const nudge = spec.series.map(() => 0);
    const places = lasts.map((number, n) => ({ n, own: (1 - (number ?? 0) / spread) * plot })).sort((one, other) => one.own - other.own);
    let lowest = plot + 15;
    for (const place of places.toReversed()) { place.at = Math.min(place.own, lowest - 15); lowest = place.at; }
    let highest = -15;
    for (const place of places) { place.at = Math.max(place.at, highest + 15); highest = place.at; nudge[place.n] = place.at - place.own; }
    const series = spec.series.map((one, n) => {
      const colour = one.before ? c.grey : palette[nth++ % palette.length];
      return { type: spec.kind === "line" ? "line" : "bar", name: one.name, data: one.values.map(major), connectNulls: true, color: colour, z: one.before ? 1 : 3,
        symbol: "circle", symbolSize: 6, showSymbol: spec.labels.length <= 2, lineStyle: { width: one.before ? 1.5 : 2, type: one.before ? [4, 4] : "solid" },
        itemStyle: { borderRadius: flat ? [0, 4, 4, 0] : [4, 4, 0, 0] }, barMaxWidth: 36, cursor: one.hrefs.length ? "pointer" : "default",
        endLabel: { show: spec.kind === "line" && spec.series.length > 1 && lasts[n] !== null, formatter: "{a}", offset: [0, nudge[n]], color: one.before ? c.ink2 : colour, fontFamily: family, fontSize: 12, distance: 6 },
        markLine: spec.marks.length && !one.before ? { symbol: "none", lineStyle: { color: c.ink2, type: "dotted" }, label: { color: c.ink2, formatter: "{b}" }, data: spec.marks.map((mark) => ({ name: mark.text, xAxis: mark.label })) } : undefined };
    });
    const endRoom = spec.kind === "line" && spec.series.length > 1 ? 12 + 7 * Math.max(...spec.series.map((one) => one.name.length)) : 12;
    chart.setOption({ animation: !still && spec.series.every((one) => !one.values.includes(null)), animationDuration: 300, textStyle: { fontFamily: family },
      grid: { top: 12, right: endRoom, bottom: 4, left: 2, containLabel: true },
      tooltip: { trigger: "axis", confine: true, backgroundColor: c.paper, borderColor: c.line, textStyle: { color: c.ink, fontSize: 13 }, formatter: tooltip, axisPointer: { type: spec.kind === "line" ? "line" : "shadow", lineStyle: { color: c.grey }, shadowStyle: { color: c.line, opacity: 0.4 } } },
      xAxis: flat ? value : category, yAxis: flat ? category : value, series }, true);
  };
  draw();

  let at = -1;
  const show = (index) => {
    at = Math.max(0, Math.min(spec.labels.length - 1, index));
    chart.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: at });
    says.textContent = `${spec.labels[at]}: ${spec.series.map((one) => `${one.name} ${one.texts[at]}`).join(", ")}`;
  };
  box.addEventListener("keydown", (event) => {
    const to = { ArrowRight: at + 1, ArrowLeft: at < 0 ? spec.labels.length - 1 : at - 1, ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: spec.labels.length - 1 }[event.key];
    if (to !== undefined) { show(to); event.preventDefault(); event.stopPropagation(); }
    const href = at >= 0 && spec.series.find((one) => one.hrefs[at])?.hrefs[at];
    if (event.key === "Enter" && href) location.href = href;
  });
  box.addEventListener("blur", () => { at = -1; chart.dispatchAction({ type: "hideTip" }); });
  chart.on("click", (point) => { const href = spec.series[point.seriesIndex]?.hrefs[point.dataIndex]; if (href) location.href = href; });
  new ResizeObserver(() => chart.resize()).observe(box);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
};
