// What happened to a probe and around it, in words: for the verticals of the chart and for the list below it.
import type { Kind, ProbeEvent, SettingValue } from '@/api/types'
import type { ChartEvent } from '@/charts/paint-events'
import { DASH } from '@/lib/format'
import { settingText } from './form'

interface EventWord { readonly glyph: string, readonly word: string }

const WORD: Readonly<Record<ProbeEvent['kind'], EventWord>> = {
  agent_connected: { glyph: '⇡', word: 'agent connected' },
  agent_restarted: { glyph: '↻', word: 'agent restarted' },
  agent_disconnected: { glyph: '⇣', word: 'agent gone' },
  probe_created: { glyph: '+', word: 'created' },
  probe_changed: { glyph: '⚙', word: 'configuration' },
  probe_deleted: { glyph: '×', word: 'deleted' },
  probe_restored: { glyph: '⟲', word: 'restored' },
  annotation: { glyph: '✎', word: 'note' },
  route_change: { glyph: '⇄', word: 'route change' },
}

/** An edit that only stops or starts the probe says so. */
export function eventWord({ kind, detail }: ProbeEvent): EventWord {
  const enabled = kind === 'probe_changed' && Object.keys(detail).length === 1 ? detail.enabled : undefined
  if (Array.isArray(enabled))
    return enabled[1] === true ? { glyph: '▶', word: 'resumed' } : { glyph: '❙❙', word: 'paused' }
  return WORD[kind]
}

const isValue = (value: unknown): value is SettingValue => ['string', 'number', 'boolean'].includes(typeof value)

function changeText(name: string, change: unknown, kind: Kind | undefined): string[] {
  if (!Array.isArray(change) || change.length !== 2)
    return []
  const [before, after] = change as [unknown, unknown]
  const setting = kind?.settings.find(entry => `settings.${entry.name}` === name)
  const text = (value: unknown) => !isValue(value) ? DASH : setting ? settingText(setting, value) : value === true ? 'yes' : value === false ? 'no' : String(value) || DASH
  const label = setting?.label ?? name.replace(/^settings\./, '')
  return [`${label} ${text(before)} → ${text(after)}`]
}

const addresses = (value: unknown): string[] => Array.isArray(value) ? value.filter((entry): entry is string => typeof entry === 'string') : []

/** "3 hops added, 2 removed", and which, as far as they can be read. */
function routeChangeText({ text, detail }: ProbeEvent): string {
  const sign = (mark: string, value: unknown) => addresses(value).slice(0, 4).map(address => `${mark}${address}`)
  const which = [...sign('−', detail.removed), ...sign('+', detail.added)].join(' ')
  return which === '' ? text : `${text}: ${which}`
}

/** What there is to say beyond the word: the note, the reason, what was changed. */
export function eventText(event: ProbeEvent, kind: Kind | undefined): string {
  switch (event.kind) {
    case 'route_change': return routeChangeText(event)
    case 'annotation':
    case 'agent_disconnected': return event.text
    case 'agent_connected':
    case 'agent_restarted': return event.text === '' ? '' : `version ${event.text}`
    case 'probe_changed': return Object.entries(event.detail).flatMap(([name, change]) => changeText(name, change, kind)).join(', ')
    default: return ''
  }
}

/** For the chart, in the order of time. What people wrote is shown by its text. */
export function chartEvents(events: readonly ProbeEvent[]): ChartEvent[] {
  return events.map((event) => {
    const { glyph, word } = eventWord(event)
    const note = event.kind === 'annotation'
    return {
      seconds: event.at_us / 1e6, glyph, label: note ? event.text : word,
      ...(note ? { strong: true } : {}), ...(event.until_us === null ? {} : { until: event.until_us / 1e6 }),
    }
  })
}
