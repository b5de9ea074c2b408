/** The chart: for each benchmark that has one a panel, with a group of bars for each table and a bar for each subject. */
import { createRequire } from 'node:module';

/** @typedef {import('./report.js').Result} Result */

const WIDTH = 900;
const PANEL = 210;
/** Towline's own bars in one hue, its peers' in others; all of them apart also for eyes that take red for green. */
const OWN = ['#1b6ca8', '#6fb1de'];
const PEERS = ['#e08e0b', '#8a8a8a', '#b35ca0', '#4c9f70', '#c9c9c9'];

/** Undefined where the library is not installed: `make bench` does. @param {Result[]} results */
export async function drawChart(results) {
  const require = createRequire(new URL('../../build/bench/', import.meta.url));
  let echarts;
  try {
    echarts = require('echarts');
  } catch {
    return undefined;
  }
  const panels = results.flatMap((result) =>
    (result.charts ?? []).map((chart) => panel(result.sections, chart)),
  );
  if (panels.length === 0) return undefined;
  const chart = echarts.init(null, null, {
    renderer: 'svg',
    ssr: true,
    width: WIDTH,
    height: panels.length * PANEL,
  });
  chart.setOption(option(panels));
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

/**
 * A figure beside the base's, which is 1 in every group.
 * @param {import('./compare.js').Section[]} sections
 * @param {{figure: string, title: string, base: string}} chart
 */
function panel(sections, { figure, title, base }) {
  const groups = sections.filter(({ subjects }) => subjects[base]?.[figure] !== undefined);
  const names = [...new Set(groups.flatMap(({ subjects }) => Object.keys(subjects)))];
  return {
    title,
    groups: groups.map((section) => section.title),
    subjects: names.map((name) => ({
      name,
      values: groups.map(({ subjects }) => {
        const value = subjects[name]?.[figure];
        return value === undefined ? null : value / subjects[base][figure];
      }),
    })),
  };
}

/** @param {ReturnType<typeof panel>[]} panels */
function option(panels) {
  const names = [...new Set(panels.flatMap(({ subjects }) => subjects.map(({ name }) => name)))];
  const own = names.filter((name) => name.startsWith('Towline'));
  const peers = names.filter((name) => !name.startsWith('Towline'));
  const color = (/** @type {string} */ name) =>
    own.includes(name)
      ? OWN[own.indexOf(name) % OWN.length]
      : PEERS[peers.indexOf(name) % PEERS.length];
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: 'sans-serif' },
    title: panels.map(({ title }, i) => ({
      text: title,
      left: 12,
      top: i * PANEL + 8,
      textStyle: { fontSize: 14, fontWeight: 'bold' },
    })),
    legend: panels.map(({ subjects }, i) => ({
      data: subjects.map(({ name }) => name),
      left: 8,
      top: i * PANEL + 30,
      itemWidth: 12,
      itemHeight: 12,
      itemGap: 22,
    })),
    grid: panels.map((_, i) => ({
      left: 50,
      right: 16,
      top: i * PANEL + 66,
      height: PANEL - 66 - 34,
    })),
    xAxis: panels.map(({ groups }, i) => ({
      type: 'category',
      data: groups,
      gridIndex: i,
      axisLabel: { interval: 0, width: 120, overflow: 'break' },
    })),
    yAxis: panels.map((_, i) => ({ type: 'value', gridIndex: i, splitNumber: 3 })),
    series: panels.flatMap(({ subjects }, i) =>
      subjects.map(({ name, values }) => ({
        type: 'bar',
        name,
        data: values,
        xAxisIndex: i,
        yAxisIndex: i,
        itemStyle: { color: color(name) },
        barMaxWidth: 40,
        label: {
          show: true,
          position: 'top',
          fontSize: 10,
          formatter: (/** @type {{value: number}} */ { value }) => Number(value.toPrecision(2)),
        },
      })),
    ),
  };
}
