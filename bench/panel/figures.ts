// What the benches make of their measurements, and what else the machine was doing meanwhile.
import { cpus, loadavg } from 'node:os'

/** The value below which that share of them lies; of none there is no figure, and every comparison with it fails. */
export function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] ?? Number.NaN
}

export const median = (values: readonly number[]) => quantile(values, 0.5)
export const p95 = (values: readonly number[]) => quantile(values, 0.95)

/** Bars are for an idle machine and are not moved: a figure is only as good as the load beside it is low. */
export const load = () => `load ${loadavg()[0]?.toFixed(1)} on ${cpus().length} processors`
