// States and settings of a trace in words.
import type { Look } from '@/lib/grade'
import type { Trace, TraceState } from './types'

export const TRACE_LOOK: Readonly<Record<TraceState, Look>> = {
  waiting: { word: 'Waiting', shape: 'clock', colour: '--unknown' },
  running: { word: 'Running', shape: 'half', colour: '--good' },
  done: { word: 'Done', shape: 'disc', colour: '--excellent' },
  failed: { word: 'Failed', shape: 'octagon', colour: '--critical' },
  cancelled: { word: 'Cancelled', shape: 'bars', colour: '--unknown' },
  expired: { word: 'Expired', shape: 'ring', colour: '--unknown' },
}

export const isOpen = ({ state }: Pick<Trace, 'state'>): boolean => state === 'waiting' || state === 'running'

/** What of the settings is worth saying. */
export function traceFacts({ settings }: { readonly settings: Partial<Trace['settings']> }): string[] {
  const { protocol, port, flows, cycles, interface: device, family, dscp, size } = settings
  return [
    protocol ? `${protocol.toUpperCase()}${port ? ` to port ${port}` : ''}` : '',
    flows === 'mda' ? 'all paths' : flows === undefined ? '' : flows === '1' ? 'one flow' : `${flows} flows`,
    cycles === undefined ? '' : `${cycles} packets to each hop and flow`,
    device ? `by ${device}` : '', family && family !== 'auto' ? (family === 'v4' ? 'IPv4' : 'IPv6') : '', dscp ? `DSCP ${dscp}` : '', size !== undefined && size !== 64 ? `${size} bytes` : '',
  ].filter(fact => fact !== '')
}

/** What a trace that has ended without a path is to be told. */
export function endText(trace: Pick<Trace, 'state' | 'reason' | 'cycles_done'>): string {
  switch (trace.state) {
    case 'expired': return trace.reason ? `It expired: ${trace.reason}` : 'The agent did not take it up in time: it is not connected, or busy. Nothing was sent.'
    case 'cancelled': return trace.cycles_done > 0 ? 'It was cancelled; shown is what had come until then.' : 'It was cancelled before anything had come.'
    case 'failed': return trace.reason ? `It failed: ${trace.reason}` : 'It failed.'
    default: return ''
  }
}
