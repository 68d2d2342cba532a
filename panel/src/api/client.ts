// The only place that talks HTTP. Types come from docs/openapi.yaml; answers that are not 2xx become ApiError.
import type { Middleware } from 'openapi-fetch'
import type { paths } from './schema'
import createClient from 'openapi-fetch'
import { ApiError, asProblem, unreachable } from './problem'

const TIMEOUT_MS = 30_000
const SAFE_METHODS = new Set(['GET', 'HEAD'])

let csrfToken = ''

/** The session's token, sent with everything that changes something. */
export function setCsrfToken(token: string): void {
  csrfToken = token
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (csrfToken !== '' && !SAFE_METHODS.has(request.method))
      request.headers.set('X-CSRF-Token', csrfToken)
    return request
  },
}

async function fetchWithDeadline(request: Request): Promise<Response> {
  try {
    return await fetch(request, { signal: AbortSignal.any([request.signal, AbortSignal.timeout(TIMEOUT_MS)]) })
  }
  catch (error) {
    if (request.signal.aborted)
      throw error
    throw unreachable()
  }
}

export const api = createClient<paths>({
  baseUrl: `${globalThis.location?.origin ?? ''}/api/v1`,
  fetch: fetchWithDeadline,
  credentials: 'same-origin',
})
api.use(csrf)

interface Answer<T> {
  data?: T
  error?: unknown
  response: Response
}

/** The body, or an ApiError. */
export async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  return (await unwrapWithTag(answer)).data
}

/** The body with its ETag, for edits that must not overwrite somebody else's. */
export async function unwrapWithTag<T>(answer: Promise<Answer<T>>): Promise<{ data: T, etag: string }> {
  const { data, error, response } = await answer
  if (!response.ok)
    throw new ApiError(asProblem(error, response.status))
  return { data: data as T, etag: response.headers.get('ETag') ?? '' }
}

/** Walks a list to its end. The pages are bounded so that a broken cursor cannot spin for ever. */
export async function allPages<T>(page: (cursor: string | undefined) => Promise<{ items: T[], next_cursor: string | null }>): Promise<T[]> {
  const items: T[] = []
  let cursor: string | undefined
  for (let n = 0; n < 200; n += 1) {
    const answer = await page(cursor)
    items.push(...answer.items)
    if (answer.next_cursor === null)
      break
    cursor = answer.next_cursor
  }
  return items
}
