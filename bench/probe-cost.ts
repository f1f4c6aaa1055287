/**
 * What a probe costs this process: CPU per probe and type, and whether descriptors come back. Against listeners of another
 * process on loopback, so that only the prober's CPU is counted.
 *
 *   node dist/bench/probe-cost.js [--count 20000] [--concurrency 64] [--only TCP,HTTP,...]
 *
 * `undici Client` and `net.connect` are the alternatives that were not taken (docs/adr/0002-own-http-writer.md), measured
 * in the same run. Exits with 1 when descriptors leak or a probe gave another verdict than it should.
 */
import { fork } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { Client } from 'undici'
import type { ProbeTarget } from '../src/domain/target/probe-target.ts'
import { ProbeRuntime } from '../src/probe/probe-runtime.ts'
import { makeProbers } from '../src/probe/probers.ts'
import { commandLine } from './command-line.ts'

const TIMEOUT_MS = 1000

const runtime = new ProbeRuntime()
const probers = makeProbers(runtime)

interface Ports {
  readonly http: number
  readonly kept: number
  readonly udp: number
  readonly closed: number
}

/** Calls `done` with what it got, for `run` to compare with `expected`. */
type Attempt = (done: (got: string) => void) => void

interface Subject {
  readonly name: string
  readonly attempt: Attempt
  readonly expected: string
}

const values = commandLine('node dist/bench/probe-cost.js [options]', {
  count: '20000',
  concurrency: '64',
  only: '',
  listener: false,
})

const inFlight = new Set<{ readonly startedAt: number; cancel: () => void }>()

/** The deadline of all probes: a full queue of the kernel may drop a datagram or a SYN. */
function sweep(): void {
  const expired = performance.now() - TIMEOUT_MS
  for (const { startedAt, cancel } of inFlight) if (startedAt < expired) cancel()
}

function subjects(ports: Ports): readonly Subject[] {
  const base = { address: '127.0.0.1', family: 4, timeoutMs: TIMEOUT_MS } as const
  const http = {
    method: 'GET',
    path: '/',
    version: '1.1',
    host: 'bench',
    expectedCodes: [{ from: 200, to: 200 }],
  } as const
  const probe =
    (target: ProbeTarget): Attempt =>
    (done) => {
      const running = { startedAt: performance.now(), cancel: (): void => undefined }
      inFlight.add(running)
      const cancel = probers[target.type](target, ({ reason }) => {
        inFlight.delete(running)
        done(reason)
      })
      running.cancel = () => cancel('timeout')
    }
  /** As many checks in turn as are in flight at a time, each with a connection that is kept. */
  const probeKept = (target: ProbeTarget): Attempt => {
    const reuse = { freshEvery: 1_000_000, idleCloseIsFailure: false }
    const free = Array.from({ length: Number(values.concurrency) }, () => ({ ...target, reuse }))
    return (done) => {
      const kept = free.pop() ?? { ...target, reuse }
      probe(kept)((got) => {
        free.push(kept)
        done(got)
      })
    }
  }
  return [
    { name: 'TCP', attempt: probe({ ...base, type: 'TCP', port: ports.http }), expected: 'PASSED' },
    {
      name: 'TCP refused',
      attempt: probe({ ...base, type: 'TCP', port: ports.closed }),
      expected: 'CONNECT_REFUSED',
    },
    { name: 'TCP by net.connect', attempt: connectPlain(ports.http), expected: 'PASSED' },
    { name: 'HTTP', attempt: probe({ ...base, type: 'HTTP', port: ports.http, http }), expected: 'PASSED' },
    {
      name: 'HTTP kept',
      attempt: probeKept({ ...base, type: 'HTTP', port: ports.kept, http }),
      expected: 'PASSED',
    },
    { name: 'HTTP by undici Client', attempt: askUndici(ports.http), expected: 'PASSED' },
    {
      name: 'UDP-CONNECT',
      attempt: probe({ ...base, type: 'UDP-CONNECT', port: ports.udp }),
      expected: 'PASSED',
    },
    {
      name: 'UDP-CONNECT with echo',
      attempt: probe({ ...base, type: 'UDP-CONNECT', port: ports.udp, echoFirst: true }),
      expected: 'PASSED',
    },
    { name: 'PING', attempt: probe({ ...base, type: 'PING', port: 0 }), expected: 'PASSED' },
  ]
}

