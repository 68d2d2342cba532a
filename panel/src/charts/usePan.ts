// Shift and drag moves the range under the pointer: the picture follows at once, the range changes when it is let go.
import { panned } from './geometry'

export interface PanOptions {
  readonly secondsPerPixel: () => number
  readonly range: () => readonly [number, number]
  readonly moved: () => void
  readonly done: (fromSeconds: number, toSeconds: number) => void
  readonly nowSeconds?: () => number
}

export interface Pan {
  /** By how many seconds the picture is moved at the moment. */
  readonly offset: () => number
  readonly start: (event: PointerEvent) => void
  readonly move: (event: PointerEvent) => void
  readonly end: (event: PointerEvent) => void
  readonly cancel: () => void
}

export function usePan(options: PanOptions): Pan {
  const now = options.nowSeconds ?? (() => Date.now() / 1000)
  let grabbedAt: number | undefined
  let offset = 0

  function follow(event: PointerEvent): void {
    if (grabbedAt === undefined)
      return
    const [from, to] = options.range()
    // Nothing has happened yet beyond now.
    offset = panned(from, to, (grabbedAt - event.clientX) * options.secondsPerPixel(), Math.max(to, now()))[0] - from
  }
  function cancel(): void {
    if (grabbedAt === undefined)
      return
    grabbedAt = undefined
    offset = 0
    options.moved()
  }
  return {
    offset: () => offset,
    start: (event) => {
      if (!event.shiftKey || event.button !== 0)
        return
      event.preventDefault()
      ;(event.currentTarget as HTMLElement | null)?.setPointerCapture?.(event.pointerId)
      grabbedAt = event.clientX
    },
    move: (event) => {
      if (grabbedAt === undefined)
        return
      follow(event)
      options.moved()
    },
    end: (event) => {
      if (grabbedAt === undefined)
        return
      follow(event)
      const [from, to] = options.range()
      const by = offset
      grabbedAt = undefined
      offset = 0
      if (by !== 0)
        options.done(from + by, to + by)
    },
    cancel,
  }
}
