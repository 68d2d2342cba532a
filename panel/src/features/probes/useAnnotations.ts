// Writes annotations; deleting one can be undone. The events of the charts are read again after each change, here at
// once and in every other open panel by the live event.
import type { Annotation } from '@/api/types'
import { useQueryClient } from '@tanstack/vue-query'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { useToasts } from '@/ui/toast'

export interface AnnotationDraft {
  readonly id?: string
  /** Nothing: of every probe of the workspace. */
  readonly probe: string | null
  readonly atUs: number
  readonly untilUs: number | null
  readonly text: string
}

export function useAnnotations(workspace: () => string) {
  const client = useQueryClient()
  const toasts = useToasts()
  const changed = () => client.invalidateQueries({ queryKey: keys.events(workspace()) })
  const path = (annotation: string) => ({ path: { workspace: workspace(), annotation } })

  async function save(draft: AnnotationDraft): Promise<Annotation> {
    const times = { at_us: Math.round(draft.atUs), until_us: draft.untilUs === null ? null : Math.round(draft.untilUs), text: draft.text }
    const saved = draft.id === undefined
      ? await unwrap(api.POST('/workspaces/{workspace}/annotations', { params: { path: { workspace: workspace() } }, body: { ...times, probe: draft.probe } }))
      : await unwrap(api.PATCH('/workspaces/{workspace}/annotations/{annotation}', { params: path(draft.id), body: times }))
    toasts.done(draft.id === undefined ? 'Noted' : 'Note changed')
    await changed()
    return saved
  }

  async function restore(annotation: Annotation): Promise<void> {
    try {
      await unwrap(api.POST('/workspaces/{workspace}/annotations/{annotation}/restore', { params: path(annotation.id) }))
      toasts.done('Note restored')
    }
    catch (error) {
      toasts.failed('The note was not restored', error)
    }
    await changed()
  }

  async function remove(annotation: Annotation): Promise<void> {
    try {
      await unwrap(api.DELETE('/workspaces/{workspace}/annotations/{annotation}', { params: path(annotation.id) }))
      toasts.done('Note deleted', () => void restore(annotation))
    }
    catch (error) {
      toasts.failed('The note was not deleted', error)
    }
    await changed()
  }
  return { save, remove }
}
