// What the probe pages ask for.
import type { MaybeRefOrGetter } from 'vue'
import type { LiveClient } from '@/api/live'
import type { Probe, ProbeCreate, ProbeUpdate, Series } from '@/api/types'
import type { SeriesSource } from './useSeries'
import { useQuery } from '@tanstack/vue-query'
import { computed, toValue } from 'vue'
import { api, unwrap, unwrapWithTag } from '@/api/client'
import { keys } from '@/api/keys'
import { readAgents, readProbes } from '@/api/lists'

export { useKinds } from '@/api/kinds'

export function useProbes(workspace: MaybeRefOrGetter<string>) {
  return useQuery<Probe[]>({ queryKey: computed(() => keys.probes(toValue(workspace))), queryFn: ({ signal }) => readProbes(toValue(workspace), signal), staleTime: 60_000 })
}

export function useAgents(workspace: MaybeRefOrGetter<string>) {
  return useQuery({ queryKey: computed(() => keys.agents(toValue(workspace))), queryFn: ({ signal }) => readAgents(toValue(workspace), signal), staleTime: 60_000 })
}

export function useProbe(workspace: MaybeRefOrGetter<string>, probe: MaybeRefOrGetter<string>) {
  return useQuery<Probe>({
    queryKey: computed(() => keys.probe(toValue(workspace), toValue(probe))),
    queryFn: ({ signal }) => unwrap(api.GET('/workspaces/{workspace}/probes/{probe}', { params: { path: { workspace: toValue(workspace), probe: toValue(probe) } }, signal })),
    staleTime: 60_000,
  })
}

export function seriesSource(workspace: () => string, probe: () => string, live: LiveClient): SeriesSource {
  return {
    live,
    read: (fromUs, toUs, by, signal): Promise<Series> => unwrap(api.GET('/workspaces/{workspace}/probes/{probe}/series', {
      params: {
        path: { workspace: workspace(), probe: probe() },
        query: { from: Math.floor(fromUs), to: Math.ceil(toUs), baseline: true, ...('width' in by ? { width: by.width } : { step_us: by.stepUs }) },
      },
      signal,
    })),
  }
}

const path = (workspace: string, probe: string) => ({ path: { workspace, probe } })

export const probeActions = {
  create: (workspace: string, body: ProbeCreate) => unwrap(api.POST('/workspaces/{workspace}/probes', { params: { path: { workspace } }, body })),
  update: (workspace: string, probe: string, body: ProbeUpdate, etag?: string) => unwrap(api.PATCH('/workspaces/{workspace}/probes/{probe}', {
    params: { ...path(workspace, probe), header: etag ? { 'If-Match': etag } : {} }, body,
  })),
  remove: (workspace: string, probe: string) => unwrap(api.DELETE('/workspaces/{workspace}/probes/{probe}', { params: path(workspace, probe) })),
  restore: (workspace: string, probe: string) => unwrap(api.POST('/workspaces/{workspace}/probes/{probe}/restore', { params: path(workspace, probe) })),
  readForEdit: (workspace: string, probe: string) => unwrapWithTag(api.GET('/workspaces/{workspace}/probes/{probe}', { params: path(workspace, probe) })),
}
