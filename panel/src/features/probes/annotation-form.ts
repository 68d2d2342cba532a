// The fields of a note, checked as one types with the server's rules.
import { parseLocal } from '@/lib/zone'

export const TEXT_BYTES_MAX = 500

export interface NoteFields {
  readonly text: string
  readonly at: string
  /** Empty: a moment, not a span. */
  readonly until: string
}

export interface CheckedNote {
  readonly problems: Readonly<Partial<Record<keyof NoteFields, string>>>
  readonly atUs: number
  readonly untilUs: number | null
}

const FORM = 'Write a time such as 2026-01-24 14:00'

export function checkNote(fields: NoteFields, zone: string): CheckedNote {
  const problems: Partial<Record<keyof NoteFields, string>> = {}
  const text = fields.text.trim()
  const at = parseLocal(fields.at, zone)
  const until = fields.until.trim() === '' ? null : parseLocal(fields.until, zone) ?? Number.NaN
  if (text === '')
    problems.text = 'Is required'
  else if (new TextEncoder().encode(text).length > TEXT_BYTES_MAX)
    problems.text = `Must be at most ${TEXT_BYTES_MAX} bytes long`
  if (at === null)
    problems.at = FORM
  if (Number.isNaN(until))
    problems.until = FORM
  else if (until !== null && at !== null && until <= at)
    problems.until = 'Must be later than the beginning'
  return { problems, atUs: (at ?? 0) * 1000, untilUs: until === null ? null : until * 1000 }
}
