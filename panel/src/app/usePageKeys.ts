// Single keys of one page; they win over the shell's of the same name, are silent while a field has the focus or a dialog
// is open, and can be turned off altogether (WCAG 2.1.4).
import { onBeforeUnmount, onMounted } from 'vue'
import { usePreferences } from './context'
import { isTyping } from './useShortcuts'

/** A key does its work, or returns false: it was not meant. */
export function usePageKeys(keys: Readonly<Record<string, () => unknown>>): void {
  const preferences = usePreferences()
  function onKey(event: KeyboardEvent): void {
    if (event.metaKey || event.ctrlKey || event.altKey || event.defaultPrevented || isTyping(event.target) || !(preferences.value.shortcuts ?? true))
      return
    if (document.querySelector('[role=dialog]'))
      return
    const run = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key]
    if (!run || run() === false)
      return
    event.preventDefault()
    event.stopImmediatePropagation()
  }
  // In the capture phase: before the shell, which listens at the window as well.
  onMounted(() => window.addEventListener('keydown', onKey, true))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey, true))
}
