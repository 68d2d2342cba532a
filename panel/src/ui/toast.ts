// Short messages at the edge of the page; one may carry an undo. Kept per page, handed down by provide.
import type { InjectionKey, Ref } from 'vue'
import { inject, ref } from 'vue'
import { explain, requestId } from '@/api/problem'

export interface Toast {
  readonly id: number
  readonly text: string
  readonly kind: 'done' | 'failed'
  readonly request?: string
  readonly undo?: () => void
}

export interface Toasts {
  readonly items: Ref<Toast[]>
  readonly done: (text: string, undo?: () => void) => void
  readonly failed: (what: string, error: unknown) => void
  readonly dismiss: (id: number) => void
  /** While the pointer or the focus is on the messages none of them goes by itself. */
  readonly hold: () => void
  readonly release: () => void
}

export const TOASTS: InjectionKey<Toasts> = Symbol('toasts')
const SHOWN_MAX = 4
const PLAIN_MS = 5_000
/** Undo and failures stay long enough to be read and reached by keyboard. */
const LONG_MS = 15_000
const GRACE_MS = 2_000

export function createToasts(later: (run: () => void, ms: number) => void = (run, ms) => void setTimeout(run, ms)): Toasts {
  const items = ref<Toast[]>([])
  const due = new Set<number>()
  let held = false
  let next = 1
  const dismiss = (id: number) => {
    due.delete(id)
    items.value = items.value.filter(item => item.id !== id)
  }
  const expire = (id: number) => {
    if (held)
      due.add(id)
    else
      dismiss(id)
  }
  const show = (toast: Omit<Toast, 'id'>, ms: number) => {
    const id = next++
    items.value = [...items.value, { ...toast, id }].slice(-SHOWN_MAX)
    later(() => expire(id), ms)
  }
  return {
    items,
    dismiss,
    hold: () => { held = true },
    release: () => {
      held = false
      // A moment to come back with the pointer.
      due.forEach(id => later(() => expire(id), GRACE_MS))
      due.clear()
    },
    done: (text, undo) => show({ text, kind: 'done', ...(undo ? { undo } : {}) }, undo ? LONG_MS : PLAIN_MS),
    failed: (what, error) => show({ text: `${what}: ${explain(error)}`, kind: 'failed', request: requestId(error) }, LONG_MS),
  }
}

export function useToasts(): Toasts {
  const toasts = inject(TOASTS)
  if (!toasts)
    throw new Error('no toasts are provided')
  return toasts
}
