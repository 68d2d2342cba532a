// The force layout, step by step: the worker runs it, tests too. d3-force has no chance in it but its own seeded one.
import type { SimulationLinkDatum, SimulationNodeDatum } from 'd3-force'
import { forceCollide, forceLink, forceManyBody, forceSimulation, forceX, forceY } from 'd3-force'

export interface ForceInput {
  readonly count: number
  readonly band: Int32Array
  readonly source: Int32Array
  readonly target: Int32Array
  readonly seed: Float32Array
  readonly width: number
  readonly height: number
  /** How much room each takes, from its middle. */
  readonly size: Float32Array
  /** Nodes that stay where they are put: index, x, y behind one another. */
  readonly fixed: Float64Array
  /** How warm it begins: 1 when everything is to find its place, less when most of it has. */
  readonly alpha: number
}

export interface Force {
  /** Goes on by at most so many ticks; false when it has come to rest. */
  readonly run: (ticks: number) => boolean
  readonly positions: () => Float32Array
}

interface Body extends SimulationNodeDatum { readonly i: number }
type Link = SimulationLinkDatum<Body>

const SAME = { distance: 18, strength: 0.5 }
const OTHER = { distance: 50, strength: 0.12 }
const CHARGE = -60
const PLAIN = 8

export function makeForce(input: ForceInput): Force {
  const linked = new Uint8Array(input.count)
  for (let e = 0; e < input.source.length; e += 1) {
    linked[input.source[e] ?? 0] = 1
    linked[input.target[e] ?? 0] = 1
  }
  const bodies: Body[] = []
  const bodyOf = new Int32Array(input.count).fill(-1)
  for (let i = 0; i < input.count; i += 1) {
    // Who is connected with nothing would only drift away.
    if (linked[i] === 0)
      continue
    bodyOf[i] = bodies.length
    bodies.push({ i, x: input.seed[i * 2] ?? 0, y: input.seed[i * 2 + 1] ?? 0 })
  }
  for (let f = 0; f + 2 < input.fixed.length; f += 3) {
    const body = bodies[bodyOf[input.fixed[f] ?? -1] ?? -1]
    if (body) {
      body.fx = input.fixed[f + 1] ?? 0
      body.fy = input.fixed[f + 2] ?? 0
    }
  }
  const links: Link[] = Array.from(input.source, (s, e) => ({ source: bodyOf[s] ?? 0, target: bodyOf[input.target[e] ?? 0] ?? 0 }))
  const sizeOf = (body: Body) => input.size[body.i] ?? PLAIN
  const kind = (link: Link) => {
    const [a, b] = [link.source as Body, link.target as Body]
    const band = input.band[a.i] ?? -1
    return band >= 0 && band === input.band[b.i] ? SAME : OTHER
  }
  const simulation = forceSimulation(bodies)
    .force('link', forceLink<Body, Link>(links).distance(link => kind(link).distance + sizeOf(link.source as Body) + sizeOf(link.target as Body) - 2 * PLAIN).strength(link => kind(link).strength))
    .force('charge', forceManyBody<Body>().strength(body => CHARGE * Math.max(1, sizeOf(body) / PLAIN)).distanceMax(600))
    .force('apart', forceCollide<Body>(sizeOf))
    .force('x', forceX<Body>(input.width / 2).strength(0.04))
    .force('y', forceY<Body>(input.height / 2).strength(0.06))
    .alpha(input.alpha)
    .stop()
  return {
    run: (ticks) => {
      for (let i = 0; i < ticks && simulation.alpha() >= simulation.alphaMin(); i += 1)
        simulation.tick()
      return simulation.alpha() >= simulation.alphaMin()
    },
    positions: () => {
      const positions = input.seed.slice()
      for (const body of bodies) {
        positions[body.i * 2] = body.x ?? 0
        positions[body.i * 2 + 1] = body.y ?? 0
      }
      return positions
    },
  }
}
