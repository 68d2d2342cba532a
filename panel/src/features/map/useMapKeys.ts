// Single keys of the page: layouts, the next problem, paths of a pair, and out again. Silent while a field has the focus,
// and when single keys are turned off (WCAG 2.1.4).
import { onBeforeUnmount, onMounted } from 'vue'
import { usePreferences } from '@/app/context'
import { isTyping } from '@/app/useShortcuts'

export function useMapKeys(keys: Readonly<Record<string, () => void>>): void {
  const preferences = usePreferences()
  function onKey(event: KeyboardEvent): void {
    const off = !(preferences.value.shortcuts ?? true)
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target) || (off && event.key !== 'Escape'))
      return
    // A dialog or a menu has its keys to itself.
    if (event.target instanceof Element && event.target.closest('[role=dialog], [role=menu]'))
      return
    const run = keys[event.key]
    if (!run)
      return
    event.preventDefault()
    run()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
