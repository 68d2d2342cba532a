// What can go wrong with a request, in one shape: the server's problem+json, or the network's silence.
import type { components } from './schema'

export type Problem = components['schemas']['Problem']

export class ApiError extends Error {
  override readonly name = 'ApiError'

  constructor(readonly problem: Problem) {
    super(problem.detail ?? problem.title)
  }

  get status(): number { return this.problem.status }

  /** Messages by field; several of one field are joined. */
  get fields(): Record<string, string> {
    const found: Record<string, string> = {}
    for (const { field, message } of this.problem.errors ?? [])
      found[field] = field in found ? `${found[field]} ${message}` : message
    return found
  }
}

export function asProblem(body: unknown, status: number): Problem {
  if (typeof body === 'object' && body !== null && 'title' in body && typeof body.title === 'string')
    return { type: 'about:blank', request_id: '', ...body, status } as Problem
  return { type: 'about:blank', title: `The controller answered ${status}`, status, request_id: '' }
}

export function unreachable(): ApiError {
  return new ApiError({ type: 'about:blank', title: 'The controller does not answer', status: 0, request_id: '' })
}

/** The sentence for a person. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function requestId(error: unknown): string {
  return error instanceof ApiError ? error.problem.request_id : ''
}
