// Colours of the charts, read once per theme from the tokens: a canvas does not know custom properties.
import { GRADE_LOOK, GRADES } from '@/lib/grade'

export interface ChartLook {
  readonly grades: readonly string[]
  readonly series: string
  readonly smoke: string
  readonly baseline: string
  readonly accent: string
  readonly text: string
  readonly muted: string
  readonly line: string
  /** Of hatching: silence must be seen as well as what is said. */
  readonly hatch: string
  readonly surface: string
  readonly raised: string
}

export function readLook(): ChartLook {
  const style = getComputedStyle(document.documentElement)
  const of = (name: string) => style.getPropertyValue(name).trim()
  return {
    grades: GRADES.map(grade => of(GRADE_LOOK[grade].colour)),
    series: of('--series'),
    smoke: of('--smoke'),
    baseline: of('--baseline'),
    accent: of('--accent'),
    text: of('--text'),
    muted: of('--muted'),
    line: of('--line'),
    hatch: of('--control'),
    surface: of('--surface'),
    raised: of('--raised'),
  }
}
