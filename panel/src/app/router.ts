// Routes. Every page of a workspace is below /w/:slug and code-split; what a page needs to be allowed is in its meta
// and comes from the API's permissions, never from role names.
import type { Permission } from '@/api/types'
import type { TimeRange } from '@/lib/time-range'
import type { QueryClient } from '@tanstack/vue-query'
import type { RouteRecordRaw, Router } from 'vue-router'
import { createRouter, createWebHistory } from 'vue-router'
import { api, unwrap } from '@/api/client'
import { keys } from '@/api/keys'
import { readMe } from './context'

declare module 'vue-router' {
  interface RouteMeta {
    title?: string
    public?: boolean
    /** Shows the time picker; the value is the range when the URL has none. */
    range?: TimeRange
    permission?: Permission
    siteAdmin?: boolean
    /** Entry of the navigation that is lit. */
    nav?: string
    parent?: { name: string, title: string }
  }
}

const HOUR: TimeRange = { from: 'now-1h', to: 'now' }
const DAY: TimeRange = { from: 'now-24h', to: 'now' }
const MONTH: TimeRange = { from: 'now-30d', to: 'now' }

const agents = { name: 'agents', title: 'Agents' }
const probes = { name: 'probes', title: 'Probes' }
const traces = { name: 'traces', title: 'Traces' }
const settings = { name: 'settings', title: 'Settings' }

const workspacePages: RouteRecordRaw[] = [
  { path: '', name: 'overview', component: () => import('@/features/overview/OverviewPage.vue'), meta: { title: 'Overview', nav: 'overview', range: DAY, permission: 'probes.read' } },
  { path: 'welcome', name: 'welcome', component: () => import('@/features/onboarding/WelcomePage.vue'), meta: { title: 'Getting started', nav: 'overview', permission: 'agents.write' } },
  { path: 'agents', name: 'agents', component: () => import('@/features/agents/AgentsPage.vue'), meta: { title: 'Agents', nav: 'agents', permission: 'agents.read' } },
  { path: 'agents/:agent', name: 'agent', component: () => import('@/features/agents/AgentPage.vue'), meta: { title: 'Agent', nav: 'agents', permission: 'agents.read', parent: agents } },
  { path: 'agents/:agent/interfaces', name: 'agent-interfaces', component: () => import('@/features/agents/interfaces/InterfacesPage.vue'), meta: { title: 'Interfaces', nav: 'agents', permission: 'agents.read', range: MONTH, parent: agents } },
  { path: 'probes', name: 'probes', component: () => import('@/features/probes/ProbesPage.vue'), meta: { title: 'Probes', nav: 'probes', permission: 'probes.read' } },
  { path: 'probes/new', name: 'probe-new', component: () => import('@/features/probes/ProbeFormPage.vue'), meta: { title: 'New probe', nav: 'probes', permission: 'probes.write', parent: probes } },
  { path: 'probes/compare', name: 'compare', component: () => import('@/features/probes/ComparePage.vue'), meta: { title: 'Compare', nav: 'probes', permission: 'probes.read', range: HOUR, parent: probes } },
  { path: 'probes/:probe', name: 'probe', component: () => import('@/features/probes/ProbePage.vue'), meta: { title: 'Probe', nav: 'probes', permission: 'probes.read', range: HOUR, parent: probes } },
  { path: 'probes/:probe/edit', name: 'probe-edit', component: () => import('@/features/probes/ProbeFormPage.vue'), meta: { title: 'Edit', nav: 'probes', permission: 'probes.write', parent: probes } },
  { path: 'map', name: 'map', component: () => import('@/features/map/MapPage.vue'), meta: { title: 'Map', nav: 'map', permission: 'probes.read', range: DAY } },
  { path: 'uplinks', name: 'uplinks', component: () => import('@/features/uplinks/UplinksPage.vue'), meta: { title: 'Uplinks', nav: 'uplinks', permission: 'agents.read', range: DAY } },
  { path: 'traces', name: 'traces', component: () => import('@/features/trace/TracesPage.vue'), meta: { title: 'Traces', nav: 'traces', permission: 'probes.read' } },
  { path: 'traces/:trace', name: 'trace', component: () => import('@/features/trace/TracePage.vue'), meta: { title: 'Trace', nav: 'traces', permission: 'probes.read', parent: traces } },
  { path: 'settings', name: 'settings', component: () => import('@/features/settings/SettingsPage.vue'), meta: { title: 'Settings', nav: 'settings', permission: 'workspace.read' } },
  { path: 'settings/members', name: 'members', component: () => import('@/features/settings/MembersPage.vue'), meta: { title: 'Members', nav: 'settings', permission: 'members.read', parent: settings } },
  { path: 'settings/roles', name: 'roles', component: () => import('@/features/settings/RolesPage.vue'), meta: { title: 'Roles', nav: 'settings', permission: 'workspace.read', parent: settings } },
  { path: 'audit', name: 'audit', component: () => import('@/features/audit/AuditPage.vue'), meta: { title: 'Audit log', nav: 'audit', permission: 'audit.read' } },
  { path: 'help', name: 'help', component: () => import('@/features/help/HelpPage.vue'), meta: { title: 'How to read this', nav: 'help' } },
]

