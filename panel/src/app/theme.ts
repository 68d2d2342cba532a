// Light, dark or as the system says. Kept in localStorage as well, so that the sign-in page and the first paint know it.
import type { Preferences } from '@/api/types'
import { ref, watch } from 'vue'

export type Theme = NonNullable<Preferences['theme']>
const STORED = 'nw-theme'

function stored(): Theme {
  const value = localStorage.getItem(STORED)
  return value === 'light' || value === 'dark' ? value : 'system'
}

const choice = ref<Theme>('system')
/** Grows when colours change; charts read their colours again. */
export const themeVersion = ref(0)

function apply(): void {
  const light = choice.value === 'light' || (choice.value === 'system' && matchMedia('(prefers-color-scheme: light)').matches)
  const next = light ? 'light' : 'dark'
  if (document.documentElement.dataset.theme === next)
    return
  document.documentElement.dataset.theme = next
  themeVersion.value += 1
}

export function startTheme(): void {
  choice.value = stored()
  apply()
  matchMedia('(prefers-color-scheme: light)').addEventListener('change', apply)
  watch(choice, apply)
}

export function setTheme(theme: Theme): void {
  choice.value = theme
  localStorage.setItem(STORED, theme)
}

export function useTheme() {
  return { choice, setTheme }
}
