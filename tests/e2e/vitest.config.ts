import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

// Real browsers and real programs: one file after the other, generous deadlines, no retries that would hide a fault.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    environment: 'node',
    include: ['*.test.ts'],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['verbose'],
  },
})
