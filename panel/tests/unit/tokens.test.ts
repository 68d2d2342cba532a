// Recomputes contrasts and colour distances from the tokens: a canvas is invisible to axe, and the eye of the author
// is not everybody's. Vision: Machado, Oliveira and Fernandes (2009), severity 1.0, applied to linear RGB.
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

type Rgb = [number, number, number]
const css = readFileSync('src/style/tokens.css', 'utf8')

function tokens(selector: string): Record<string, string> {
  const block = css.slice(css.indexOf(selector)).match(/\{([^}]*)\}/)?.[1] ?? ''
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(match => [match[1] ?? '', (match[2] ?? '').trim()]))
}
const CLASSIC = { dark: tokens('[data-theme=\'dark\'][data-colours=\'classic\']'), light: tokens('[data-theme=\'light\'][data-colours=\'classic\']') }
const THEMES = { dark: tokens('[data-theme=\'dark\']'), light: tokens('[data-theme=\'light\']') }

function linear(hex: string): Rgb {
  const channel = (at: number) => {
    const value = Number.parseInt(hex.slice(at, at + 2), 16) / 255
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4
  }
  return [channel(1), channel(3), channel(5)]
}
const luminance = ([r, g, b]: Rgb) => 0.2126 * r + 0.7152 * g + 0.0722 * b
function contrast(a: string, b: string): number {
  const [x, y] = [luminance(linear(a)), luminance(linear(b))]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}
function apply(m: readonly number[], [r, g, b]: Rgb): Rgb {
  const row = (i: number) => (m[i] ?? 0) * r + (m[i + 1] ?? 0) * g + (m[i + 2] ?? 0) * b
  return [row(0), row(3), row(6)].map(value => Math.min(1, Math.max(0, value))) as Rgb
}
function oklab(rgb: Rgb): Rgb {
  const [l, m, s] = [[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566], [0.0883024619, 0.2817188376, 0.6299787005]].map(row => Math.cbrt((row[0] ?? 0) * rgb[0] + (row[1] ?? 0) * rgb[1] + (row[2] ?? 0) * rgb[2])) as Rgb
  return [0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s, 1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s, 0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s]
}
const distance = (a: Rgb, b: Rgb) => 100 * Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2])
const VISIONS: Record<string, readonly number[]> = {
  normal: [1, 0, 0, 0, 1, 0, 0, 0, 1],
  protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
  deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
  tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
}
const SCALE = ['excellent', 'good', 'fair', 'poor', 'critical'] as const
const GROUNDS = ['bg', 'surface', 'raised'] as const
const LEAST = { dark: 15.0, light: 12.2 }

describe.each(['dark', 'light'] as const)('%s theme', (theme) => {
  const of = (name: string) => THEMES[theme][name] ?? ''
  it.each(GROUNDS.flatMap(ground => ['text', 'muted', 'faint', 'accent'].map(text => [text, ground] as const)))('%s on %s reads (4.5:1)', (text, ground) => {
    expect(contrast(of(text), of(ground))).toBeGreaterThanOrEqual(4.5)
  })
  it('text on the accent reads', () => expect(contrast(of('on-accent'), of('accent'))).toBeGreaterThanOrEqual(4.5))
  it('text on the warning bar reads', () => expect(contrast(of('text'), of('warning-bg'))).toBeGreaterThanOrEqual(4.5))
  it.each(GROUNDS.flatMap(ground => [...SCALE, 'unknown', 'control', 'series', 'baseline', 'focus'].map(colour => [colour, ground] as const)))('%s shows on %s (3:1)', (colour, ground) => {
    expect(contrast(of(colour), of(ground))).toBeGreaterThanOrEqual(3)
  })
  it.each(GROUNDS.flatMap(ground => SCALE.map(colour => [colour, ground] as const)))('classic %s shows on %s (3:1)', (colour, ground) => {
    expect(contrast(CLASSIC[theme][colour] ?? '#000000', of(ground))).toBeGreaterThanOrEqual(3)
  })
  it('the classic scale replaces every grade and nothing else', () => expect(Object.keys(CLASSIC[theme]).sort()).toEqual([...SCALE].sort()))
  it.each(Object.keys(VISIONS))('grades are told apart, %s vision', (vision) => {
    const matrix = VISIONS[vision] ?? []
    const seen = SCALE.map(grade => oklab(apply(matrix, linear(of(grade)))))
    let least = Number.POSITIVE_INFINITY
    for (let i = 0; i < seen.length; i += 1)
      for (let k = i + 1; k < seen.length; k += 1)
        least = Math.min(least, distance(seen[i] ?? [0, 0, 0], seen[k] ?? [0, 0, 0]))
    expect(least).toBeGreaterThanOrEqual(LEAST[theme] - 0.05)
  })
})

it('both themes have the same tokens', () => expect(Object.keys(THEMES.light).sort()).toEqual(Object.keys(THEMES.dark).sort()))
