// Fails when the generated API types are not those of docs/openapi.yaml.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const folder = mkdtempSync(join(tmpdir(), 'nw-types-'))
try {
  const fresh = join(folder, 'schema.ts')
  execFileSync('npx', ['openapi-typescript', '../docs/openapi.yaml', '-o', fresh], { stdio: ['ignore', 'ignore', 'inherit'] })
  if (readFileSync(fresh, 'utf8') !== readFileSync('src/api/schema.ts', 'utf8')) {
    console.error('src/api/schema.ts is not what docs/openapi.yaml says; run `npm run types`')
    process.exit(1)
  }
}
finally {
  rmSync(folder, { recursive: true })
}
