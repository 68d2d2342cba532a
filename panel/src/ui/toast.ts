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
}

export const TOASTS: InjectionKey<Toasts> = Symbol('toasts')
const SHOWN_MAX = 4
const PLAIN_MS = 5_000
/** Undo and failures stay long enough to be read and reached by keyboard. */
const LONG_MS = 15_000

export function createToasts(later: (run: () => void, ms: number) => void = (run, ms) => void setTimeout(run, ms)): Toasts {
  const items = ref<Toast[]>([])
  let next = 1
  const dismiss = (id: number) => { items.value = items.value.filter(item => item.id !== id) }
  const show = (toast: Omit<Toast, 'id'>, ms: number) => {
    const id = next++
    items.value = [...items.value, { ...toast, id }].slice(-SHOWN_MAX)
    later(() => dismiss(id), ms)
  }
  return {
    items,
    dismiss,
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
