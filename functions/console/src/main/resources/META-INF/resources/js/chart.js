// Rows a second and changes waiting over the time that a page is open.
import uPlot from '/webjars/uplot/1.6.30/dist/uPlot.esm.js';

const POINTS = 600;

/** Draws into the root what `add` is given; `end` takes it away. */
export class Chart {
  #plot;
  #data = [[], [], []];
  #resized;

  constructor(root) {
    // A canvas knows no variables of a style sheet.
    const probe = document.createElement('i');
    root.append(probe);
    const colour = (name) => {
      probe.style.color = `var(${name})`;
      return getComputedStyle(probe).color;
    };
    const axis = {stroke: colour('--text-soft'), grid: {stroke: colour('--line')}, ticks: {stroke: colour('--line')}};
    this.#plot = new uPlot({
      width: root.clientWidth || 600,
      height: 180,
      legend: {live: false},
      scales: {x: {range: (u, first, last) => [Math.min(first, last - 60), last]},
        queue: {range: (u, low, high) => [0, Math.max(10, high)]}, y: {range: (u, low, high) => [0, Math.max(10, high)]}},
      axes: [axis, {...axis, size: 70}, {...axis, scale: 'queue', side: 1, size: 70, grid: {show: false}}],
      series: [{}, {label: 'Rows/s', stroke: colour('--accent'), width: 2},
        {label: 'Changes waiting', scale: 'queue', stroke: colour('--warn'), width: 2, dash: [6, 4]}],
    }, this.#data, root);
    probe.remove();
    this.#resized = new ResizeObserver(() => this.#plot.setSize({width: root.clientWidth, height: 180}));
    this.#resized.observe(root);
  }

  add(at, rows, waiting) {
    this.#data[0].push(at / 1000);
    this.#data[1].push(rows ?? 0);
    this.#data[2].push(waiting ?? 0);
    if (this.#data[0].length > POINTS) {
      this.#data.forEach((series) => series.shift());
    }
    this.#plot.setData(this.#data);
  }

  end() {
    this.#resized.disconnect();
    this.#plot.destroy();
  }
}
