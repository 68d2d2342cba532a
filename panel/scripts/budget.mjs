// Holds the build against its size budgets (gzip): what the first page loads, the CSS, and everything embedded.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { initialKeys, readManifest } from './manifest.mjs'

const root = process.argv[2] ?? 'dist'
const manifest = readManifest(root)
const gz = name => gzipSync(readFileSync(join(root, name)), { level: 9 }).length

const initial = initialKeys(manifest)
const js = initial.reduce((sum, key) => sum + gz(manifest[key].file), 0)
const css = [...new Set(initial.flatMap(key => manifest[key].css ?? []))].reduce((sum, name) => sum + gz(name), 0)

// As tools/embed_panel.py takes them: packed where there is a packed one, and as it is otherwise.
let embedded = 0
const walk = (folder) => {
  const names = readdirSync(folder)
  for (const name of names) {
    if (name === '.vite') continue
    const path = join(folder, name)
    if (statSync(path).isDirectory()) walk(path)
    else if (!names.includes(`${name}.gz`)) embedded += statSync(path).size
  }
}
walk(root)

// The map's own code, with the worker that arranges it; what it shares with other pages is theirs as well.
const own = [manifest['src/features/map/MapPage.vue']?.file, ...readdirSync(join(root, 'assets')).filter(name => /^force\.worker.*\.js$/.test(name)).map(name => `assets/${name}`)]
if (own.length !== 2 || own[0] === undefined)
  throw new Error('the chunks of the map are not where they were')
const mapJs = own.reduce((sum, name) => sum + gz(name), 0)

const rows = [
  ['initial JavaScript (gzip)', js, 130_000],
  ['initial CSS (gzip)', css, 20_000],
  ['map with its worker (gzip)', mapJs, 45_000],
  ['embedded in all', embedded, 750_000],
]
let failed = false
for (const [label, size, limit] of rows) {
  const over = size > limit
  failed ||= over
  console.log(`${over ? 'OVER' : 'ok  '}  ${label}: ${(size / 1000).toFixed(1)} kB of ${(limit / 1000).toFixed(0)} kB`)
}
process.exit(failed ? 1 : 0)
