// Enable, disable and delete with undo, for one agent or many.
import type { Agent } from '@/api/types'
import { useQueryClient } from '@tanstack/vue-query'
import { keys } from '@/api/keys'
import { applyEvents } from '@/api/lists'
import { plural } from '@/lib/format'
import { useToasts } from '@/ui/toast'
import { withLabels } from './list'
import { agentActions } from './queries'

export function useAgentActions(workspace: () => string) {
  const client = useQueryClient()
  const toasts = useToasts()

  async function each(agents: readonly Agent[], run: (agent: Agent) => Promise<unknown>, done: string, what: string, undo?: () => void) {
    const outcomes = await Promise.allSettled(agents.map(run))
    void client.invalidateQueries({ queryKey: keys.agents(workspace()) })
    void client.invalidateQueries({ queryKey: keys.probes(workspace()) })
    const failure = outcomes.find(outcome => outcome.status === 'rejected')
    if (failure)
      toasts.failed(what, failure.reason)
    else
      toasts.done(done, undo)
  }
  const setEnabled = (agents: readonly Agent[], enabled: boolean) => each(agents, async (agent) => {
    const changed = await agentActions.update(workspace(), agent.id, { enabled })
    applyEvents(client, workspace(), [{ type: 'agent', agent: changed }])
  }, `${plural(agents.length, 'agent')} ${enabled ? 'enabled' : 'disabled'}`, 'Not everything was changed')

  const setLabels = (agents: readonly Agent[], add: readonly string[], drop: readonly string[]) => each(agents, async (agent) => {
    const changed = await agentActions.update(workspace(), agent.id, { labels: withLabels(agent.labels, add, drop) })
    applyEvents(client, workspace(), [{ type: 'agent', agent: changed }])
  }, `Labels of ${plural(agents.length, 'agent')} changed`, 'Not every label was changed', () => void each(agents, agent => agentActions.update(workspace(), agent.id, { labels: agent.labels }), 'Labels are as before', 'Could not undo'))

  const restore = (agents: readonly Agent[]) => each(agents, agent => agentActions.restore(workspace(), agent.id), `${plural(agents.length, 'agent')} restored`, 'Could not restore')

  const remove = (agents: readonly Agent[]) => each(agents, async (agent) => {
    await agentActions.remove(workspace(), agent.id)
    applyEvents(client, workspace(), [{ type: 'agent_gone', agent: agent.id }])
  }, `${plural(agents.length, 'agent')} deleted`, 'Could not delete', () => void restore(agents))
  return { setEnabled, setLabels, remove }
}
