// Writes a gzip copy beside every file of the build that gets smaller by it, and a brotli copy of what the first page loads
// where that is smaller still by enough. The controller embeds the copies, and a file itself only where it has no gzip copy.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join, relative } from 'node:path'
import { initialFiles } from './manifest.mjs'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = process.argv[2] ?? 'dist'
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt', '.webmanifest'])
const BROTLI_WORTH = 2048
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }

function* files(folder) {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry)
    if (statSync(path).isDirectory()) yield* files(path)
    else yield path
  }
}

const first = new Set(initialFiles(root))
for (const path of [...files(root)]) {
  if (!COMPRESSIBLE.has(extname(path))) continue
  const plain = readFileSync(path)
  const gzip = gzipSync(plain, { level: 9 })
  if (gzip.length < plain.length) writeFileSync(`${path}.gz`, gzip)
  // A second copy of everything is more than what brotli spares on the wire: it has to be worth one.
  if (!first.has(relative(root, path))) continue
  const brotli = brotliCompressSync(plain, brotliOptions)
  if (Math.min(plain.length, gzip.length) - brotli.length >= BROTLI_WORTH) writeFileSync(`${path}.br`, brotli)
}
