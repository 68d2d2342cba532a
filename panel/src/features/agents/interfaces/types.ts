// Interfaces, routes and what happened to them as the API says it.
import type { components } from '@/api/schema'

type S = components['schemas']
export type InterfaceAddress = S['InterfaceAddress']
export type Gateway = S['Gateway']
export type NetInterface = S['Interface']
export type InterfaceState = NetInterface['state']
export type RouteEntry = S['RouteEntry']
export type Rule = S['RoutingRule']
export type Interfaces = S['Interfaces']
export type InterfaceChange = S['InterfaceChange']
export type InterfaceChanges = S['InterfaceChangeList']
