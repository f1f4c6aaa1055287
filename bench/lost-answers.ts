/**
 * Whether answers are lost at a high rate: a core alone makes so many probes a second, evenly over its targets, each with
 * its deadline. Three counts must be the same: probes that were sent, answers that the target gave (by the kernel's count
 * of this namespace), and results that passed.
 *
 *   npm run build && node dist/bench/lost-answers.js [--kind half-open|ping] [--rate 100000] [--seconds 60] [--out FILE]
 *
 * An answer is lost when the target gave it and the probe did not pass. No packet is sent twice: a deadline comes before the
 * second SYN. A probe is counted once it has a result; after the last start, all of them are waited for. Without a
 * namespace of its own (root), the kernel's counts have whatever else the host does. Exits with 1 when an answer is lost, a
 * probe has no result, or did not pass.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { ProbeTarget } from '../src/domain/target/probe-target.ts'
import { ProbeRuntime } from '../src/probe/probe-runtime.ts'
import { commandLine } from './command-line.ts'
import { kernelCount } from './kernel-count.ts'
import { loopbackAddress } from './member-rows.ts'
import { freePorts, isRunInNamespace } from './namespace.ts'
import { PacedCore, type Paced } from './paced-core.ts'
import { progress } from './progress.ts'

const values = commandLine('node dist/bench/lost-answers.js [options]', {
  kind: 'half-open',
  rate: '100000',
  seconds: '60',
  out: '',
})
const FIRST_PORT = 18_191
/** Less than the second that a SYN waits until it is sent again. */
const DEADLINE_MS = 900

interface ProbeKind {
  readonly target: Pick<ProbeTarget, 'type'> & Partial<ProbeTarget>
  /** What the kernel counts of the target's answers, and of requests that came to it. */
  readonly answered: () => number
}

const KINDS: Readonly<Record<string, ProbeKind>> = {
  // A handshake that the target has answered and the prober's host has reset (RFC 4022: tcpAttemptFails).
  'half-open': {
    target: { type: 'TCP', halfOpen: true },
    answered: () => kernelCount('Tcp', 'AttemptFails'),
  },
  ping: { target: { type: 'PING' }, answered: () => kernelCount('Icmp', 'OutEchoReps') },
}

interface Found extends Paced {
  readonly answered: number
  readonly passed: number
  readonly lost: number
  readonly cpuMicrosecondsPerProbe: number
}

async function measure({ target, answered }: ProbeKind, port: number): Promise<Found> {
  const rate = Number(values.rate)
  // Twice what can be in flight: a target is not probed again before its deadline.
  const targets = Array.from({ length: Math.ceil((2 * rate * DEADLINE_MS) / 1000) }, (_, n) => ({
    address: loopbackAddress(n),
    family: 4 as const,
    port,
    timeoutMs: DEADLINE_MS,
    ...target,
  }))
  const runtime = new ProbeRuntime()
  try {
    const core = runtime.coreOf(targets[0]!)
    if (core === undefined)
      throw new Error(`no core: ${JSON.stringify([runtime.halfOpen.way, runtime.ping.way])}`)
    const paced = new PacedCore(core, targets, { rate, deadlineMs: DEADLINE_MS })
    const answeredBefore = answered()
    const cpu = process.cpuUsage()
    const made = await paced.run(Number(values.seconds), (text) => progress.show(text))
    const { user, system } = process.cpuUsage(cpu)
    const passed = made.results['PASSED'] ?? 0
    const given = answered() - answeredBefore
    return {
      ...made,
      answered: given,
      passed,
      lost: Math.max(0, given - passed),
      cpuMicrosecondsPerProbe: (user + system) / made.sent,
    }
  } finally {
    runtime.close()
  }
}

function report(found: Found): void {
  const { sent, answered, results, passed, lost, seconds, cpuMicrosecondsPerProbe } = found
  const ended = Object.values(results).reduce((sum, count) => sum + count, 0)
  console.log(
    `${values.kind}: ${sent} probes in ${seconds.toFixed(1)} s, ${(sent / seconds).toFixed(0)}/s, ` +
      `${cpuMicrosecondsPerProbe.toFixed(1)} us of CPU each; latest start ${found.latestStartMs.toFixed(0)} ms behind`,
  )
  console.log(`answers of the target ${answered}, results ${ended}: ${JSON.stringify(results)}`)
  console.log(`lost answers ${lost}, probes without an answer ${Math.max(0, sent - answered)}`)
  if (lost > 0 || ended !== sent || passed !== sent) process.exitCode = 1
  if (values.out === '') return
  const about = { at: new Date().toISOString(), node: process.version, options: values }
  writeFileSync(values.out, `${JSON.stringify({ ...about, ...found }, undefined, 2)}\n`)
}

async function main(): Promise<void> {
  const kind = KINDS[values.kind]
  if (kind === undefined) throw new Error(`--kind takes ${Object.keys(KINDS).join(', ')}`)
  const [port = 0] = await freePorts(FIRST_PORT, 1)
  const listener: ChildProcess = fork(fileURLToPath(new URL('./target.js', import.meta.url)), [String(port)])
  await once(listener, 'message')
  try {
    report(await measure(kind, port))
  } finally {
    listener.kill('SIGKILL')
  }
}

if (!isRunInNamespace()) await main()
