/** What stands between a command and the service, and the terminal that it is run on. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Ending } from './database.ts'
import { PROGRAM } from './service.ts'

/** Passes requests on, but breaks the connection of the first that waits. */
export async function breakingProxy(t: Ending, api: string) {
  let waits = 0
  const server = createServer((near, answer) => {
    const { url = '', method = '', headers } = near
    if (url.includes('wait_for=') && ++waits === 1) {
      near.socket.destroy()
      return
    }
    const far = request(`${api}${url}`, { method, headers, agent: false }, (response) => {
      answer.writeHead(response.statusCode ?? 0, response.headers)
      response.pipe(answer)
    })
    far.on('error', () => near.socket.destroy()).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, waits: () => waits }
}

/** A token of the development identity. */
export async function tokenOf(api: string): Promise<string> {
  const user = { name: 'admin', password: 'any', domain: { name: 'Default' } }
  const answer = await fetch(`${api}/identity/v3/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity: { methods: ['password'], password: { user } } } }),
  })
  return answer.headers.get('x-subject-token') ?? ''
}

/** Columns of the terminal. */
export const COLUMNS = 72

/** What a command prints on a terminal; one that stays is ended by SIGINT when it has drawn. */
export async function onTerminal(words: string, env: NodeJS.ProcessEnv): Promise<string> {
  const command = `stty cols ${COLUMNS} rows 24; exec "${process.execPath}" "${PROGRAM}" ${words}`
  const { PATH } = process.env
  const child = spawn('script', ['-qec', command, '/dev/null'], { env: { PATH, ...env } })
  let out = ''
  let isEnded = false
  child.stdout.on('data', (text: Buffer) => {
    out += text.toString()
    // Ctrl-C, as a person types it: once, as each throws away what the terminal has not shown yet.
    if (!words.includes('--watch') || isEnded || !out.includes('web-3')) return
    isEnded = true
    child.stdin.write('\u0003')
  })
  child.stdin.on('error', () => undefined)
  if (!words.includes('--watch')) child.stdin.end()
  await once(child, 'close')
  return out.replace(/\^C/g, '')
}
