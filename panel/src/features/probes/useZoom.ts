// Zooming by the chart, and the way back: each zoom remembers where it came from, so that Escape and a double click undo
// zooms and nothing else. The browser's own history has them as well.
import type { TimeRange } from '@/lib/time-range'
import type { TimeRangeControl } from '@/app/useTimeRange'
import { readonly, ref } from 'vue'
import { sameRange } from '@/lib/time-range'

const DEPTH_MAX = 50

export function useZoom(control: Pick<TimeRangeControl, 'range' | 'set' | 'setAbsolute' | 'zoom'>) {
  const trail = ref<TimeRange[]>([])
  function remember(): void {
    const last = trail.value.at(-1)
    if (!last || !sameRange(last, control.range.value))
      trail.value = [...trail.value, control.range.value].slice(-DEPTH_MAX)
  }
  return {
    trail: readonly(trail),
    zoom: (fromMs: number, toMs: number) => {
      remember()
      control.setAbsolute(fromMs, toMs)
    },
    zoomAt: (factor: number, centreMs: number) => {
      remember()
      control.zoom(factor, centreMs)
    },
    back: () => {
      const last = trail.value.at(-1)
      if (!last)
        return
      trail.value = trail.value.slice(0, -1)
      control.set(last)
    },
  }
}
