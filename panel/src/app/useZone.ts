// In which zone times are shown: the URL first (a link shows the same everywhere), then the user's choice.
import type { ComputedRef } from 'vue'
import { useQuery } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { formatLocal, isZone, zoneLabel } from '@/lib/zone'
import { usePreferences, useWorkspace } from './context'

export function browserZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

/** What a choice means; an unknown name falls back to the browser's. */
export function zoneName(choice: string | undefined, workspaceZone: string | undefined): string {
  if (choice === 'utc')
    return 'UTC'
  if (choice === 'workspace' && workspaceZone !== undefined && isZone(workspaceZone))
    return workspaceZone
  return choice !== undefined && choice !== 'browser' && choice !== 'workspace' && isZone(choice) ? choice : browserZone()
}

export interface Zone {
  readonly zone: ComputedRef<string>
  readonly choice: ComputedRef<string>
  readonly stamp: (us: number, withSeconds?: boolean) => string
}

export function useZone(): Zone {
  const route = useRoute()
  const preferences = usePreferences()
  const { slug } = useWorkspace()
  const workspace = useQuery({
    queryKey: computed(() => keys.settings(slug.value)),
    queryFn: ({ signal }) => unwrap(api.GET('/workspaces/{workspace}', { params: { path: { workspace: slug.value } }, signal })),
    enabled: computed(() => slug.value !== ''),
    staleTime: 300_000,
  })
  const choice = computed(() => typeof route.query.tz === 'string' ? route.query.tz : preferences.value.zone ?? 'browser')
  const zone = computed(() => zoneName(choice.value, workspace.data.value?.settings.time_zone))
  return {
    zone,
    choice,
    stamp: (us, withSeconds = true) => `${formatLocal(us / 1000, zone.value, withSeconds)} ${zoneLabel(us / 1000, zone.value)}`,
  }
}
