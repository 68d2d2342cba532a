import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { BaseSequencer } from 'vitest/node'
import type { TestSpecification } from 'vitest/node'

// What weighs the heap, by itself. Nothing here compares times: that is for bench/panel.
const ALONE = ['soak.test.ts']
// The longest first, so that both places are taken to the end.
const LONG = ['live.test.ts', 'routes.test.ts', 'missing.test.ts', 'panel.test.ts', 'journey.test.ts', 'map.test.ts', 'map-live.test.ts', 'path.test.ts']

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => LONG.includes(basename(moduleId)) ? LONG.indexOf(basename(moduleId)) : LONG.length
    const group = ({ project }: TestSpecification) => project.config.sequence.groupOrder
    return files.toSorted((a, b) => group(a) - group(b) || rank(a) - rank(b) || a.moduleId.localeCompare(b.moduleId))
  }
}

// Real browsers and real programs: generous deadlines, no retries that would hide a fault. Files share nothing: each has its
// browser, its controllers and ports, and its networks are namespaces.
export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    reporters: ['verbose'],
    // Vitest's own is one second: a budget for the machine, not a deadline.
    expect: { poll: { timeout: 30_000 } },
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'alone', include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 }, testTimeout: 120_000, hookTimeout: 120_000 } },
      { extends: true, test: { name: 'beside', include: ['*.test.ts'], exclude: ALONE, maxWorkers: 2, sequence: { groupOrder: 2 }, testTimeout: 120_000, hookTimeout: 120_000 } },
    ],
  },
})
