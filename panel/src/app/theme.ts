// How the panel looks: light, dark or as the system says; the scale of the grades; how close rows stand. Kept in
// localStorage as well, so that the sign-in page and the first paint know it.
import type { ComputedRef } from 'vue'
import type { Preferences } from '@/api/types'
import { computed, ref, watch } from 'vue'
import { usePreferences } from './context'

export type Theme = NonNullable<Preferences['theme']>
export type Colours = NonNullable<Preferences['colours']>
const STORED = 'nw-theme'
const STORED_COLOURS = 'nw-colours'

function stored(): Theme {
  const value = localStorage.getItem(STORED)
  return value === 'light' || value === 'dark' ? value : 'system'
}

const choice = ref<Theme>('system')
const colours = ref<Colours>('standard')
/** Grows when colours change; charts read their colours again. */
export const themeVersion = ref(0)

function apply(): void {
  const light = choice.value === 'light' || (choice.value === 'system' && matchMedia('(prefers-color-scheme: light)').matches)
  const next = light ? 'light' : 'dark'
  const { dataset } = document.documentElement
  if (dataset.theme === next && (dataset.colours ?? 'standard') === colours.value)
    return
  dataset.theme = next
  dataset.colours = colours.value
  themeVersion.value += 1
}

export function startTheme(): void {
  choice.value = stored()
  colours.value = localStorage.getItem(STORED_COLOURS) === 'classic' ? 'classic' : 'standard'
  apply()
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', apply)
  watch([choice, colours], apply)
}

export function setTheme(theme: Theme): void {
  choice.value = theme
  localStorage.setItem(STORED, theme)
}

export function setColours(next: Colours): void {
  colours.value = next
  localStorage.setItem(STORED_COLOURS, next)
}

export function useTheme() {
  return { choice, setTheme, colours, setColours }
}

/** What the controller keeps wins over what this browser remembers. */
export function takeLook(preferences: Preferences): void {
  if (preferences.theme)
    setTheme(preferences.theme)
  setColours(preferences.colours ?? 'standard')
  document.documentElement.dataset.density = preferences.density ?? 'auto'
}

const COMFORTABLE_PX = 36
const COMPACT_PX = 28
/** From so many rows on a table is compact unless somebody has chosen otherwise. */
const MANY_ROWS = 50

export function rowHeightFor(density: Preferences['density'], rows: number): number {
  return density === 'compact' || (density === undefined && rows > MANY_ROWS) ? COMPACT_PX : COMFORTABLE_PX
}

export function useRowHeight(rows: () => number): ComputedRef<number> {
  const preferences = usePreferences()
  return computed(() => rowHeightFor(preferences.value.density, rows()))
}
