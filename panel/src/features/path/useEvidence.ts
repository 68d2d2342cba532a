// Puts the path into the clipboard as plain text for a provider.
import type { Path } from './types'
import { useToasts } from '@/ui/toast'
import { evidenceText } from './evidence'

export function useEvidence(): (path: Path | null | undefined) => Promise<void> {
  const toasts = useToasts()
  return async (path) => {
    if (!path)
      return
    try {
      await navigator.clipboard.writeText(evidenceText(path))
      toasts.done('The path was copied as text, with times in UTC')
    }
    catch (error) {
      toasts.failed('Could not copy', error)
    }
  }
}
