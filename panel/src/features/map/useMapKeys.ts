// Single keys of the map: layouts, the next problem, paths of a pair, and out again. Capital letters are keys of their
// own. Silent while a field has the focus, after the `G` that goes to another page, and when single keys are turned off
// (WCAG 2.1.4); Escape always leads out, and Ctrl Z (on a Mac with its own key) is no single key.
import { onBeforeUnmount, onMounted } from 'vue'
import { usePreferences } from '@/app/context'
import { isTyping } from '@/app/useShortcuts'

const SEQUENCE_MS = 1200
/** A dialog or a menu has its keys to itself. */
const overlaid = () => document.querySelector('[role=dialog], [role=menu]') !== null

export function useMapKeys(keys: Readonly<Record<string, () => void>>, undo: () => void): void {
  const preferences = usePreferences()
  let goesUntil = 0
  const undoes = (event: KeyboardEvent) => event.key === 'z' && event.ctrlKey !== event.metaKey && !event.altKey
  function onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || isTyping(event.target))
      return
    if (undoes(event) && !overlaid()) {
      event.preventDefault()
      undo()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey)
      return
    if (!(preferences.value.shortcuts ?? true) && event.key !== 'Escape')
      return
    if (overlaid())
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
