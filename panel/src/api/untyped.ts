// Requests of routes whose types are written by hand, because docs/openapi.yaml does not have them yet.
import { api } from './client'

interface Init {
  readonly params?: { readonly path?: Record<string, string>, readonly query?: Record<string, unknown> }
  readonly body?: unknown
  readonly signal?: AbortSignal
}
interface Answer<T> { data?: T, error?: unknown, response: Response }
type Ask = <T>(path: string, init?: Init) => Promise<Answer<T>>

export const untyped = api as unknown as { readonly GET: Ask, readonly POST: Ask, readonly DELETE: Ask }
