// Every page of the panel, by the name of its pictures.
export const PAGES: Record<string, string> = {
  'overview': '/w/default', 'agents': '/w/default/agents', 'agent': '/w/default/agents/a1', 'probes': '/w/default/probes', 'probe-new': '/w/default/probes/new?agent=a1',
  'probe': '/w/default/probes/p1?from=now-24h&to=now', 'probe-path': '/w/default/probes/p901?from=now-24h&to=now', 'probe-diff': '/w/default/probes/p901?from=now-24h&to=now&before=1769212800000', 'probe-edit': '/w/default/probes/p1/edit', 'compare': '/w/default/probes/compare?probes=p1,p2&from=now-24h&to=now', 'map': '/w/default/map', 'map-flat': '/w/default/map?hops=none&layout=concentric', 'agent-interfaces': '/w/default/agents/a1/interfaces', 'interface-table': '/w/default/agents/a1/interfaces?view=table', 'uplinks': '/w/default/uplinks', 'traces': '/w/default/traces', 'trace': '/w/default/traces/tr1', 'settings': '/w/default/settings', 'members': '/w/default/settings/members',
  'roles': '/w/default/settings/roles', 'audit': '/w/default/audit', 'help': '/w/default/help', 'welcome': '/w/default/welcome', 'account': '/account', 'admin': '/admin', 'instance-audit': '/admin/audit', 'workspaces': '/?all=1', 'missing': '/nowhere',
  'login': '/login', 'invite': '/invite/0123456789abcdef',
}