export const routes: RouteRecordRaw[] = [
  { path: '/setup', name: 'setup', component: () => import('@/features/session/SetupPage.vue'), meta: { public: true, title: 'Set-up' } },
  { path: '/login', name: 'login', component: () => import('@/features/session/LoginPage.vue'), meta: { public: true, title: 'Sign in' } },
  { path: '/invite/:token', name: 'invite', component: () => import('@/features/session/InvitePage.vue'), meta: { public: true, title: 'Invitation' } },
  { path: '/', component: () => import('./Shell.vue'), children: [
    { path: '', name: 'home', component: () => import('@/features/workspaces/WorkspacesPage.vue'), meta: { title: 'Workspaces' } },
    { path: 'account', name: 'account', component: () => import('@/features/account/AccountPage.vue'), meta: { title: 'Account' } },
    { path: 'admin', name: 'admin', component: () => import('@/features/admin/AdminPage.vue'), meta: { title: 'Instance', siteAdmin: true } },
    { path: 'admin/audit', name: 'instance-audit', component: () => import('@/features/admin/InstanceAuditPage.vue'), meta: { title: 'Audit log', siteAdmin: true, parent: { name: 'admin', title: 'Instance' } } },
    { path: 'w/:slug', children: workspacePages },
    { path: ':rest(.*)*', name: 'missing', component: () => import('./MissingPage.vue'), meta: { title: 'Not found' } },
  ] },
]

async function setupNeeded(client: QueryClient): Promise<boolean> {
  const state = await client.fetchQuery({ queryKey: keys.setup, queryFn: () => unwrap(api.GET('/setup')), staleTime: 60_000 })
  return state.needed
}

/** Who is not signed in goes to the sign-in page (or to the set-up of a fresh instance) and comes back afterwards. */
export function createPanelRouter(client: QueryClient): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes,
    scrollBehavior: (to, from, saved) => saved ?? (to.path === from.path ? {} : { top: 0 }),
  })
  router.beforeEach(async (to) => {
    if (to.meta.public)
      return true
    try {
      const me = await client.fetchQuery({ queryKey: keys.me, queryFn: readMe, staleTime: 60_000 })
      if (me) {
        const only = me.memberships.length === 1 ? me.memberships[0] : undefined
        return to.name === 'home' && only && to.query.all === undefined ? { name: 'overview', params: { slug: only.workspace.slug } } : true
      }
      return await setupNeeded(client) ? { name: 'setup' } : { name: 'login', query: to.fullPath === '/' ? {} : { next: to.fullPath } }
    }
    catch {
      // The controller does not answer: the page itself says so and tries again.
      return true
    }
  })
  router.afterEach((to) => {
    document.title = to.meta.title ? `${to.meta.title} · NetWatcher` : 'NetWatcher'
  })
  return router
}
