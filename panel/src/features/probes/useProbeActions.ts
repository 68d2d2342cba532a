// Pause, resume and delete with undo, for one probe or many; the cache is put right at once and by the answer.
import type { SettingValues } from '@/api/types'
import { useQueryClient } from '@tanstack/vue-query'
import { applyEvents } from '@/api/lists'
import { keys } from '@/api/keys'
import { plural } from '@/lib/format'
import { useToasts } from '@/ui/toast'
import { probeActions } from './queries'

/** How many requests of a bulk action are in flight. */
const PARALLEL = 6

export async function inParallel<T>(items: readonly T[], limit: number, run: (item: T) => Promise<unknown>): Promise<unknown[]> {
  const failures: unknown[] = []
  const queue = [...items]
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      try {
        await run(item)
      }
      catch (error) {
        failures.push(error)
      }
    }
  }))
  return failures
}

export function useProbeActions(workspace: () => string) {
  const client = useQueryClient()
  const toasts = useToasts()
  const ids = (items: readonly { id: string }[]) => items.map(item => item.id)

  async function finish(failures: unknown[], done: string, what: string, undo?: () => void) {
    void client.invalidateQueries({ queryKey: keys.probes(workspace()) })
    void client.invalidateQueries({ queryKey: keys.overview(workspace()) })
    if (failures.length > 0)
      toasts.failed(what, failures[0])
    else
      toasts.done(done, undo)
  }

  async function setEnabled(probes: readonly { id: string }[], enabled: boolean) {
    const failures = await inParallel(ids(probes), PARALLEL, async (id) => {
      const probe = await probeActions.update(workspace(), id, { enabled })
      applyEvents(client, workspace(), [{ type: 'probe', probe }])
    })
    await finish(failures, `${plural(probes.length, 'probe')} ${enabled ? 'resumed' : 'paused'}`, 'Not everything was changed')
  }

  async function setSettings(probes: readonly { id: string }[], settings: SettingValues) {
    const failures = await inParallel(ids(probes), PARALLEL, async (id) => {
      const probe = await probeActions.update(workspace(), id, { settings })
      applyEvents(client, workspace(), [{ type: 'probe', probe }])
    })
    await finish(failures, `${plural(probes.length, 'probe')} changed`, 'Not everything was changed')
  }

  async function restore(probes: readonly { id: string }[]) {
    const failures = await inParallel(ids(probes), PARALLEL, id => probeActions.restore(workspace(), id))
    await finish(failures, `${plural(probes.length, 'probe')} restored`, 'Could not restore')
  }

  async function remove(probes: readonly { id: string }[]) {
    const failures = await inParallel(ids(probes), PARALLEL, async (id) => {
      await probeActions.remove(workspace(), id)
      applyEvents(client, workspace(), [{ type: 'probe_gone', probe: id }])
    })
    await finish(failures, `${plural(probes.length, 'probe')} deleted`, 'Could not delete', () => void restore(probes))
  }
  return { setEnabled, setSettings, remove }
}
