/** The children of `healthmonitor serve`: its probers and its notifier. */
import { fileURLToPath } from 'node:url'
import type { Log } from '../../runtime/output/log.ts'
import { ChildSlot } from '../../runtime/process/child-slot.ts'
import type { Snapshot } from '../../runtime/scrape/metrics-endpoint.ts'

const PROGRAM = fileURLToPath(new URL('../healthmonitor.js', import.meta.url))

export class ChildProcesses {
  readonly #log: Log
  readonly #slots: ChildSlot[] = []

  constructor(log: Log) {
    this.#log = log
  }

  /** Starts `probers` probers, and the notifier, with this environment. */
  start(probers: number, env: NodeJS.ProcessEnv): void {
    const names = Array.from({ length: probers }, (_, index) => `prober-${index + 1}`)
    for (const name of names) this.#startOne(name, ['prober', `--name=${name}`], env)
    this.#startOne('notifier', ['notifier'], env)
  }

  #startOne(name: string, args: readonly string[], env: NodeJS.ProcessEnv): void {
    const slot = new ChildSlot({ name, modulePath: PROGRAM, args, env, log: this.#log })
    slot.start()
    this.#slots.push(slot)
  }

  /** The metrics of all, with what dead ones had counted. */
  async snapshots(): Promise<readonly Snapshot[]> {
    return (await Promise.all(this.#slots.map((slot) => slot.snapshots()))).flat()
  }

  /** Asks each to read its files anew. Returns how many were asked. */
  reload(): number {
    for (const slot of this.#slots) slot.reload()
    return this.#slots.length
  }

  /** Asks them to end, and waits for that; probers release their shards. */
  async stop(): Promise<void> {
    await Promise.all(this.#slots.map((slot) => slot.stop()))
  }

  /** Ends them at once, without handing over. */
  destroy(): void {
    for (const slot of this.#slots) slot.destroy()
  }
}
