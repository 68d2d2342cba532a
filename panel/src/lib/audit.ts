// Entries of the audit log as sentences.
import type { AuditEntry } from '@/api/types'

const VERBS: Record<string, string> = {
  create: 'created', update: 'changed', delete: 'deleted', restore: 'restored', enrol: 'enrolled', issue: 'issued', accept: 'accepted', revoke: 'revoked',
  remove: 'removed', issue_enrolment: 'issued a token for', set_up: 'set up', change_password: 'changed the password of', sign_in: 'signed in', sign_out: 'signed out', denied: 'was refused', export: 'exported', end: 'ended',
}

export function actionText(entry: Pick<AuditEntry, 'action' | 'actor' | 'subject_type' | 'subject_name' | 'subject'>): string {
  const [area = '', verb = ''] = entry.action.split('.')
  const who = entry.actor?.name ?? 'The system'
  const what = entry.subject_name || entry.subject
  const done = VERBS[verb] ?? `${area} ${verb}`.replaceAll('_', ' ')
  if (entry.action === 'instance.set_up')
    return `${who} set up this instance`
  if (entry.action === 'agent.credential_shared')
    return `Two processes used the credential of agent ${what}`
  if (area === 'session' || what === '')
    return `${who} ${done}`
  return `${who} ${done} ${entry.subject_type.replaceAll('_', ' ')} ${what}`.replace(/\s+/g, ' ')
}

/** `field: before → after`, one per line. */
export function detailLines(detail: Readonly<Record<string, unknown>>): string[] {
  const text = (value: unknown) => value === null || value === undefined || value === '' ? '–' : typeof value === 'object' ? JSON.stringify(value) : String(value)
  return Object.entries(detail).map(([field, value]) => {
    if (!Array.isArray(value) || value.length !== 2)
      return `${field}: ${text(value)}`
    // Something new has nothing before.
    return value[0] === null ? `${field}: ${text(value[1])}` : `${field}: ${text(value[0])} → ${text(value[1])}`
  })
}
