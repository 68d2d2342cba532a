// A small routed network in namespaces of this machine, for tests of paths and uplinks: from this host by two uplinks to
// the first router, from it by either or both of two branches to the third, behind which the target is. Needs root.
//
//   this host ==(1, 7)== r1 --(2)-- a --(4)-- r3 --(6)-- target
//                          \--(3)-- b --(5)--/
import { execFileSync } from 'node:child_process'

const run = (file: string, args: readonly string[]) => execFileSync(file, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 20_000, encoding: 'utf8' })
type Place = 'r1' | 'a' | 'b' | 'r3' | 'dst'
const PLACES: readonly Place[] = ['r1', 'a', 'b', 'r3', 'dst']

export function canRoute(): boolean {
  return process.getuid?.() === 0
}

export class RoutedNetwork {
  private readonly tag = `nwq${process.pid % 100_000}`
  private readonly net = `10.${110 + process.pid % 60}`
  readonly target = `${this.net}.6.2`
  /** Of both branches, as they answer. */
  readonly branch = { a: `${this.net}.2.2`, b: `${this.net}.3.2` } as const
  readonly first = `${this.net}.1.2`
  readonly third = `${this.net}.4.2`
  /** An address of the first router that both uplinks lead to. */
  readonly beyond = `${this.net}.9.1`
  readonly uplinks = [`${this.tag}u`, `${this.tag}v`] as const

  private place(name: Place): string {
    return this.tag + name
  }

  private ip(...args: string[]): void {
    run('ip', args)
  }

  private inside(name: Place, ...args: string[]): void {
    run('ip', ['-n', this.place(name), ...args])
  }

  private sysctl(name: Place, key: string, value: string): void {
    run('ip', ['netns', 'exec', this.place(name), 'sysctl', '-qw', `${key}=${value}`])
  }

  /** Network n: .1 is nearer to this host. */
  private link(n: number, near: Place | null, far: Place, nearName = `${this.tag}${n}n`): void {
    const farName = `${this.tag}${n}f`
    this.ip('link', 'add', nearName, 'type', 'veth', 'peer', 'name', farName)
    this.ip('link', 'set', farName, 'netns', this.place(far))
    if (near)
      this.ip('link', 'set', nearName, 'netns', this.place(near))
    const at = (name: Place | null, ...args: string[]) => name ? this.inside(name, ...args) : this.ip(...args)
    at(near, 'addr', 'add', `${this.net}.${n}.1/30`, 'dev', nearName)
    at(far, 'addr', 'add', `${this.net}.${n}.2/30`, 'dev', farName)
    at(near, 'link', 'set', nearName, 'up')
    at(far, 'link', 'set', farName, 'up')
  }

  up(): void {
    const { net } = this
    for (const name of PLACES) {
      this.ip('netns', 'add', this.place(name))
      this.inside(name, 'link', 'set', 'lo', 'up')
      for (const [key, value] of [['net.ipv4.ip_forward', '1'], ['net.ipv4.conf.all.rp_filter', '0'], ['net.ipv4.conf.default.rp_filter', '0'], ['net.ipv4.icmp_ratelimit', '0'], ['net.ipv4.fib_multipath_hash_policy', '1']] as const)
        this.sysctl(name, key, value)
      // Of all ICMP of a host, whoever it is for: the first run asks for more at once. A namespace has its own in newer kernels only.
      for (const [key, value] of [['net.ipv4.icmp_msgs_per_sec', '1000000'], ['net.ipv4.icmp_msgs_burst', '100000']] as const)
        try {
          this.sysctl(name, key, value)
        }
        catch { /* the host's own limit holds */ }
    }
    this.link(1, null, 'r1', this.uplinks[0])
    this.link(7, null, 'r1', this.uplinks[1])
    // No IPv6 address that comes a second later: a change makes Chromium drop what it is loading.
    for (const name of this.uplinks)
      run('sysctl', ['-qw', `net.ipv6.conf.${name}.disable_ipv6=1`])
    this.link(2, 'r1', 'a')
    this.link(3, 'r1', 'b')
    this.link(4, 'a', 'r3')
    this.link(5, 'b', 'r3')
    this.link(6, 'r3', 'dst')
    this.inside('r1', 'addr', 'add', `${this.beyond}/32`, 'dev', 'lo')
    for (const [place, via] of [['a', `${net}.2.1`], ['b', `${net}.3.1`], ['r3', `${net}.4.1`], ['dst', `${net}.6.1`]] as const)
      this.inside(place, 'route', 'add', 'default', 'via', via)
    this.inside('a', 'route', 'add', `${net}.6.0/30`, 'via', `${net}.4.2`)
    this.inside('b', 'route', 'add', `${net}.6.0/30`, 'via', `${net}.5.2`)
    this.ip('route', 'add', `${net}.6.0/30`, 'via', `${net}.1.2`)
    this.ip('route', 'add', `${this.beyond}/32`, 'via', `${net}.1.2`, 'metric', '10')
    this.ip('route', 'add', `${this.beyond}/32`, 'via', `${net}.7.2`, 'metric', '20')
    this.by('a')
    run('ping', ['-c', '1', '-w', '10', this.target])
  }

  /** By which of the branches the first router sends. */
  by(branch: 'a' | 'b' | 'both'): void {
    const hop = { a: `${this.net}.2.2`, b: `${this.net}.3.2` }
    const via = branch === 'both' ? ['nexthop', 'via', hop.a, 'nexthop', 'via', hop.b] : ['via', hop[branch]]
    this.inside('r1', 'route', 'replace', `${this.net}.6.0/30`, ...via)
  }

  /** The third router answers once a second, as Linux does of itself, or to everything. */
  limit(on: boolean): void {
    this.sysctl('r3', 'net.ipv4.icmp_ratelimit', on ? '1000' : '0')
  }

  /** One of this host's uplinks is taken down or up. */
  uplink(n: 0 | 1, up: boolean): void {
    this.ip('link', 'set', this.uplinks[n], up ? 'up' : 'down')
  }

  down(): void {
    // The ends here first: those that go with a namespace go some time later, and then in the middle of other tests.
    for (const name of this.uplinks) {
      try {
        this.ip('link', 'del', name)
      }
      catch { /* never made */ }
    }
    for (const name of PLACES) {
      try {
        this.ip('netns', 'del', this.place(name))
      }
      catch { /* never made */ }
    }
  }
}
