// What a hop's missing answers mean, in words. A router that answers little is no fault: only packets that are lost on
// their way through ("forwarding") are called loss.
import type { Look } from '@/lib/grade'
import type { Hop, HopVerdict } from './types'
import { DASH, joined, percent, share } from '@/lib/format'
import { GRADE_LOOK } from '@/lib/grade'

interface Words { readonly word: string, readonly meaning: string }

export const VERDICT_WORDS: Readonly<Record<HopVerdict, Words>> = {
  none: { word: 'No loss', meaning: 'Nothing is lost here.' },
  forwarding: { word: 'Loses packets', meaning: 'Packets are lost on their way to here, and the hops behind see it as well.' },
  rate_limited: { word: 'Limits replies', meaning: 'The router answers less than it forwards. Traffic through it is not affected.' },
  silent: { word: 'Never answers', meaning: 'The router answers nothing but forwards: hops behind it do answer.' },
  filtered: { word: 'Nothing from here on', meaning: 'From here on nothing answers, and the target was not reached.' },
}

const QUIET: Look = { word: '', shape: 'ring', colour: '--unknown' }
const isFault = (grade: Hop['grade']) => grade === 'fair' || grade === 'poor' || grade === 'critical'

/** Shape and colour are of the grade; what is no fault has neither. */
export function verdictLook({ verdict, grade, last, received, answer }: Pick<Hop, 'verdict' | 'grade' | 'last' | 'received' | 'answer'>): Look {
  const { word } = VERDICT_WORDS[verdict]
  switch (verdict) {
    case 'rate_limited':
    case 'silent': return { ...QUIET, word }
    case 'filtered': return { ...(isFault(grade) ? GRADE_LOOK[grade] : QUIET), word }
    case 'forwarding': return { ...GRADE_LOOK[grade], word }
    default: return received === 0 ? { ...QUIET, word: 'No answer yet' } : { ...GRADE_LOOK[grade], word: answer === 'unreachable' ? 'Says unreachable' : last ? 'Reached' : word }
  }
}

/** "sure to 98 %": how well the verdict explains what was seen. A hop of which nothing is missing needs none. */
export function confidenceText({ verdict, confidence, sent, received }: Pick<Hop, 'verdict' | 'confidence' | 'sent' | 'received'>): string {
  return verdict === 'none' && sent === received ? '' : `sure to ${joined(percent(confidence))}`
}

export function limitText(perSecond: number | null): string {
  if (perSecond === null)
    return ''
  return perSecond >= 1 ? `about ${Number(perSecond.toPrecision(2))} a second` : `about one in ${Number((1 / Math.max(1e-9, perSecond)).toPrecision(2))} s`
}

export interface LossCell {
  readonly text: string
  /** What stands below or behind it, never as alarming. */
  readonly note: string
  /** It is loss, and the hop's grade says how bad. */
  readonly fault: boolean
}

/** The loss column. Counts are those of the hop; what a limiter or a silent router does not answer is not loss. */
export function lossCell(hop: Pick<Hop, 'verdict' | 'sent' | 'received' | 'limit_per_second' | 'forwarding_loss_ratio'>): LossCell {
  const { sent, received } = hop
  if (sent === 0)
    return { text: DASH, note: '', fault: false }
  switch (hop.verdict) {
    case 'rate_limited': {
      const through = hop.forwarding_loss_ratio
      const lost = through !== null && through > 0
      return { text: lost ? joined(percent(through)) : '0 %', note: `answers ${received} of ${sent}${hop.limit_per_second === null ? '' : `, ${limitText(hop.limit_per_second)}`}`, fault: lost }
    }
    case 'silent':
    case 'filtered':
      return { text: DASH, note: `answers ${received === 0 ? 'none' : received} of ${sent}`, fault: false }
    default:
      return received === sent ? { text: '0 %', note: '', fault: false } : { text: share(sent - received, sent), note: '', fault: hop.verdict === 'forwarding' }
  }
}

const ICMP_WORDS: Readonly<Record<string, string>> = { exceeded: 'time exceeded', arrived: 'arrived', unreachable: 'unreachable', too_big: 'packet too big', none: 'no answer' }
export const answerWord = (answer: string): string => ICMP_WORDS[answer] ?? answer.replaceAll('_', ' ')
