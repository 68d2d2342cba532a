// The frame around the paint: uPlot gives scales, axes, cursor, selection and their synchronisation.
import type { Columns } from './columns'
import type { Picture } from './paint'
import uPlot from 'uplot'
import { byUnit } from '@/lib/format'
import { fullMax, robustMax, smallest } from './geometry'
import { paint } from './paint'
import { STRIPS_PX } from './paint-strips'

export type YMode = 'robust' | 'full' | 'log'

export interface PlotModel extends Picture {
  /** Seconds. */
  readonly from: number
  readonly to: number
  /** Top of the y axis that several charts share; without it each has its own. */
  readonly top: number | undefined
}

export interface PlotOptions {
  readonly host: HTMLElement
  readonly model: () => PlotModel
  readonly height: number
  readonly zone: string
  readonly mode: YMode
  readonly onSelect: (fromSeconds: number, toSeconds: number) => void
  readonly onCursor: (index: number | null, leftPx: number) => void
}

/** Tick labels of the y axis: one unit for all of them, chosen by the largest. */
export function tickLabels(values: readonly number[], unit: string): string[] {
  if (unit !== 'us')
    return values.map(value => join(byUnit(value, unit)))
  const top = Math.max(...values.map(Math.abs), 0)
  const [divisor, name] = top < 1e3 ? [1, 'µs'] : top < 1e6 ? [1e3, 'ms'] : [1e6, 's']
  return values.map(value => `${Number((value / divisor).toPrecision(6))} ${name}`)
}

function join({ value, unit }: { value: string, unit: string }): string {
  return unit === '' ? value : `${value} ${unit}`
}

const DAY = '\n{MMM} {D}'
const TIME_FORMATS = [
  [86_400, '{MMM} {D}', null, null, null, null, null, null, 1],
  [60, '{HH}:{mm}', DAY, null, DAY, null, null, null, 1],
  [1, '{HH}:{mm}:{ss}', DAY, null, DAY, null, null, null, 1],
]

function yRange(model: PlotModel, mode: YMode): [number, number] {
  if (mode === 'log')
    return [10 ** Math.floor(Math.log10(Math.max(1, smallest(model.columns)))), 10 ** Math.ceil(Math.log10(Math.max(10, fullMax(model.columns))))]
  if (model.top !== undefined)
    return [0, model.top]
  const both = model.before ? [model.columns, model.before] : [model.columns]
  return [0, Math.max(...both.map(mode === 'full' ? fullMax : robustMax))]
}

/** The x values and any one column: uPlot finds the cursor by them; the painting is ours. */
export function plotData(columns: Columns): uPlot.AlignedData {
  const values = columns.median.length > 0 ? columns.median : columns.lines[0]?.values ?? new Float64Array(columns.count)
  return [columns.centre, values] as unknown as uPlot.AlignedData
}

function drawHook(options: PlotOptions): (u: uPlot) => void {
  return (u) => {
    const model = options.model()
    const { left, top, width, height } = u.bbox
    // As uPlot has it, without looking the scale up for each of some ten thousand points.
    const from = u.scales.x?.min ?? model.from
    const perSecond = width / Math.max(1e-9, (u.scales.x?.max ?? model.to) - from)
    const { min: low = 0, max: high = 1 } = u.scales.y ?? {}
    const perUnit = height / Math.max(1e-9, (high ?? 1) - (low ?? 0))
    const linear = options.mode !== 'log'
    paint(u.ctx, {
      left, top, width, height,
      dpr: devicePixelRatio,
      x: seconds => left + (seconds - from) * perSecond,
      y: linear ? value => top + height - (value - (low ?? 0)) * perUnit : value => u.valToPos(value, 'y', true),
      yMax: u.scales.y?.max ?? Number.POSITIVE_INFINITY,
    }, model)
  }
}

export function createPlot(options: PlotOptions): uPlot {
  const { look } = options.model()
  const axis = {
    stroke: look.muted,
    grid: { stroke: look.line, width: 1 },
    ticks: { stroke: look.line, width: 1, size: 4 },
    font: '11px Inter Variable, sans-serif',
  }
  return new uPlot({
    width: Math.max(120, options.host.clientWidth),
    height: options.height,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    tzDate: ts => uPlot.tzDate(new Date(ts * 1000), options.zone),
    cursor: {
      sync: { key: 'nw', scales: ['x', null] },
      drag: { x: true, y: false, setScale: false },
      points: { show: false },
      // With Shift the drag is a pan, which is the component's.
      bind: { mousedown: (_, __, handler) => (event) => { if (!event.shiftKey) handler(event); return null } },
    },
    scales: {
      x: { time: true, range: () => { const m = options.model(); return [m.from, m.to] } },
      y: { distr: options.mode === 'log' ? 3 : 1, range: () => yRange(options.model(), options.mode) },
    },
    axes: [
      { ...axis, gap: STRIPS_PX + 2, size: STRIPS_PX + 40, values: TIME_FORMATS as never },
      { ...axis, size: 64, values: (_, splits) => tickLabels(splits, options.model().columns.unit) },
    ],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      draw: [drawHook(options)],
      setSelect: [(u) => {
        if (u.select.width < 4)
          return
        const a = u.posToVal(u.select.left, 'x')
        const b = u.posToVal(u.select.left + u.select.width, 'x')
        u.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false)
        options.onSelect(a, b)
      }],
      setCursor: [(u) => {
        const left = u.cursor.left ?? -1
        options.onCursor(left < 0 ? null : u.cursor.idx ?? null, left + u.bbox.left / devicePixelRatio)
      }],
    },
  }, plotData(options.model().columns), options.host)
}
