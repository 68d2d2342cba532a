import { describe, expect, it } from 'vitest'
import { waysOf, withoutTls } from './commands'
import { forgetEnrolment, keepEnrolment, keptEnrolment } from './enrolments'

const enrolment = { token: 't0ken', expires_us: 2_000_000_000, command: 'curl -fsSL https://nw.example/install.sh | sudo sh -s -- --token t0ken', enrol_command: 'sudo netwatcher-agent enroll --controller https://nw.example --token t0ken' }
const download = { name: 'netwatcher-agent_1.0_linux_amd64.tar.gz', version: '1.0', system: 'linux', arch: 'amd64', bytes: 1, sha256: 'ab', url: 'https://nw.example/download/x' }

describe('ways to install', () => {
  it('are the line and the plain command until the controller has said what it hands out', () => {
    expect(waysOf(enrolment, undefined).map(way => way.id)).toEqual(['line', 'there'])
  })
  it('have a variant that checks the script first, and one for hosts without internet', () => {
    const ways = waysOf(enrolment, { script_url: 'https://nw.example/install.sh', script_sha256: 'c0ffee', items: [download] })
    expect(ways.map(way => way.id)).toEqual(['line', 'checked', 'carried', 'there'])
    expect(ways[1]?.command).toBe('curl -fsSLO https://nw.example/install.sh\necho "c0ffee  install.sh" | sha256sum -c - && sudo sh install.sh --token t0ken')
    expect(ways[2]?.command).toContain('--file netwatcher-agent_1.0_linux_amd64.tar.gz')
  })
  it.each([['https://nw.example', false], ['http://nw.example', true], ['http://127.0.0.1:8080', false], ['http://localhost:8080', false], ['http://localhost.evil.example', true], ['http://[::1]:8080', false]])('without TLS: %s %s', (url, expected) => {
    expect(withoutTls(`curl -fsSL ${url}/install.sh | sudo sh -s -- --token x`)).toBe(expected)
  })
})

describe('a kept token', () => {
  it('is the same after a reload, and gone when it has expired', () => {
    keepEnrolment('a1', enrolment)
    expect(keptEnrolment('a1', 1_000_000)).toEqual(enrolment)
    expect(keptEnrolment('a2', 1_000_000)).toBeNull()
    expect(keptEnrolment('a1', 2_000_001)).toBeNull()
    expect(keptEnrolment('a1', 1_000_000)).toBeNull()
  })
  it('that is none is forgotten', () => {
    sessionStorage.setItem('nw-enrolment-a3', '{"token": 1')
    expect(keptEnrolment('a3', 0)).toBeNull()
    forgetEnrolment('a3')
  })
})
