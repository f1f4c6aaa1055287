/**
 * A core that is opened when the first probe for it is wanted. Where it cannot be opened, or does other than expected,
 * the prober of the type makes these probes, one at a time.
 */
import type { ProbeTarget } from '../../domain/target/probe-target.ts'
import type { BatchCore } from './core.ts'
import { whyNot } from './trial.ts'

/** How probes of a type are made; `why` they are not made by the batch. */
export type CoreWay = { readonly by: 'batch' } | { readonly by: 'prober'; readonly why: string }

/** A core with sockets of its own. */
export interface OpenCore extends BatchCore {
  /** Those that it holds, without those of probes in flight. */
  readonly descriptors: number
  /** Undefined, or the call that failed and its errno. */
  open(): string | undefined
}

/** `Calls`: the system calls that it makes. */
export interface CoreKind<Core extends OpenCore, Calls> {
  /** Whether a target is for this core, where there is one. */
  suits(target: ProbeTarget): boolean
  make(calls: Calls): Core
  /** Tries an opened core on this host. Undefined = it works, else what does not. */
  trial(core: Core, calls: Calls): string | undefined
}

export class CoreOnDemand<Core extends OpenCore, Calls> {
  /** Called once, when the first probe is wanted. */
  onOpened: (way: CoreWay) => void = () => undefined
  readonly #kind: CoreKind<Core, Calls>
  readonly #findCalls: () => Calls | undefined
  #way: CoreWay | undefined
  #core: Core | undefined

  constructor(kind: CoreKind<Core, Calls>, findCalls: () => Calls | undefined) {
    this.#kind = kind
    this.#findCalls = findCalls
  }

  /** Undefined until a probe was wanted. */
  get way(): CoreWay | undefined {
    return this.#way
  }

  /** Undefined where there is none, or none yet. */
  get core(): Core | undefined {
    return this.#core
  }

  get descriptors(): number {
    return this.#core?.descriptors ?? 0
  }

  /** The core for a target; undefined where this target, or this process, has another way. */
  coreOf(target: ProbeTarget): Core | undefined {
    if (!this.#kind.suits(target)) return undefined
    if (this.#way === undefined) this.#open()
    return this.#core
  }

  close(): void {
    this.#core?.close()
    this.#core = undefined
    this.#way = { by: 'prober', why: 'closed' }
  }

  #open(): void {
    const opened = this.#opened()
    this.#way = typeof opened === 'string' ? { by: 'prober', why: opened } : { by: 'batch' }
    if (typeof opened !== 'string') this.#core = opened
    this.onOpened(this.#way)
  }

  /** A core that works, or why there is none. */
  #opened(): Core | string {
    const calls = this.#findCalls()
    if (calls === undefined) return 'koffi cannot be used here'
    let core: Core | undefined
    try {
      core = this.#kind.make(calls)
      const failed = core.open() ?? this.#kind.trial(core, calls)
      if (failed === undefined) return core
      core.close()
      return whyNot(failed)
    } catch (error) {
      // A function cannot be called as declared.
      core?.close()
      return String((error as Error).message)
    }
  }
}
