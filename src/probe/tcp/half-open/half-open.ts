/**
 * Whether half-open probes of this process are made by the batch (half-open-core.ts). The sockets are opened when the
 * first such probe is wanted, and tried once, on loopback and without a listener. Where anything is missing or does
 * other than expected (not Linux, no koffi, no CAP_NET_RAW, no free ports, a firewall that stops resets), half-open
 * probes go the way that all TCP probes can go (tcp.ts).
 */
import { BATCH_TRIAL_MS, DYNAMIC_PORT_MIN, HALF_OPEN_PORTS } from '../../../domain/limits.ts'
import type { ProbeTarget } from '../../../domain/target/probe-target.ts'
import { type BatchCalls, findBatchCalls } from '../../batch/batch-calls.ts'
import type { BatchCore } from '../../batch/core.ts'
import { tryOnce, whyNot } from '../../batch/trial.ts'
import { HostAddresses } from '../../socket-errors.ts'
import { SourcePorts } from '../../source-ports.ts'
import { needsExchange } from '../tcp-exchange.ts'
import { isMapped } from '../tcp-by-system-calls.ts'
import { HalfOpenCore } from './half-open-core.ts'
import { OwnPorts } from './own-ports.ts'

const TOO_FEW_DESCRIPTORS = 'the limit of open files is too low for source ports of their own'
const NO_PORTS =
  `no free block of ${HALF_OPEN_PORTS} source ports outside net.ipv4.ip_local_port_range, ` +
  `from ${DYNAMIC_PORT_MIN} on`

/** How half-open probes are made; `why` they are not made by the batch. */
export type HalfOpenWay = { readonly by: 'raw socket' } | { readonly by: 'connection'; readonly why: string }

export interface HalfOpenParts {
  readonly hostAddresses: HostAddresses
  readonly sourcePorts: SourcePorts
}

export class HalfOpen {
  /** Called once, when the first half-open probe is wanted. */
  onOpened: (way: HalfOpenWay) => void = () => undefined
  /** False: there are too few descriptors for the ports. */
  isAllowed = true
  readonly #parts: HalfOpenParts
  readonly #findCalls: () => BatchCalls | undefined
  #way: HalfOpenWay | undefined
  #core: HalfOpenCore | undefined

  constructor(parts: HalfOpenParts, findCalls: () => BatchCalls | undefined = findBatchCalls) {
    this.#parts = parts
    this.#findCalls = findCalls
  }

  /** Undefined until a half-open probe was wanted. */
  get way(): HalfOpenWay | undefined {
    return this.#way
  }

  /** Descriptors that it holds: source ports, raw sockets, and those that find source addresses. */
  get descriptors(): number {
    return this.#core?.descriptors ?? 0
  }

  /** Packets that were received, and resets that were sent in place of the kernel's. */
  get counts(): { readonly received: number; readonly resets: number } {
    return this.#core?.counts ?? { received: 0, resets: 0 }
  }

  /** The core for a target; undefined where this target, or this process, has another way. */
  coreOf(target: ProbeTarget): BatchCore | undefined {
    if (!isHalfOpen(target)) return undefined
    if (this.#way === undefined) this.#open()
    return this.#core
  }

  close(): void {
    this.#core?.close()
    this.#core = undefined
    this.#way = { by: 'connection', why: 'closed' }
  }

  #open(): void {
    const opened = this.isAllowed ? openCore(this.#findCalls(), this.#parts) : TOO_FEW_DESCRIPTORS
    this.#way = typeof opened === 'string' ? { by: 'connection', why: opened } : { by: 'raw socket' }
    if (typeof opened !== 'string') this.#core = opened
    this.onOpened(this.#way)
  }
}

/** What ends with the SYN-ACK, whatever else the target asks for. */
function isHalfOpen(target: ProbeTarget): boolean {
  if (target.type !== 'TCP' || target.halfOpen !== true) return false
  return target.close !== 'fin' && !needsExchange(target) && !isMapped(target)
}

/** A core that works, or why there is none. */
function openCore(
  calls: BatchCalls | undefined,
  { hostAddresses, sourcePorts }: HalfOpenParts,
): HalfOpenCore | string {
  if (calls === undefined) return 'koffi cannot be used here'
  let core: HalfOpenCore | undefined
  try {
    const ports = OwnPorts.reserve(calls, sourcePorts.range())
    if (typeof ports === 'string') return whyNot(ports)
    if (ports === undefined) return NO_PORTS
    core = new HalfOpenCore(calls, ports, hostAddresses)
    const failed = core.open() ?? trial(core, ports)
    if (failed === undefined) return core
    core.close()
    return whyNot(failed)
  } catch (error) {
    // A function cannot be called as declared.
    core?.close()
    return String((error as Error).message)
  }
}

/**
 * Probes a port of ours, where nobody listens: it must be refused, and nothing but the answer may have been received
 * (the SYN too arrives at this host). Undefined = it works.
 */
function trial(core: HalfOpenCore, ports: OwnPorts): string | undefined {
  for (const family of core.families) {
    const address = family === 4 ? '127.0.0.1' : '::1'
    const target = { type: 'TCP', address, family, port: ports.first, timeoutMs: BATCH_TRIAL_MS } as const
    const before = core.counts.received
    const isRefused = tryOnce(core, target)?.reason === 'CONNECT_REFUSED'
    const isRight = isRefused && core.counts.received === before + 1
    if (isRight) continue
    if (family === 4) return `the trial on loopback (${isRefused ? 'filter' : 'no answer'})`
    core.closeFamily(6)
  }
  return undefined
}
