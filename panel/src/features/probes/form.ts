// The probe form, made from a kind's declaration: what each field shows, and the server's rules checked as one types.
import type { KindSetting, SettingValue, SettingValues } from '@/api/types'
import { durationText, parseDuration } from '@/lib/duration'
import { count, DASH } from '@/lib/format'
import { isHost } from '@/lib/host'

/** What stands in the fields: text as typed, or a switch. */
export type Draft = Record<string, string | boolean>

/** No control characters, nothing that has no UTF-8. */
function isClean(text: string): boolean {
  return !/[\u0000-\u001F\u007F]/.test(text) && !/[\uD800-\uDFFF]/u.test(text)
}

function shownValue(setting: KindSetting, value: SettingValue | null | undefined): string | boolean {
  if (setting.type === 'boolean')
    return value === true
  if (value === null || value === undefined || setting.secret)
    return ''
  return setting.type === 'duration' && typeof value === 'number' ? durationText(value) : String(value)
}

export function draftOf(settings: readonly KindSetting[], values: SettingValues = {}): Draft {
  return Object.fromEntries(settings.map(setting => [setting.name, shownValue(setting, values[setting.name] ?? setting.default)]))
}

function range(setting: KindSetting): string {
  if (setting.type === 'duration')
    return `${durationText(setting.min)} to ${durationText(setting.max)}`
  return `${count(setting.min)} to ${count(setting.max)}${setting.unit === '' ? '' : ` ${setting.unit}`}`
}

/** What is wrong with a field, or nothing. The server checks again and has the last word. */
export function fieldProblem(setting: KindSetting, value: string | boolean | undefined, isNew: boolean): string | undefined {
  if (typeof value === 'boolean')
    return undefined
  const text = (value ?? '').trim()
  if (text === '')
    return setting.required && (isNew || !setting.secret) ? 'Is required' : undefined
  switch (setting.type) {
    case 'target':
      return isHost(text) ? undefined : 'Must be a host name or an address'
    case 'integer': {
      const number = Number(text)
      return Number.isInteger(number) && number >= setting.min && number <= setting.max ? undefined : `Must be a whole number, ${range(setting)}`
    }
    case 'duration': {
      const ms = parseDuration(text)
      return ms !== null && ms >= setting.min && ms <= setting.max ? undefined : `Must be a length of time such as 500 ms, 30 s or 5 min, ${range(setting)}`
    }
    case 'choice':
      return setting.choices.some(choice => choice.value === text) ? undefined : 'Must be one of the choices'
    case 'interface':
      if (/[/ ]/.test(text))
        return 'Must be a network device\'s name'
      break
    default:
  }
  if (!isClean(text))
    return 'Must not contain control characters'
  return new TextEncoder().encode(text).length <= setting.max ? undefined : `Must be at most ${setting.max} bytes long`
}

export function problemsOf(settings: readonly KindSetting[], draft: Draft, isNew: boolean): Record<string, string> {
  return Object.fromEntries(settings.flatMap((setting) => {
    const problem = fieldProblem(setting, draft[setting.name], isNew)
    return problem === undefined ? [] : [[setting.name, problem]]
  }))
}

/** The draft as the API takes it. An emptied field goes back to its default; a secret left empty stays as it is. */
export function settingsOf(settings: readonly KindSetting[], draft: Draft): SettingValues {
  const out: SettingValues = {}
  for (const setting of settings) {
    const value = draft[setting.name]
    if (typeof value === 'boolean') {
      out[setting.name] = value
      continue
    }
    const text = (value ?? '').trim()
    if (text === '') {
      if (!setting.secret && setting.default !== null)
        out[setting.name] = setting.default
    }
    else if (setting.type === 'integer') {
      out[setting.name] = Number(text)
    }
    else if (setting.type === 'duration') {
      out[setting.name] = parseDuration(text) ?? 0
    }
    else {
      out[setting.name] = text
    }
  }
  return out
}

/** A bulk edit changes only what was filled in: the settings whose fields are not empty. */
export function filledSettings(settings: readonly KindSetting[], draft: Readonly<Record<string, string>>): { values: SettingValues, problems: Record<string, string> } {
  const filled = settings.filter(setting => (draft[setting.name] ?? '').trim() !== '')
  const typed: Draft = Object.fromEntries(filled.map(setting => [setting.name, setting.type === 'boolean' ? draft[setting.name] === 'yes' : draft[setting.name] ?? '']))
  return { values: settingsOf(filled, typed), problems: problemsOf(filled, typed, false) }
}

/** A stored setting as a person reads it. */
export function settingText(setting: KindSetting, value: SettingValue | undefined): string {
  if (setting.secret)
    return '••••••'
  if (value === undefined || value === '')
    return DASH
  if (typeof value === 'boolean')
    return value ? 'Yes' : 'No'
  if (setting.type === 'duration' && typeof value === 'number')
    return durationText(value)
  if (setting.type === 'choice')
    return setting.choices.find(choice => choice.value === value)?.label ?? String(value)
  return typeof value === 'number' ? `${count(value)}${setting.unit === '' ? '' : ` ${setting.unit}`}` : value
}
