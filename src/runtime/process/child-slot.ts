/**
 * Child processes under a parent that keeps their number: one that dies is started again, after a pause that grows
 * while it keeps dying. They live in sessions of their own, so that Ctrl-C reaches the parent alone and everything ends
 * in order; and when the parent is gone, they end because the channel closes (see `parent-channel.ts`).
 */
import { type ChildProcess, fork } from 'node:child_process'
import {
  CHILD_RESTART_MS,
  CHILD_STABLE_MS,
  DRAIN_TIMEOUT_MS,
  METRICS_TIMEOUT_MS,
} from '../../domain/limits.ts'
import type { Log } from '../output/log.ts'
import { retire, type Snapshot } from '../scrape/metrics-endpoint.ts'
import { isAnswer, RELOAD } from './parent-channel.ts'

export interface ChildOptions {
  /** Shown in logs and in metrics. */
  readonly name: string
  readonly modulePath: string
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly log: Log
  /** Replaced in tests. */
  readonly fork?: typeof fork
}

/** One place for a child: a process, or the pause before the next one. */
export class ChildSlot {
  readonly #options: ChildOptions
  #child: ChildProcess | undefined
  #startedAtMs = 0
  #backOffMs = CHILD_RESTART_MS.min
  #pause: NodeJS.Timeout | undefined
  #stopping = false
  #last: Snapshot = []
  #retired: Promise<Snapshot> = Promise.resolve([])
  #nextRequest = 1

  constructor(options: ChildOptions) {
    this.#options = options
  }

  /** Process id while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid
  }

  start(): void {
    const { name, log } = this.#options
    this.#startedAtMs = performance.now()
    try {
      const child = this.#fork()
      child.on('error', (err) => log.error({ err, child: name }, 'child process: error'))
      if (child.pid === undefined) return this.#ended(null, null)
      this.#child = child
      child.once('exit', (code, signal) => this.#ended(code, signal))
      log.info({ child: name, child_pid: child.pid }, 'child process started')
    } catch (err) {
      log.error({ err, child: name }, 'child process: error')
      this.#ended(null, null)
    }
  }

  /**
   * Without an id where this process may have no more of them, or of descriptors; it throws where memory is lacking.
   */
  #fork(): ChildProcess {
    const { modulePath, args, env } = this.#options
    return (this.#options.fork ?? fork)(modulePath, [...args], {
      env,
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      // Metrics may have numbers that JSON cannot express (NaN, Infinity).
      serialization: 'advanced',
    })
  }

  /**
   * Asks it to read its files anew. By message: a signal would end a child that does not listen yet, and one that
   * starts reads them anyway.
   */
  reload(): void {
    if (this.#child?.connected === true) this.#child.send(RELOAD, () => undefined)
  }

  /** Asks it to end; a prober then releases its shards. After DRAIN_TIMEOUT_MS it is killed. */
  async stop(): Promise<void> {
    this.#stopping = true
    clearTimeout(this.#pause)
    const child = this.#child
    if (child === undefined) return
    await new Promise<void>((resolve) => {
      const kill = setTimeout(() => child.kill('SIGKILL'), DRAIN_TIMEOUT_MS)
      child.once('exit', () => {
        clearTimeout(kill)
        resolve()
      })
      child.kill('SIGTERM')
    })
  }

  /** Ends it at once, without handing over. */
  destroy(): void {
    this.#stopping = true
    clearTimeout(this.#pause)
    this.#child?.kill('SIGKILL')
  }

  /** Its metrics, and what its dead predecessors had counted. A child that does not answer gives its last ones. */
  async snapshots(): Promise<readonly Snapshot[]> {
    const child = this.#child
    if (child?.connected === true) {
      const fresh = await this.#requestMetrics(child)
      // It may have died meanwhile; then its last metrics are already among those of dead processes.
      if (this.#child === child && fresh !== undefined) this.#last = fresh
    }
    return [this.#last, await this.#retired]
  }

  #requestMetrics(child: ChildProcess): Promise<Snapshot | undefined> {
    const id = this.#nextRequest++
    return new Promise((resolve) => {
      const finish = (snapshot: Snapshot | undefined): void => {
        clearTimeout(late)
        child.off('message', onMessage).off('exit', onExit)
        resolve(snapshot)
      }
      const onMessage = (message: unknown): void => {
        if (isAnswer(message) && message.id === id) finish(message.snapshot)
      }
      const onExit = (): void => finish(undefined)
      const late = setTimeout(onExit, METRICS_TIMEOUT_MS)
      child.on('message', onMessage).once('exit', onExit)
      child.send({ kind: 'metrics', id }, (error) => {
        if (error !== null) onExit()
      })
    })
  }

  #ended(code: number | null, signal: NodeJS.Signals | null): void {
    const { name, log } = this.#options
    this.#child = undefined
    const last = this.#last
    this.#last = []
    this.#retired = this.#retired.then((retired) => retire(retired, last))
    if (this.#stopping) return
    if (performance.now() - this.#startedAtMs >= CHILD_STABLE_MS) this.#backOffMs = CHILD_RESTART_MS.min
    log.error(
      { child: name, code, signal, again_in_ms: this.#backOffMs },
      'child process ended; it is started again',
    )
    this.#pause = setTimeout(() => this.start(), this.#backOffMs)
    this.#backOffMs = Math.min(this.#backOffMs * 2, CHILD_RESTART_MS.max)
  }
}
