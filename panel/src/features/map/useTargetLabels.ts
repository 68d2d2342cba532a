// Labels of targets belong to the workspace, not to the network: they are put to the nodes here, so that targets can be
// grouped and found by them.
import type { ComputedRef, MaybeRefOrGetter } from 'vue'
import type { Topology } from '@/map/types'
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { allPages, api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'

export type LabelsByAddress = ReadonlyMap<string, string[]>

export function useTargetLabels(slug: MaybeRefOrGetter<string>): ComputedRef<LabelsByAddress> {
  const query = useQuery({
    queryKey: computed(() => [...keys.targets(toValue(slug)), 'labels']),
    queryFn: ({ signal }) => allPages(cursor => unwrap(api.GET('/workspaces/{workspace}/targets', { params: { path: { workspace: toValue(slug) }, query: { limit: 1000, ...(cursor === undefined ? {} : { cursor }) } }, signal }))),
    staleTime: 300_000,
  })
  return computed(() => new Map((query.data.value ?? []).flatMap(target => target.labels.length > 0 ? [[target.address, target.labels] as const] : [])))
}

export function withTargetLabels(topology: Topology, labels: LabelsByAddress): Topology {
  if (labels.size === 0)
    return topology
  return { ...topology, nodes: topology.nodes.map(node => node.kind === 'target' ? { ...node, labels: labels.get(node.name) ?? labels.get(node.address ?? '') ?? node.labels } : node) }
}
