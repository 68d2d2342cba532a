import { fileURLToPath } from 'node:url'
import tailwindcss from '@tailwindcss/vite'
import vue from '@vitejs/plugin-vue'
import { defineConfig } from 'vitest/config'

// In development requests go to a running controller; `--mode mock` answers them with the mock of the tests instead.
const CONTROLLER = process.env.NW_CONTROLLER ?? 'http://127.0.0.1:8080'

export default defineConfig(async ({ mode, command }) => ({
  plugins: [
    vue(),
    tailwindcss(),
    ...(command === 'serve' && mode === 'mock' ? [(await import('./tests/mock/plugin.ts')).mockPlugin()] : []),
  ],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  define: { __VUE_OPTIONS_API__: 'false', __VUE_PROD_DEVTOOLS__: 'false' },
  build: {
    target: 'es2022',
    // The policy is `default-src 'self'`: nothing may be inlined as data: or as a script.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    chunkSizeWarningLimit: 400,
  },
  server: {
    proxy: mode === 'mock' ? {} : { '/api': { target: CONTROLLER, ws: true, changeOrigin: false } },
  },
  test: {
    environment: 'happy-dom',
    include: ['src/**/*.test.ts', 'tests/unit/**/*.test.ts'],
    setupFiles: ['tests/unit/setup.ts'],
    restoreMocks: true,
    // A deadline for what never comes; how quick something is, is for bench/panel.
    testTimeout: 30_000,
  },
}))
