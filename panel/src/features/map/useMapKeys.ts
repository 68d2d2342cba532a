// Single keys of the map: layouts, the next problem, paths of a pair, and out again. Capital letters are keys of their
// own. Silent while a field has the focus, after the `G` that goes to another page, and when single keys are turned off
// (WCAG 2.1.4); Escape always leads out.
import { onBeforeUnmount, onMounted } from 'vue'
import { usePreferences } from '@/app/context'
import { isTyping } from '@/app/useShortcuts'

const SEQUENCE_MS = 1200

export function useMapKeys(keys: Readonly<Record<string, () => void>>): void {
  const preferences = usePreferences()
  let goesUntil = 0
  function onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || isTyping(event.target))
      return
    if (!(preferences.value.shortcuts ?? true) && event.key !== 'Escape')
      return
    // A dialog or a menu has its keys to itself.
    if (document.querySelector('[role=dialog], [role=menu]'))
      return
    const goes = performance.now() < goesUntil
    goesUntil = event.key === 'g' && !goes ? performance.now() + SEQUENCE_MS : 0
    const run = keys[event.key]
    if (goes || !run)
      return
    event.preventDefault()
    run()
  }
  onMounted(() => window.addEventListener('keydown', onKey))
  onBeforeUnmount(() => window.removeEventListener('keydown', onKey))
}
