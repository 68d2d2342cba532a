// Four routers in namespaces between this host and a target: two equal branches in the middle, of which one can be taken
// away. Needs root. Nothing is emulated: the kernel routes, and hashes flows over both branches.
//
//   host - r1 -+- r2 -+- r4 - target
//              +- r3 -+
import { execFileSync } from 'node:child_process'

const run = (file: string, ...args: string[]) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'pipe'], timeout: 20_000 })
const ip = (...args: string[]) => run('ip', ...args)

export class Routers {
  private readonly tag = `nwm${process.pid % 100_000}`
  private readonly net = `10.${180 + process.pid % 20}.${process.pid % 250}`
  readonly target = this.at(22)
  /** As a trace sees them, from near to far. */
  readonly first = this.at(2)
  readonly branches = [this.at(6), this.at(10)] as const
  readonly last = this.at(14)

  up(): void {
    for (const name of ['r1', 'r2', 'r3', 'r4', 't']) {
      ip('netns', 'add', this.ns(name))
      ip('-n', this.ns(name), 'link', 'set', 'lo', 'up')
      for (const setting of ['net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0', 'net.ipv4.fib_multipath_hash_policy=1', 'net.ipv4.icmp_ratelimit=0'])
        run('ip', 'netns', 'exec', this.ns(name), 'sysctl', '-qw', setting)
    }
    ip('link', 'add', `${this.tag}h`, 'type', 'veth', 'peer', 'name', 'hx', 'netns', this.ns('r1'))
    ip('addr', 'add', `${this.at(1)}/30`, 'dev', `${this.tag}h`)
    run('sysctl', '-qw', `net.ipv6.conf.${this.tag}h.disable_ipv6=1`)
    ip('link', 'set', `${this.tag}h`, 'up')
    ip('-n', this.ns('r1'), 'addr', 'add', `${this.at(2)}/30`, 'dev', 'hx')
    ip('-n', this.ns('r1'), 'link', 'set', 'hx', 'up')
    this.link('r1', 'r2', 5)
    this.link('r1', 'r3', 9)
    this.link('r2', 'r4', 13)
    this.link('r3', 'r4', 17)
    this.link('r4', 't', 21)
    ip('route', 'add', `${this.net}.0/24`, 'via', this.at(2))
    for (const [name, back] of [['r1', 1], ['r2', 5], ['r3', 9], ['r4', 13], ['t', 21]] as const)
      ip('-n', this.ns(name), 'route', 'add', 'default', 'via', this.at(back))
    ip('-n', this.ns('r1'), 'route', 'add', `${this.at(12)}/30`, 'via', this.at(6))
    ip('-n', this.ns('r1'), 'route', 'add', `${this.at(16)}/30`, 'via', this.at(10))
    ip('-n', this.ns('r2'), 'route', 'add', `${this.at(20)}/30`, 'via', this.at(14))
    ip('-n', this.ns('r3'), 'route', 'add', `${this.at(20)}/30`, 'via', this.at(18))
    this.both()
    run('ping', '-c', '1', '-w', '10', this.target)
  }

  /** Flows go over both branches. */
  both(): void {
    ip('-n', this.ns('r1'), 'route', 'replace', `${this.at(20)}/30`, 'nexthop', 'via', this.at(6), 'nexthop', 'via', this.at(10))
  }

  /** Everything goes over the first branch. */
  one(): void {
    ip('-n', this.ns('r1'), 'route', 'replace', `${this.at(20)}/30`, 'via', this.at(6))
  }

  down(): void {
    // First, so that it does not go some time later, in the middle of other tests.
    try {
      ip('link', 'del', `${this.tag}h`)
    }
    catch { /* never made */ }
    for (const name of ['r1', 'r2', 'r3', 'r4', 't']) {
      try {
        ip('netns', 'del', this.ns(name))
      }
      catch { /* never made */ }
    }
  }

  private at(host: number): string { return `${this.net}.${host}` }
  private ns(name: string): string { return `${this.tag}${name}` }

  private link(near: string, far: string, first: number): void {
    const [a, b] = [`to-${far}`, `to-${near}`]
    ip('-n', this.ns(near), 'link', 'add', a, 'type', 'veth', 'peer', 'name', b, 'netns', this.ns(far))
    for (const [name, end, host] of [[near, a, first], [far, b, first + 1]] as const) {
      ip('-n', this.ns(name), 'addr', 'add', `${this.at(host)}/30`, 'dev', end)
      ip('-n', this.ns(name), 'link', 'set', end, 'up')
    }
  }
}

export function canRoute(): boolean {
  return process.getuid?.() === 0
}
