/** `healthmonitor probe-once`: one probe from this host, its phases and verdict, for people and for scripts. */
import { addressAndPort } from '../../domain/address/address-and-port.ts'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import { REASONS } from '../../domain/result/reasons.ts'
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import { ProbeRuntime } from '../../probe/probe-runtime.ts'
import { makeProbers } from '../../probe/probers.ts'
import { result } from '../../probe/result.ts'
import { parseConfig } from '../../runtime/config/config.ts'
import type { Command } from '../command-line.ts'
import { targetPolicyOf } from '../process/target-policy.ts'
import { parseProbeOnce, PROBE_ONCE_FLAGS } from './probe-once-flags.ts'

export const probeOnceCommand: Command = {
  summary: 'one probe of an address from this host, without the service',
  about: [
    'Makes one probe of a target from this host, as a prober would, and says what it found. It asks no service: `healthmonitor probe` probes a member through the service.',
    'HM_PROBE_ALLOW and HM_PROBE_DENY apply, and HM_TLS_DIR to the files that options name.',
  ],
  flags: PROBE_ONCE_FLAGS,
  exits: { 0: 'passed', 1: 'failed', 2: 'inconclusive or not started' },
  run: async (args, environment) => {
    const config = parseConfig(environment)
    return await probeOnce(args, {
      policy: await targetPolicyOf(config, config.databaseUrl),
      ...(config.tlsDir === undefined ? {} : { tlsDir: config.tlsDir }),
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
    })
  },
}

/** Given by the caller: which targets may be probed, and where lines go (with their line ends). */
export interface ProbeOnceSurroundings {
  readonly policy: TargetPolicy
  /** HM_TLS_DIR. */
  readonly tlsDir?: string
  readonly out: (text: string) => void
  readonly err: (text: string) => void
}

/**
 * Makes one probe as `argv` (without the subcommand) says. Resolves with the exit code: 0 passed, 1 failed, 2
 * otherwise. Throws UsageError.
 */
export async function probeOnce(
  argv: readonly string[],
  surroundings: ProbeOnceSurroundings,
): Promise<number> {
  const { target, json } = parseProbeOnce(argv, surroundings.tlsDir)
  const denied = surroundings.policy(target.address, target.port)
  const runtime = new ProbeRuntime()
  try {
    openRawSockets(target, runtime, surroundings)
    const given =
      denied === undefined ? await run(target, runtime) : result('TARGET_DENIED', denied, { totalMs: 0 })
    surroundings.out(json ? renderJson(target, given) : renderText(target, given))
    return { passed: 0, failed: 1, inconclusive: 2 }[given.outcome]
  } finally {
    runtime.close()
  }
}

/**
 * The raw channels that the probe will need, so that loading them does not count as the target's time. Reports missing
 * ones.
 */
function openRawSockets(target: ProbeTarget, runtime: ProbeRuntime, { err }: ProbeOnceSurroundings): void {
  if (target.type === 'PING' || target.echoFirst === true) {
    const { availability } = runtime.echoChannels.of(target.family)
    if (!availability.available) err(`no ICMP echo: ${availability.why}\n`)
  }
  if (target.type === 'SCTP') runtime.sctpChannels.of(target.family)
}

async function run(target: ProbeTarget, runtime: ProbeRuntime): Promise<ProbeResult> {
  let timer: NodeJS.Timeout | undefined
  try {
    return await new Promise<ProbeResult>((resolve) => {
      const cancel = makeProbers(runtime)[target.type](target, resolve)
      timer = setTimeout(cancel, target.timeoutMs, 'timeout')
    })
  } finally {
    clearTimeout(timer)
  }
}

function renderJson({ type, address, port }: ProbeTarget, given: ProbeResult): string {
  return `${JSON.stringify({ type, address, port, ...given })}\n`
}

const PHASES = [
  ['echoMs', 'echo'],
  ['connectMs', 'connect'],
  ['tlsMs', 'TLS'],
  ['firstByteMs', 'first byte'],
  ['totalMs', 'end'],
] as const

function renderText(target: ProbeTarget, given: ProbeResult): string {
  const lines = [`${renderTarget(target)}, timeout ${target.timeoutMs} ms`]
  for (const [key, name] of PHASES) {
    const milliseconds = given.phases[key]
    if (milliseconds !== undefined)
      lines.push(`  ${name.padEnd(10)} ${milliseconds.toFixed(3).padStart(10)} ms`)
  }
  lines.push(`${given.outcome}: ${given.reason} - ${REASONS[given.reason].sentence} (${given.detail})`)
  return `${lines.join('\n')}\n`
}

function renderTarget({ type, address, port, http }: ProbeTarget): string {
  const where = type === 'PING' ? address : addressAndPort(address, port)
  if (http === undefined) return `${type} ${where}`
  return `${type} ${where}, ${http.method} ${http.path} HTTP/${http.version}, Host ${http.host ?? 'absent'}`
}
