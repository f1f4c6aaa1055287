/**
 * What a half-open probe costs this process, by the batch and by a socket each, without scheduler and PostgreSQL: CPU per
 * probe. Both make rounds over the same addresses in turn, against a listener of another process on loopback. What the
 * kernel does for the target is charged to the prober too.
 *
 *   node dist/bench/core-cost.js [--members 5000] [--rounds 20] [--repeat 3]
 *
 * Needs CAP_NET_RAW. Exits with 1 when a probe does not pass.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { BATCH_MESSAGES } from '../src/domain/limits.ts'
import type { ProbeTarget } from '../src/domain/target/probe-target.ts'
import type { BatchCore } from '../src/probe/batch/core.ts'
import { ProbeRuntime } from '../src/probe/probe-runtime.ts'
import { makeProbeTcp } from '../src/probe/tcp/tcp.ts'
import { commandLine } from './command-line.ts'
import { freePorts } from './namespace.ts'

const values = commandLine('node dist/bench/core-cost.js [options]', {
  members: '5000',
  rounds: '20',
  repeat: '3',
})
const MEMBERS = Number(values.members)
const FIRST_PORT = 18_091
const WITHIN_MS = 1000

const runtime = new ProbeRuntime()
const probeTcp = makeProbeTcp(runtime)

/** Address `i` of 127.0.0.0/8. */
function targetAt(i: number, port: number): ProbeTarget {
  const address = `127.${1 + (i >> 16)}.${(i >> 8) & 255}.${1 + (i & 127)}`
  return { type: 'TCP', address, family: 4, port, timeoutMs: WITHIN_MS, halfOpen: true }
}

/** Probes each slot once; returns how many passed. */
async function byBatch(core: BatchCore, slots: Int32Array): Promise<number> {
  let passed = 0
  for (let from = 0; from < slots.length; from += BATCH_MESSAGES) {
    const batch = slots.subarray(from, from + BATCH_MESSAGES)
    const startMs = performance.now()
    core.start(batch, batch.length, startMs)
    for (let nowMs = startMs; core.inFlight > 0 && nowMs < startMs + WITHIN_MS; nowMs = performance.now())
      core.collect(nowMs)
    for (const slot of batch) core.drop(slot)
    for (let i = 0; i < core.ended.count; i++) if (core.ended.hasPassed(i)) passed++
    core.ended.clear()
  }
  return await Promise.resolve(passed)
}

async function bySockets(targets: readonly ProbeTarget[]): Promise<number> {
  let passed = 0
  for (let from = 0; from < targets.length; from += BATCH_MESSAGES) {
    const batch = targets.slice(from, from + BATCH_MESSAGES)
    const results = batch.map(
      async (target) =>
        await new Promise<string>((resolve) => {
          const cancel = probeTcp(target, ({ reason }) => {
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
if (core === undefined) throw new Error(`no core: ${JSON.stringify(runtime.halfOpen.way)}`)
const slots = Int32Array.from(targets, (target) => core.hold(target))
for (let i = 0; i < Number(values.repeat); i++) {
  console.log(`by the batch      ${await cost(async () => await byBatch(core, slots))}`)
  console.log(`a socket each     ${await cost(async () => await bySockets(targets))}`)
}
listener.kill('SIGKILL')
runtime.close()
