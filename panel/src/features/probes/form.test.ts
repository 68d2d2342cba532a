import { describe, expect, it } from 'vitest'
import { ApiError } from '@/api/problem'
import { COUNTER, PING } from '../../../tests/mock/data'
import { isHost } from '@/lib/host'
import { draftOf, fieldProblem, filledSettings, problemsOf, settingsOf, settingText } from './form'
import { problemsFromServer } from './useProbeForm'

const setting = (name: string) => PING.settings.find(entry => entry.name === name) ?? (() => { throw new Error(name) })()

describe('host names and addresses', () => {
  it.each(['example.org', 'a', 'xn--bcher-kva.example', '_dmarc.example.org', 'example.org.', '192.0.2.1', '2001:db8::1', 'fe80::1%eth0', '::1', '1.example', 'a.1.example', '::ffff:192.0.2.1', '1:2:3:4:5:6:7:8', '_sip._udp.example.com'])('takes %s', text => expect(isHost(text)).toBe(true))
  it.each(['', ' ', 'a b', '-a.example', 'a-.example', '256.1.1.1', '1.2.3', 'exa$mple', 'http://example.org', `${'a'.repeat(64)}.org`, 'a..b', '10.0.0.0/8', '10.0.0.300', '1.2.3.4.', 'host.7', '::1::', ':::', '1:2:3:4:5:6:7', 'x:y', '12345::1', 'x/y', '01.2.3.4', `${'a.'.repeat(130)}b`])('refuses %j', text => expect(isHost(text)).toBe(false))
})

describe('a form from a declaration', () => {
  it('begins with the defaults, durations in words', () => {
    expect(draftOf(PING.settings)).toEqual({ target: '', interval: '60 s', packets: '20', family: 'auto', dont_fragment: false, interface: '' })
  })
  it('works for any kind', () => expect(draftOf(COUNTER.settings)).toEqual({ target: '', interval: '10 s' }))
  it('shows what is stored', () => expect(draftOf(PING.settings, { target: 'x.example', interval: 1500, dont_fragment: true })).toMatchObject({ target: 'x.example', interval: '1500 ms', dont_fragment: true }))
  it('gives the API what it takes', () => {
    const draft = { ...draftOf(PING.settings), target: ' svc.example ', interval: '5 s', packets: '', dont_fragment: true }
    expect(settingsOf(PING.settings, draft)).toEqual({ target: 'svc.example', interval: 5000, packets: 20, family: 'auto', dont_fragment: true, interface: '' })
  })
  it('comes back the same', () => {
    const values = { target: 'a.example', interval: 30_000, packets: 5, family: 'v6', dont_fragment: false, interface: 'eth0' }
    expect(settingsOf(PING.settings, draftOf(PING.settings, values))).toEqual(values)
  })
  it('never shows a secret, and keeps it when its field stays empty', () => {
    const secret = { ...setting('interface'), name: 'key', secret: true, type: 'text' as const, max: 64 }
    expect(draftOf([secret], { key: 'hunter2' })).toEqual({ key: '' })
    expect(settingsOf([secret], { key: '' })).toEqual({})
    expect(settingText(secret, 'hunter2')).not.toContain('hunter')
  })
})

describe('checking as one types', () => {
  it.each([['target', '', 'Is required'], ['target', 'a b', 'Must be a host name or an address'], ['interval', '10 ms', /1 s to 24 h/], ['interval', 'soon', /length of time/], ['packets', '0', /1 to 1,000 packets/], ['packets', '2.5', /whole number/], ['family', 'v5', /choices/], ['interface', 'eth 0', /device/], ['interface', 'eth\u0007', /control characters/], ['interface', 'a-name-too-long-for-linux', /15 bytes/]] as const)('%s = %j', (name, value, message) => expect(fieldProblem(setting(name), value, true)).toMatch(message))
  it.each([['target', 'svc'], ['interval', '1 s'], ['packets', '1000'], ['family', 'v6'], ['interface', ''], ['dont_fragment', true]] as const)('%s = %j is fine', (name, value) => expect(fieldProblem(setting(name), value, true)).toBeUndefined())
  it('counts bytes, not letters', () => expect(fieldProblem(setting('interface'), 'ÄÖÜÄÖÜÄÖ', true)).toMatch(/15 bytes/))
  it('names every field at fault', () => expect(Object.keys(problemsOf(PING.settings, { ...draftOf(PING.settings), packets: 'x' }, true))).toEqual(['target', 'packets']))
})

describe('many at once', () => {
  it('changes what was filled in and nothing else', () => {
    expect(filledSettings(PING.settings, { interval: '30 s', dont_fragment: 'no', packets: ' ' })).toEqual({ values: { interval: 30_000, dont_fragment: false }, problems: {} })
    expect(filledSettings(PING.settings, {}).values).toEqual({})
  })
  it('names what is wrong', () => expect(Object.keys(filledSettings(PING.settings, { packets: '0', family: 'v4' }).problems)).toEqual(['packets']))
})

describe('the server\'s word', () => {
  it('lands at its field', () => {
    const error = new ApiError({ type: '', title: 'Not valid', status: 422, request_id: 'r', errors: [{ field: 'settings.target', message: 'Is private.' }, { field: 'settings.target', message: 'Is slow.' }, { field: 'agent_ids', message: 'Is gone' }, { field: 'name', message: 'Is taken' }] })
    expect(problemsFromServer(error)).toEqual({ target: 'Is private. Is slow.', agents: 'Is gone', name: 'Is taken' })
    expect(problemsFromServer(new Error('net'))).toEqual({})
  })
})

describe('stored settings in words', () => {
  it.each([['interval', 60_000, '60 s'], ['family', 'auto', 'Automatic (RFC 6724)'], ['dont_fragment', true, 'Yes'], ['packets', 20, '20 packets'], ['interface', '', '–'], ['target', 'x', 'x']] as const)('%s', (name, value, text) => expect(settingText(setting(name), value)).toBe(text))
})
