// Which probes are made when some are copied to other agents.
import type { Probe } from '@/api/types'

export interface CopyStep {
  readonly probe: Probe
  readonly agents: string[]
}

const same = (a: Probe, b: Probe) => a.kind === b.kind && (a.target?.address ?? '') === (b.target?.address ?? '')

/** One measurement is copied once however many agents it was chosen from, and not to where it exists. */
export function copyPlan(chosen: readonly Probe[], agents: readonly string[], present: readonly Probe[]): CopyStep[] {
  const distinct = chosen.filter((probe, i) => chosen.findIndex(other => same(other, probe)) === i)
  return distinct.flatMap((probe) => {
    const onto = agents.filter(agent => !present.some(other => other.agent.id === agent && same(other, probe)))
    return onto.length > 0 ? [{ probe, agents: onto }] : []
  })
}
