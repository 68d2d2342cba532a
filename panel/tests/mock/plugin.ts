// `npm run dev:mock`: the panel against the mock, with a live result every two seconds.
import type { Plugin } from 'vite'
import { WebSocketServer } from 'ws'
import { handle, MockController } from './server.ts'

const TICK_MS = 2000

function seeded(): MockController {
  const mock = new MockController().seed().withPath()
  const [agent] = mock.agents
  if (agent)
    mock.traces.start({ target: 'svc-3a.example' }, agent)
  return mock
}

export function mockPlugin(mock = seeded()): Plugin {
  return {
    name: 'netwatcher-mock',
    configureServer(server) {
      const sockets = new WebSocketServer({ noServer: true })
      sockets.on('connection', (socket) => {
        const session = mock.connect(message => socket.send(JSON.stringify(message)))
        socket.on('message', data => session.receive(String(data)))
        socket.on('close', () => session.close())
      })
      server.httpServer?.on('upgrade', (request, socket, head) => {
        if (request.url === '/api/v1/live')
          sockets.handleUpgrade(request, socket, head, opened => sockets.emit('connection', opened))
      })
      server.middlewares.use((request, response, next) => {
        if (request.url?.startsWith('/api/v1/'))
          void handle(mock, request, response)
        else
          next()
      })
      const timer = setInterval(() => mock.tick(), TICK_MS)
      server.httpServer?.on('close', () => clearInterval(timer))
    },
  }
}
