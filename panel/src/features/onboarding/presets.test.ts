import { describe, expect, it } from 'vitest'
import { COUNTER, makeAgent, PING } from '../../../tests/mock/data'
import { firstKind, presetsFor, siteGuess } from './presets'

const agent = (id: string, part = {}) => makeAgent(id, id, { address: '192.0.2.10', gateway: '', resolver: '', ...part })

describe('first probes', () => {
  it('are offered for what the agent says about its network', () => {
    const found = presetsFor(agent('a', { gateway: '10.0.0.1', resolver: '10.0.0.53' }), [], 'ana@example.org')
    expect(found.map(preset => [preset.id, preset.target])).toEqual([['gateway', '10.0.0.1'], ['resolver', '10.0.0.53'], ['site', 'example.org']])
  })
  it('do not measure the same thing twice', () => {
    expect(presetsFor(agent('a', { gateway: '10.0.0.1', resolver: '10.0.0.1' }), [], '').map(preset => preset.id)).toEqual(['gateway', 'site'])
  })
  it('include another agent only when it is somewhere else and there', () => {
    const here = agent('a')
    expect(presetsFor(here, [here, agent('b')], '').map(preset => preset.id)).toEqual(['site'])
    expect(presetsFor(here, [here, agent('b', { address: '198.51.100.7', status: 'offline' })], '').map(preset => preset.id)).toEqual(['site'])
    expect(presetsFor(here, [here, agent('b', { address: '127.0.0.1' })], '').map(preset => preset.id)).toEqual(['site'])
    expect(presetsFor(here, [here, agent('b', { address: '198.51.100.7' })], '').at(-1)).toMatchObject({ id: 'agent', target: '198.51.100.7' })
  })
  it.each([['ana@example.org', 'example.org'], ['ana@gmail.com', ''], ['ana@web.de', ''], ['nonsense', ''], ['a@localhost', '']])('guess the site of %s', (email, site) => expect(siteGuess(email)).toBe(site))
  it('use whatever kind needs nothing but a target', () => {
    expect(firstKind([PING])?.setting).toBe('target')
    expect(firstKind([{ ...COUNTER, settings: [] }, PING])?.kind.name).toBe('ping')
    expect(firstKind([])).toBeNull()
  })
})
