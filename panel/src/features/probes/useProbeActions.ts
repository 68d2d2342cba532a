// Pause, resume and delete with undo, for one probe or many; the cache is put right at once and by the answer.
import type { Probe, SettingValues } from '@/api/types'
import { useQueryClient } from '@tanstack/vue-query'
import { applyEvents } from '@/api/lists'
import { keys } from '@/api/keys'
import { plural } from '@/lib/format'
import { useToasts } from '@/ui/toast'
import { copyPlan } from './copy'
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

  async function setEnabled(probes: readonly Pick<Probe, 'id'>[], enabled: boolean, undoing = false) {
    const failures = await inParallel(ids(probes), PARALLEL, async (id) => {
      const probe = await probeActions.update(workspace(), id, { enabled })
      applyEvents(client, workspace(), [{ type: 'probe', probe }])
    })
    await finish(failures, `${plural(probes.length, 'probe')} ${enabled ? 'resumed' : 'paused'}`, 'Not everything was changed', undoing ? undefined : () => void setEnabled(probes, !enabled, true))
  }

  /** Each probe gets its own settings; undoing gives back what was replaced. */
  async function applySettings(changes: readonly { readonly id: string, readonly settings: SettingValues, readonly before?: SettingValues }[], done: string) {
    const failures = await inParallel(changes, PARALLEL, async ({ id, settings }) => {
      const probe = await probeActions.update(workspace(), id, { settings })
      applyEvents(client, workspace(), [{ type: 'probe', probe }])
    })
    const back = changes.flatMap(({ id, before }) => before ? [{ id, settings: before }] : [])
    await finish(failures, done, 'Not everything was changed', back.length > 0 ? () => void applySettings(back, `${plural(back.length, 'probe')} changed back`) : undefined)
  }

  async function setSettings(probes: readonly Pick<Probe, 'id' | 'settings'>[], settings: SettingValues) {
    const before = (probe: Pick<Probe, 'settings'>) => Object.fromEntries(Object.keys(settings).flatMap((name) => {
      const value = probe.settings[name]
      return value === undefined ? [] : [[name, value]]
    }))
    await applySettings(probes.map(probe => ({ id: probe.id, settings, before: before(probe) })), `${plural(probes.length, 'probe')} changed`)
  }

  /** The same measurements from more agents. What such an agent measures already is left out. Undoing deletes, which not everybody may who may create. */
  async function copyTo(probes: readonly Probe[], agents: readonly string[], present: readonly Probe[], mayDelete: boolean) {
    const plan = copyPlan(probes, agents, present)
    const made: Probe[] = []
    const failures = await inParallel(plan, PARALLEL, async ({ probe, agents: onto }) => {
      const { items } = await probeActions.create(workspace(), { kind: probe.kind, name: '', enabled: probe.enabled, agent_ids: onto, settings: probe.settings })
      made.push(...items)
      applyEvents(client, workspace(), items.map(item => ({ type: 'probe' as const, probe: item })))
    })
    void client.invalidateQueries({ queryKey: keys.targets(workspace()) })
    await finish(failures, made.length === 0 ? 'Nothing to copy: all of it is measured there already' : `${plural(made.length, 'probe')} created`, 'Not everything was copied', made.length > 0 && mayDelete ? () => void remove(made) : undefined)
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
  return { setEnabled, setSettings, copyTo, remove }
}
