// A small routed network for tests of paths, uplinks and the map: from the agent's host by two uplinks to the first router,
// from it by either or both of two branches to the third, behind which the target is. The kernel routes, and hashes flows
// over both branches; nothing is emulated.
//
//        host ==(1, 7)== r1 --(2)-- a --(4)-- r3 --(6)-- target
//                          \--(3)-- b --(5)--/
import { Namespaces } from './host.ts'

const ROUTERS = ['r1', 'a', 'b', 'r3', 'dst'] as const
const NET = '10.99'

export class RoutedNetwork {
  readonly spaces = new Namespaces()
  readonly target = `${NET}.6.2`
  /** Of both branches, as they answer. */
  readonly branch = { a: `${NET}.2.2`, b: `${NET}.3.2` } as const
  readonly first = `${NET}.1.2`
  readonly third = `${NET}.4.2`
  /** An address of the first router that both uplinks lead to. */
  readonly beyond = `${NET}.9.1`
  readonly uplinks = ['up1', 'up2'] as const

  up(): void {
    this.spaces.add('host')
    for (const router of ROUTERS) {
      this.spaces.add(router)
      this.spaces.run(router, 'sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv4.conf.all.rp_filter=0', 'net.ipv4.conf.default.rp_filter=0', 'net.ipv4.icmp_ratelimit=0', 'net.ipv4.fib_multipath_hash_policy=1')
      // Of all ICMP of a host, whoever it is for: the first run asks for more at once. A namespace has its own in newer kernels only.
      try {
        this.spaces.run(router, 'sysctl', '-qw', 'net.ipv4.icmp_msgs_per_sec=1000000', 'net.ipv4.icmp_msgs_burst=100000')
      }
      catch { /* the host's own limit holds */ }
    }
    this.link(1, 'host', 'r1', this.uplinks[0])
    this.link(7, 'host', 'r1', this.uplinks[1])
    this.link(2, 'r1', 'a')
    this.link(3, 'r1', 'b')
    this.link(4, 'a', 'r3')
    this.link(5, 'b', 'r3')
    this.link(6, 'r3', 'dst')
    this.spaces.ip('r1', 'addr', 'add', `${this.beyond}/32`, 'dev', 'lo')
    for (const [place, via] of [['a', 2], ['b', 3], ['r3', 4], ['dst', 6]] as const)
      this.route(place, 'default', via, 1)
    this.route('a', `${NET}.6.0/30`, 4, 2)
    this.route('b', `${NET}.6.0/30`, 5, 2)
    this.route('host', `${NET}.6.0/30`, 1, 2)
    this.route('host', `${this.beyond}/32`, 1, 2, 'metric', '10')
    this.route('host', `${this.beyond}/32`, 7, 2, 'metric', '20')
    this.by('a')
    this.spaces.run('host', 'ping', '-c', '1', '-w', '10', this.target)
  }

  /** By which of the branches the first router sends. */
  by(branch: 'a' | 'b' | 'both'): void {
    const via = branch === 'both' ? ['nexthop', 'via', this.branch.a, 'nexthop', 'via', this.branch.b] : ['via', this.branch[branch]]
    this.spaces.ip('r1', 'route', 'replace', `${NET}.6.0/30`, ...via)
  }

  /** The third router answers once a second, as Linux does of itself, or to everything. */
  limit(on: boolean): void {
    this.spaces.run('r3', 'sysctl', '-qw', `net.ipv4.icmp_ratelimit=${on ? 1000 : 0}`)
  }

  /** One of the host's uplinks is taken down or up. */
  uplink(n: 0 | 1, up: boolean): void {
    this.spaces.ip('host', 'link', 'set', this.uplinks[n], up ? 'up' : 'down')
  }

  down(): Promise<void> {
    return this.spaces.down()
  }

  /** Network n: .1 is nearer to the host. */
  private link(n: number, near: string, far: string, nearName = `to-${far}`): void {
    const farName = `net${n}`
    this.spaces.ip(near, 'link', 'add', nearName, 'type', 'veth', 'peer', 'name', farName, 'netns', this.spaces.name(far))
    for (const [place, name, end] of [[near, nearName, 1], [far, farName, 2]] as const) {
      this.spaces.ip(place, 'addr', 'add', `${NET}.${n}.${end}/30`, 'dev', name)
      this.spaces.ip(place, 'link', 'set', name, 'up')
    }
  }

  private route(place: string, to: string, n: number, end: 1 | 2, ...more: string[]): void {
    this.spaces.ip(place, 'route', 'add', to, 'via', `${NET}.${n}.${end}`, ...more)
  }
}
