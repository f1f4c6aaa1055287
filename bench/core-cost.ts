/**
 * What a probe that a core makes costs this process, by the batch and by its prober, without scheduler and PostgreSQL: CPU
 * per probe; and on a socket for each, as while shared sockets are flooded. All make rounds over the same addresses in turn,
 * on loopback. What the kernel does for the target is charged to the prober too.
 *
 *   node dist/bench/core-cost.js [--kind KIND] [--members 5000] [--rounds 20] [--repeat 3]
 *
 * KIND is half-open, tcp, http, http-rst (ended by RST), http-kept or ping; half-open and ping need CAP_NET_RAW. Exits with 1 when
 * a probe does not pass.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BATCH_LOOK_MS, BATCH_MESSAGES } from '../src/domain/limits.ts'
import type { ProbeTarget } from '../src/domain/target/probe-target.ts'
import { type BatchCore, NO_SLOT } from '../src/probe/batch/core.ts'
import { ProbeRuntime } from '../src/probe/probe-runtime.ts'
import { makeProbers } from '../src/probe/probers.ts'
import { commandLine } from './command-line.ts'
import { freePorts } from './namespace.ts'

const values = commandLine('node dist/bench/core-cost.js [options]', {
  kind: 'half-open',
  members: '5000',
  rounds: '20',
  repeat: '3',
})
const MEMBERS = Number(values.members)
const FIRST_PORT = 18_091
const WITHIN_MS = 1000

const runtime = new ProbeRuntime()
const probers = makeProbers(runtime)

const HTTP = {
  type: 'HTTP',
  http: {
    method: 'GET',
    path: '/',
    version: '1.1',
    host: 'bench',
    expectedCodes: [{ from: 200, to: 200 }],
  },
} as const
const KINDS: Readonly<Record<string, Pick<ProbeTarget, 'type'> & Partial<ProbeTarget>>> = {
  'half-open': { type: 'TCP', halfOpen: true },
  tcp: { type: 'TCP' },
  http: HTTP,
  'http-rst': { ...HTTP, close: 'rst' },
  'http-kept': { ...HTTP, reuse: { freshEvery: 1_000_000, idleCloseIsFailure: false } },
  ping: { type: 'PING' },
}

/** Address `i` of 127.0.0.0/8. */
function targetAt(i: number, port: number): ProbeTarget {
  const kind = KINDS[values.kind]
  if (kind === undefined) throw new Error(`--kind takes ${Object.keys(KINDS).join(', ')}`)
  const address = `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${1 + (i & 127)}`
  return { address, family: 4, port, timeoutMs: WITHIN_MS, ...kind }
}

/** Probes each slot once, and looks for answers as often as a scheduler does; returns how many passed. */
async function byBatch(core: BatchCore, slots: Int32Array): Promise<number> {
  let passed = 0
  for (let from = 0; from < slots.length; from += BATCH_MESSAGES) {
    const batch = slots.subarray(from, from + BATCH_MESSAGES)
    const startMs = performance.now()
    core.start(batch, batch.length, startMs)
    core.collect(startMs)
    for (let nowMs = startMs; core.inFlight > 0 && nowMs < startMs + WITHIN_MS; nowMs = performance.now()) {
      await new Promise((resolve) => setTimeout(resolve, BATCH_LOOK_MS))
      core.collect(performance.now())
    }
    for (const slot of batch) core.drop(slot)
    for (let i = 0; i < core.ended.count; i++) if (core.ended.reasonOf(i) === 'PASSED') passed++
    core.ended.clear()
  }
  return passed
}

async function byProber(targets: readonly ProbeTarget[]): Promise<number> {
  let passed = 0
  for (let from = 0; from < targets.length; from += BATCH_MESSAGES) {
    const batch = targets.slice(from, from + BATCH_MESSAGES)
    const results = batch.map(
      async (target) =>
        await new Promise<string>((resolve) => {
          const cancel = probers[target.type](target, ({ reason }) => {
            clearTimeout(deadline)
            resolve(reason)
          })
          const deadline = setTimeout(cancel, WITHIN_MS, 'timeout')
        }),
    )
    for (const reason of await Promise.all(results)) if (reason === 'PASSED') passed++
  }
  return passed
}

/** Microseconds of user and system time per probe. */
async function cost(round: () => Promise<number>): Promise<string> {
  await round()
  const rounds = Number(values.rounds)
  const cpu = process.cpuUsage()
  let passed = 0
  for (let i = 0; i < rounds; i++) passed += await round()
  const { user, system } = process.cpuUsage(cpu)
  const made = rounds * MEMBERS
  if (passed < made) process.exitCode = 1
  return `${(user / made).toFixed(2)} user + ${(system / made).toFixed(2)} system, ${passed} of ${made} passed`
}

const [port = 0] = await freePorts(FIRST_PORT, 1)
const listener = fork(fileURLToPath(new URL('./target.js', import.meta.url)), [String(port)])
await once(listener, 'message')
const targets = Array.from({ length: MEMBERS }, (_, i) => targetAt(i, port))
const core = runtime.coreOf(targetAt(0, port))
if (core === undefined) {
  const ways = [runtime.halfOpen, runtime.plainTcp, runtime.plainHttp, runtime.ping].map(({ way }) => way)
  throw new Error(`no core: ${JSON.stringify(ways)}`)
}
const slots = Int32Array.from(targets, (target) => core.hold(target))
const dedicated = runtime.dedicatedCoreOf(targetAt(0, port))
const dedicatedSlots = Int32Array.from(targets, (target) => dedicated?.hold(target) ?? NO_SLOT)
for (let i = 0; i < Number(values.repeat); i++) {
  console.log(`by the batch      ${await cost(async () => await byBatch(core, slots))}`)
  if (dedicated !== undefined)
    console.log(`on a socket each  ${await cost(async () => await byBatch(dedicated, dedicatedSlots))}`)
  console.log(`by its prober     ${await cost(async () => await byProber(targets))}`)
}
listener.kill('SIGKILL')
runtime.close()
