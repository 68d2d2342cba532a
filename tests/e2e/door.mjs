// door.mjs PORT NAMESPACE: this machine's port of the loopback is on the namespace's loopback as well. A socket belongs to
// the namespace in which it was made, wherever it is used: one that listens is made inside by a copy of this program and
// handed out. A process of its own, so that it goes on while a test waits for a command.
import { spawn } from 'node:child_process'
import { connect, createServer } from 'node:net'

const [port, namespace] = process.argv.slice(2)

function makeInside() {
  const server = createServer().listen(Number(port), '127.0.0.1', () => process.send('listening', server, () => process.exit()))
}

/** What one side says, the other hears; when one ends, both do. */
function pass(from) {
  const to = connect(Number(port), '127.0.0.1')
  for (const [one, other] of [[from, to], [to, from]])
    one.on('error', () => other.destroy()).on('close', () => other.destroy()).pipe(other)
}

if (process.send) {
  makeInside()
}
else {
  const inside = spawn('ip', ['netns', 'exec', namespace, process.execPath, ...process.argv.slice(1)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  inside.on('message', (_, server) => {
    server.on('connection', pass)
    console.log('open')
  })
  inside.on('exit', code => code && process.exit(code))
}
