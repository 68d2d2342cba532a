// Puts the panel together: cache, router, live connection, toasts; then mounts it.
import './style/fonts.css'
import './style/base.css'
import { QueryClient, VueQueryPlugin } from '@tanstack/vue-query'
import { createApp } from 'vue'
import App from './App.vue'
import { keys } from './api/keys'
import { browserEnvironment, LiveClient } from './api/live'
import { ApiError } from './api/problem'
import { LIVE } from './app/context'
import { createPanelRouter } from './app/router'
import { startTheme } from './app/theme'
import { createToasts, TOASTS } from './ui/toast'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // What the server refused stays refused; what it could not answer is asked again.
      retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      refetchOnWindowFocus: false,
    },
  },
})

const live = new LiveClient(browserEnvironment(), () => {
  client.setQueryData(keys.me, null)
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`)
})
window.addEventListener('online', () => live.retryNow())

// The page's code comes while the session is asked for, not after.
const router = createPanelRouter(client)
for (const { components } of router.resolve(location.pathname).matched)
  if (typeof components?.default === 'function')
    void (components.default as () => Promise<unknown>)()

startTheme()
createApp(App)
  .use(VueQueryPlugin, { queryClient: client })
  .use(router)
  .provide(LIVE, live)
  .provide(TOASTS, createToasts())
  .mount('#app')
