// Traces on demand as the API says them.
import type { components } from '@/api/schema'

type S = components['schemas']
export type Trace = S['Trace']
export type TraceState = Trace['state']
export type TraceSettings = Trace['settings']
export type TraceStart = S['TraceStart']
export type TraceList = S['TraceList']