function connectPlain(port: number): Attempt {
  return (done) => {
    const socket = connect({ host: '127.0.0.1', port }, () => {
      socket.resetAndDestroy()
      done('PASSED')
    })
    socket.on('error', (error) => done(error.message))
  }
}

/** A new Client per probe: connection reuse would hide a dead listener. */
function askUndici(port: number): Attempt {
  const ask = async (): Promise<string> => {
    const client = new Client(`http://127.0.0.1:${port}`, { pipelining: 0 })
    const { statusCode, body } = await client.request({
      method: 'GET',
      path: '/',
      headers: { host: 'bench' },
    })
    await body.dump()
    await client.destroy()
    return statusCode === 200 ? 'PASSED' : String(statusCode)
  }
  return (done) => void ask().then(done, (error: Error) => done(error.message))
}

async function run({ attempt, expected, name }: Subject, count: number, concurrency: number): Promise<void> {
  let started = 0
  let ended = 0
  const others = new Map<string, number>()
  await new Promise<void>((resolve) => {
    const next = (): void => {
      if (started === count) return
      started++
      attempt((got) => {
        if (got !== expected) others.set(got, (others.get(got) ?? 0) + 1)
        if (++ended === count) resolve()
        else next()
      })
    }
    for (let i = 0; i < concurrency; i++) next()
  })
  for (const [got, times] of others) {
    console.log(`  ${name}: ${times} x ${got} instead of ${expected}`)
    process.exitCode = 1
  }
}

const descriptors = (): number => readdirSync('/proc/self/fd').length

/** Descriptors once those that are closing have closed. */
async function settledDescriptors(): Promise<number> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve))
  return descriptors()
}

async function measure(ports: Ports): Promise<void> {
  const count = Number(values.count)
  const concurrency = Number(values.concurrency)
  const only = values.only.split(',').filter((name) => name !== '')
  console.log(`node ${process.version}, ${count} probes each, ${concurrency} at a time`)
  console.log(
    `${'probe'.padEnd(24)}${'CPU us'.padStart(9)}${'user'.padStart(9)}${'system'.padStart(9)}${'per s'.padStart(9)}  descriptors`,
  )
  for (const subject of subjects(ports)) {
    if (only.length > 0 && !only.includes(subject.name)) continue
    await run(subject, Math.min(count, 2000), concurrency)
    runtime.idleConnections.closeAll()
    const before = await settledDescriptors()
    const cpu = process.cpuUsage()
    const startedAt = performance.now()
    await run(subject, count, concurrency)
    const { user, system } = process.cpuUsage(cpu)
    const perSecond = (count / (performance.now() - startedAt)) * 1000
    runtime.idleConnections.closeAll()
    const after = await settledDescriptors()
    const figures = [(user + system) / count, user / count, system / count, perSecond]
    console.log(
      `${subject.name.padEnd(24)}${figures.map((n) => n.toFixed(n > 1000 ? 0 : 1).padStart(9)).join('')}  ${before} -> ${after}`,
    )
    if (after > before) process.exitCode = 1
  }
  runtime.close()
}

async function listen(): Promise<void> {
  const { createServer } = await import('node:net')
  const { createSocket } = await import('node:dgram')
  const http = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok'))
  })
  await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const kept = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'))
  })
  await new Promise<void>((resolve) => kept.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, resolve))
  const udp = createSocket('udp4')
  udp.on('message', (_, { port, address }) => udp.send('y', port, address))
  await new Promise<void>((resolve) => udp.bind(0, '127.0.0.1', resolve))
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const portOf = (address: ReturnType<typeof closed.address>): number =>
    typeof address === 'object' && address !== null ? address.port : 0
  const ports: Ports = {
    http: portOf(http.address()),
    kept: portOf(kept.address()),
    udp: udp.address().port,
    closed: portOf(closed.address()),
  }
  await new Promise((resolve) => closed.close(resolve))
  process.send?.(ports)
  process.on('disconnect', () => process.exit())
}

if (values.listener) {
  await listen()
} else {
  setInterval(sweep, TIMEOUT_MS / 4).unref()
  const child = fork(fileURLToPath(import.meta.url), ['--listener'], { execArgv: [] })
  const ports = await new Promise<Ports>((resolve) =>
    child.once('message', resolve as (message: unknown) => void),
  )
  try {
    await measure(ports)
  } finally {
    child.disconnect()
  }
}
