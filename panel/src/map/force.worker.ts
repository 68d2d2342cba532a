// Runs the force layout beside the page and tells positions as they come.
import type { ForceInput } from './force'
import { makeForce } from './force'

const TICKS_PER_MESSAGE = 10

export interface ForceMessage { readonly positions: Float32Array, readonly done: boolean }

self.onmessage = ({ data }: MessageEvent<ForceInput>) => {
  const force = makeForce(data)
  for (let goes = true; goes;) {
    goes = force.run(TICKS_PER_MESSAGE)
    const positions = force.positions()
    self.postMessage({ positions, done: !goes } satisfies ForceMessage, { transfer: [positions.buffer] })
  }
}
