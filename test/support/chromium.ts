/** A headless Chromium with one page, over the DevTools protocol: what it shows, what it asked for, what it complained of. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket } from 'undici'
import type { Ending } from './database.ts'
import { folderOfTest } from './folders.ts'

const WAIT_MS = 60_000

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: Record<string, unknown>
  readonly result?: Record<string, unknown>
  readonly error?: { readonly message: string }
}

interface PausedRequest {
  readonly requestId: string
  readonly request: { readonly url: string }
}

export interface Page {
  /** Addresses that the page asked for, its own first. */
  readonly requests: readonly string[]
  /** Errors and warnings of the console, exceptions, and what the browser refused. */
  readonly complaints: readonly string[]
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>
  /** Waits until an expression in the page is true. */
  until(expression: string): Promise<void>
}

export interface PageOptions {
  /** Answers of JSON that the page gets instead of the server's, by address. */
  readonly instead?: Readonly<Record<string, unknown>>
}

/** Opens the address in a browser that can reach nothing but 127.0.0.1; it ends with the test. */
export async function openPage(t: Ending, url: string, { instead = {} }: PageOptions = {}): Promise<Page> {
  const connection = await connect(t, await startBrowser(t))
  const { targetId } = await connection.send('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await connection.send('Target.attachToTarget', { targetId, flatten: true })
  const send = (method: string, params: object = {}) => connection.send(method, params, String(sessionId))
  const requests: string[] = []
  const complaints: string[] = []
  connection.onEvent((method, params) => {
    const text = JSON.stringify(params)
    if (method === 'Network.requestWillBeSent') requests.push((params['request'] as { url: string }).url)
    if (method === 'Runtime.exceptionThrown') complaints.push(text)
    if (method === 'Runtime.consoleAPICalled' && params['type'] !== 'log') complaints.push(text)
    if (method === 'Log.entryAdded') complaints.push(text)
    if (method === 'Fetch.requestPaused') void answerInstead(params as unknown as PausedRequest)
  })
  const answerInstead = async ({ requestId, request }: PausedRequest): Promise<void> => {
    const body = Buffer.from(JSON.stringify(instead[request.url])).toString('base64')
    const responseHeaders = [{ name: 'Content-Type', value: 'application/json' }]
    await send('Fetch.fulfillRequest', { requestId, responseCode: 200, responseHeaders, body })
  }
  const patterns = Object.keys(instead).map((urlPattern) => ({ urlPattern }))
  if (patterns.length > 0) await send('Fetch.enable', { patterns })
  for (const domain of ['Page', 'Runtime', 'Log', 'Network']) await send(`${domain}.enable`)
  // Tall enough for all of a page: what is out of sight is not drawn by pages that scroll through long lists.
  const metrics = { width: 1280, height: 50_000, deviceScaleFactor: 0.1, mobile: false }
  await send('Emulation.setDeviceMetricsOverride', metrics)
  await send('Page.navigate', { url })

  const evaluate = async (expression: string) => {
    const { result, exceptionDetails } = await send('Runtime.evaluate', { expression, returnByValue: true })
    assert.equal(exceptionDetails, undefined, `${expression}: ${JSON.stringify(exceptionDetails)}`)
    return (result as { value?: unknown }).value
  }
  const until = async (expression: string) => {
    const end = performance.now() + WAIT_MS
    while ((await evaluate(expression)) !== true) {
      assert.ok(performance.now() < end, `never true: ${expression}\n${complaints.join('\n')}`)
      await wait(50)
    }
  }
  return { requests, complaints, evaluate, until }
}

/** Starts it; gives the address of its DevTools. */
async function startBrowser(t: Ending): Promise<string> {
  const child = spawn(
    'chromium',
    [
      '--headless',
      // It cannot make its sandbox as root; nothing is opened but our own page.
      '--no-sandbox',
      '--disable-gpu',
      '--disable-dev-shm-usage',
      '--disable-background-networking',
      '--disable-component-update',
      '--no-first-run',
      '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
      '--remote-debugging-port=0',
      `--user-data-dir=${folderOfTest()}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = once(child, 'close')
  t.after(async () => {
    child.kill('SIGKILL')
    await ended
  })
  let output = ''
  return await new Promise((found, failed) => {
    child.once('error', failed)
    child.once('close', () => failed(new Error(`chromium ended: ${output}`)))
    child.stderr.on('data', (data: Buffer) => {
      output += data.toString()
      const address = /^DevTools listening on (ws:\S+)$/m.exec(output)?.[1]
      if (address !== undefined) found(address)
    })
  })
}

async function connect(t: Ending, address: string) {
  const socket = new WebSocket(address)
  const answers = new Map<number, (message: Message) => void>()
  let listener: (method: string, params: Record<string, unknown>) => void = () => undefined
  let sent = 0
  socket.addEventListener('message', ({ data }) => {
    const message = JSON.parse(String(data)) as Message
    if (message.id !== undefined) answers.get(message.id)?.(message)
    else if (message.method !== undefined) listener(message.method, message.params ?? {})
  })
  await new Promise((opened, failed) => {
    socket.addEventListener('open', opened, { once: true })
    socket.addEventListener('error', () => failed(new Error(`no DevTools at ${address}`)), { once: true })
  })
  t.after(() => socket.close())
  return {
    async send(method: string, params: object, sessionId?: string): Promise<Record<string, unknown>> {
      const id = ++sent
      const answered = new Promise<Message>((found) => answers.set(id, found))
      socket.send(JSON.stringify({ id, method, params, ...(sessionId === undefined ? {} : { sessionId }) }))
      const { error, result } = await answered
      answers.delete(id)
      assert.equal(error, undefined, `${method}: ${error?.message}`)
      return result ?? {}
    },
    onEvent(listen: typeof listener): void {
      listener = listen
    },
  }
}
