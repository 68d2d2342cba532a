// What a mounted component needs around it: the mock behind `fetch`, a router, a live socket that the test speaks for.
import type { MockController } from '../mock/server'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { vi } from 'vitest'
import { createMemoryHistory, createRouter } from 'vue-router'
import { keys } from '@/api/keys'
import { LiveClient } from '@/api/live'
import { LIVE } from '@/app/context'
import { routes } from '@/app/router'
import { createToasts, TOASTS } from '@/ui/toast'

interface TestSocket { onopen: (() => void) | null, onmessage: ((event: { data: unknown }) => void) | null, onclose: null, send: (text: string) => void, close: () => void }

export async function worldAt(path: string, mock: MockController) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  client.setQueryData(keys.me, { ...mock.me(), preferences: { zone: 'UTC' } })
  // The pages themselves are mounted by the tests; the routes are the panel's own.
  const router = createRouter({ history: createMemoryHistory(), routes: [...routes, { path: '/:rest(.*)*', component: { render: () => null } }] })
  await router.push(path)
  const sent: { type: string, id: number, topic?: string, trace?: string }[] = []
  let socket: TestSocket | undefined
  const live = new LiveClient({ open: () => (socket = { onopen: null, onmessage: null, onclose: null, send: text => void sent.push(JSON.parse(text) as never), close: () => {} }), now: () => 0, random: () => 0, later: () => () => {} })
  const toasts = createToasts(() => {})
  return {
    client, router, toasts, sent,
    /** The live connection is there. */
    connect: () => socket?.onopen?.(),
    say: (message: object) => socket?.onmessage?.({ data: JSON.stringify(message) }),
    global: { plugins: [[VueQueryPlugin, { queryClient: client }], router] as never, provide: { [LIVE as symbol]: live, [TOASTS as symbol]: toasts } },
  }
}

/** Every request as it came. */
export function answeredBy(mock: MockController): { method: string, url: URL, body: Record<string, unknown> }[] {
  const asked: { method: string, url: URL, body: Record<string, unknown> }[] = []
  vi.spyOn(globalThis, 'fetch').mockImplementation(async (input) => {
    const request = input as Request
    const url = new URL(request.url)
    const text = await request.clone().text()
    const body = text === '' ? {} : JSON.parse(text) as Record<string, unknown>
    asked.push({ method: request.method, url, body })
    const answer = mock.answer({ method: request.method, query: url.searchParams, path: url.pathname.replace('/api/v1/', '').split('/'), body })
    return new Response(answer.body === undefined ? null : JSON.stringify(answer.body), { status: answer.status, headers: { 'content-type': answer.status < 400 ? 'application/json' : 'application/problem+json' } })
  })
  return asked
}
