// Paths as the API says them, by the names that the path view uses.
import type { components } from '@/api/schema'

type S = components['schemas']
export type AgentRef = S['AgentRef']
export type HopVerdict = S['HopVerdict']
export type HopRtt = S['HopDelay']
export type MplsEntry = S['MplsEntry']
export type HopInterface = S['HopInterface']
export type Hop = S['PathHop']
export type PathLink = S['PathLink']
export type Path = S['Path']
export type PathChange = S['PathChange']
export type Route = S['Route']
export type PathChanges = S['PathChanges']
export type PathDiff = S['PathDiff']
export type ChangedPair = PathDiff['changed'][number]
