// What the first page loads: the entry, the shell and the overview with everything they import statically.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

export function readManifest(root) {
  return JSON.parse(readFileSync(join(root, '.vite/manifest.json'), 'utf8'))
}

export function initialKeys(manifest) {
  const seen = new Set()
  const visit = (key) => {
    if (seen.has(key)) return
    seen.add(key)
    for (const next of manifest[key]?.imports ?? []) visit(next)
  }
  for (const key of ['index.html', 'src/app/Shell.vue', 'src/features/overview/OverviewPage.vue'])
    if (manifest[key]) visit(key)
  return [...seen]
}

/** Code and styles, below the root. */
export function initialFiles(root) {
  const manifest = readManifest(root)
  return initialKeys(manifest).flatMap(key => [manifest[key].file, ...manifest[key].css ?? []])
}
