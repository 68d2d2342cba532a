// Serves the built panel with the controller's content security policy, and the mock controller behind it.
import type { AddressInfo } from 'node:net'
import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { WebSocketServer } from 'ws'
import { handle, MockController } from '../../panel/tests/mock/server.ts'
import { ROOT } from './browser.ts'

const DIST = join(ROOT, 'panel/dist')
const TYPES: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.woff2': 'font/woff2' }
const CSP = 'default-src \'self\'; script-src \'self\'; style-src \'self\' \'unsafe-inline\'; img-src \'self\' data:; connect-src \'self\'; worker-src \'self\'; frame-ancestors \'none\''

export interface Served {
  readonly base: string
  readonly mock: MockController
  readonly close: () => Promise<void>
}

export async function servePanel(mock = new MockController().seed()): Promise<Served> {
  if (!existsSync(join(DIST, 'index.html')))
    throw new Error('panel/dist is missing: run `npm run build` in panel/')
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/api/')) {
      void handle(mock, request, response)
      return
    }
    const path = join(DIST, normalize(new URL(request.url ?? '/', 'http://x').pathname))
    const file = path.startsWith(DIST) && existsSync(path) && statSync(path).isFile() ? path : join(DIST, 'index.html')
    response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP, 'cache-control': file.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache' })
    createReadStream(file).pipe(response)
  })
  const sockets = new WebSocketServer({ server, path: '/api/v1/live' })
  sockets.on('connection', (socket) => {
    const session = mock.connect(message => socket.send(JSON.stringify(message)))
    socket.on('message', data => session.receive(String(data)))
    socket.on('close', () => session.close())
  })
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  return {
    base: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mock,
    close: () => new Promise((done) => {
      sockets.clients.forEach(client => client.terminate())
      sockets.close()
      server.closeAllConnections()
      server.close(() => done())
    }),
  }
}
