/** The whole program beside a measurement: `serve` as a process of its own, on loopback, ended by its pid. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

export const PROGRAM = fileURLToPath(new URL('../src/bin/healthmonitor.js', import.meta.url))
/** Milliseconds until a service answers, with a new database. */
const START_DEADLINE_MS = 60_000

export interface ServiceOptions {
  /** Of Node. */
  readonly flags?: readonly string[]
  /** Where its output goes: by default the terminal gets its log, and nobody what it prints. */
  readonly stdout?: 'ignore' | 'pipe'
  readonly stderr?: 'inherit' | 'pipe'
}

/** Starts the service with these settings. Without others it has no metrics, and its log has warnings and errors. */
export function startService(
  settings: Readonly<Record<string, string>>,
  { flags = [], stdout = 'ignore', stderr = 'inherit' }: ServiceOptions = {},
): ChildProcess {
  return spawn(process.execPath, [...flags, PROGRAM, 'serve'], {
    env: { PATH: process.env['PATH'], HM_METRICS_LISTEN: 'off', HM_LOG_LEVEL: 'warn', ...settings },
    stdio: ['ignore', stdout, stderr],
  })
}

/** Waits until the API at this address answers; rejects when its process has ended, or after a minute. */
export async function answering(service: ChildProcess, url: string): Promise<void> {
  const deadline = performance.now() + START_DEADLINE_MS
  for (;;) {
    const answer = await fetch(`${url}/healthcheck`).catch(() => undefined)
    await answer?.body?.cancel()
    if (answer?.ok === true) return
    if (service.exitCode !== null) throw new Error(`the service ended with ${service.exitCode}`)
    if (performance.now() > deadline) throw new Error('the service does not answer')
    await wait(50)
  }
}

/** What the service prints at its start (`stdout: 'pipe'`): the base of its API, and the URL of its metrics, or ''. */
export async function printedAddresses(
  service: ChildProcess,
): Promise<{ readonly api: string; readonly metrics: string }> {
  let printed = ''
  service.stdout?.on('data', (data: Buffer) => (printed += data.toString()))
  const deadline = performance.now() + START_DEADLINE_MS
  while (!printed.includes('Ctrl-C')) {
    if (performance.now() > deadline || service.exitCode !== null) throw new Error(`no service: ${printed}`)
    await wait(50)
  }
  const found = (name: string): string => new RegExp(`^ +${name} +(\\S+)$`, 'm').exec(printed)?.[1] ?? ''
  return { api: found('API'), metrics: found('metrics') }
}

/** Ends the service in an orderly way, and waits for it. */
export async function endService(service: ChildProcess): Promise<void> {
  if (service.exitCode !== null || service.signalCode !== null) return
  const gone = once(service, 'exit')
  service.kill('SIGTERM')
  await gone
}
