// Single-key shortcuts of the shell. They are off while a field has the focus, and can be turned off altogether
// (WCAG 2.1.4). `G` and a letter goes to a page.
import { onBeforeUnmount, onMounted } from 'vue'

export interface Shortcuts {
  readonly keys: Readonly<Record<string, () => void>>
  readonly go: Readonly<Record<string, () => void>>
  readonly palette: () => void
  readonly enabled: () => boolean
}

const SEQUENCE_MS = 1200

export function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName))
}

export function useShortcuts(shortcuts: Shortcuts): void {
  let pendingUntil = 0
  function onKey(event: KeyboardEvent): void {
    if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      shortcuts.palette()
      return
    }
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTyping(event.target) || !shortcuts.enabled())
      return
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
    const inSequence = performance.now() < pendingUntil
    pendingUntil = 0
    if (!inSequence && key === 'g') {
      pendingUntil = performance.now() + SEQUENCE_MS
      return
    }
    const run = inSequence ? shortcuts.go[key] : shortcuts.keys[key]
    if (run) {
      event.preventDefault()
      run()
    }
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
