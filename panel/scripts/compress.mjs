// Writes a brotli and a gzip copy beside every file of the build that gets smaller by it; the controller embeds all three.
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'

const root = process.argv[2] ?? 'dist'
const COMPRESSIBLE = new Set(['.html', '.js', '.css', '.svg', '.json', '.txt', '.webmanifest'])
const brotliOptions = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }

function* files(folder) {
  for (const entry of readdirSync(folder)) {
    const path = join(folder, entry)
    if (statSync(path).isDirectory()) yield* files(path)
    else yield path
  }
}

for (const path of [...files(root)]) {
  if (!COMPRESSIBLE.has(extname(path))) continue
  const plain = readFileSync(path)
  for (const [suffix, packed] of [['.br', brotliCompressSync(plain, brotliOptions)], ['.gz', gzipSync(plain, { level: 9 })]])
    if (packed.length < plain.length) writeFileSync(path + suffix, packed)
}
