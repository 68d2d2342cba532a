import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const panel = fileURLToPath(new URL('../../panel', import.meta.url))

// Each file by itself, one after the other: two that measure beside each other measure each other.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  resolve: { alias: { '@': `${panel}/src` } },
  test: {
    reporters: ['verbose'],
    expect: { poll: { timeout: 30_000 } },
    include: ['*.test.ts'],
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 120_000,
  },
})
