import { describe, expect, it } from 'vitest'
import { byNaturalKey, natural } from './natural'

describe('natural order', () => {
  const sorted = (names: string[]) => [...names].sort(byNaturalKey)
  it('counts', () => expect(sorted(['agent-10', 'agent-2', 'agent-1'])).toEqual(['agent-1', 'agent-2', 'agent-10']))
  it('knows neither case nor accents', () => expect(sorted(['São Paulo', 'Sao Jose', 'sao luis'])).toEqual(['Sao Jose', 'sao luis', 'São Paulo']))
  it('takes leading zeros for nothing', () => expect(byNaturalKey('rack 007', 'rack 7')).toBe(0))
  it('is the collator\'s order for names of hosts', () => {
    const names = Array.from({ length: 400 }, (_, i) => `${['edge', 'core', 'Branch'][i % 3]}-${(i * 7919) % 1000}.site${i % 11}`)
    expect(sorted(names)).toEqual([...names].sort(natural))
  })
})
