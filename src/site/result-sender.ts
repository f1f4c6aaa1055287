/** Sends results to the stream of a site. What is confirmed is stored; what is not may be stored all the same, once. */
import { RESULT_ROWS_PER_MESSAGE, SITE_MESSAGE_MAX_BYTES } from '../domain/limits.ts'
import type { CertificateWrite, VerdictsWritten, VerdictWrite } from '../domain/prober/check.ts'
import { reaching, SiteAway } from './away.ts'
import type { SiteConnection } from './connection.ts'
import { HeldFiles, type HeldMetrics } from './held/held-files.ts'
import { HeldResults } from './held/held-results.ts'
import { inTurns } from './leases.ts'
import type { Log } from './log.ts'
import type { OwnVerdicts } from './own-verdicts.ts'
import type { SiteNames } from './subjects.ts'
import { withClockOff } from './wire/heads.ts'
import { pack } from './wire/packed.ts'
import { idOf, type ResultMessage } from './wire/results.ts'

export interface ResultSenderParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  /** Of the prober. */
  readonly owner: string
  /** Whether a shard was ours at this epoch when we looked last. The order of the stream is the fence. */
  readonly isHeld: (shard: number, epoch: number) => boolean
  readonly verdicts: OwnVerdicts
  /** By how many milliseconds the server's clock is ahead of ours. */
  readonly clockOffMs: () => number
  /** Where what cannot be sent is held; absent = it stays in the memory of the prober. */
  readonly held?: { readonly folder: string; readonly metrics: HeldMetrics; readonly log: Log } | undefined
}

type Rows = readonly { readonly shard: number; readonly epoch: number }[]

export class ResultSender {
  readonly #parts: ResultSenderParts
  readonly #held: HeldResults | undefined

  constructor(parts: ResultSenderParts) {
    const { held, owner } = parts
    this.#parts = parts
    this.#held =
      held &&
      new HeldResults({
        files: new HeldFiles({ ...held, siteFolder: held.folder, owner }),
        owner,
        metrics: held.metrics,
        send: (of, rows) => this.#sendVerdicts(of, rows),
        log: held.log,
      })
  }

  /** Sends what was held before, by this prober or by one that has ended. Rejects while that is not possible. */
  async flush(): Promise<void> {
    await this.#held?.flush()
  }

  /** What is held stays on disk for the next process. */
  async close(): Promise<void> {
    await this.#held?.close()
  }

  /** Resolves with the position of the message in the stream. */
  async send(shard: number, epoch: number, message: ResultMessage): Promise<number> {
    return await this.#store(shard, epoch, await pack(message))
  }

  async verdicts(rows: readonly VerdictWrite[]): Promise<VerdictsWritten> {
    const { owner, isHeld } = this.#parts
    const ours = rows.filter(({ shard, epoch }) => isHeld(shard, epoch))
    try {
      if (this.#held?.isEmpty === false) await this.#held.flush()
      await this.#sendVerdicts(owner, ours)
    } catch (error) {
      if (this.#held === undefined || !(error instanceof SiteAway)) throw error
      // What has been sent of them is sent again, without effect.
      await this.#held.hold(ours, error)
    }
    return { held: new Set(ours.map(({ shard }) => shard)), putOff: new Set() }
  }

  async certificates(rows: readonly CertificateWrite[]): Promise<void> {
    const { owner, isHeld } = this.#parts
    const ours = rows.filter(({ shard, epoch }) => isHeld(shard, epoch))
    await inTurns(byShard(ours), async (some) => {
      await this.#sendRows(some, (part) => ({ kind: 'certificates', owner, rows: part }))
    })
  }

  async #sendVerdicts(owner: string, rows: readonly VerdictWrite[]): Promise<void> {
    const { verdicts } = this.#parts
    await inTurns(byShard(rows), async (some) => {
      await this.#sendRows(
        some,
        (part) => ({ kind: 'verdicts', owner, rows: part }),
        (part, position) => verdicts.add(part, position),
      )
    })
  }

  /** In as many messages as it takes: what rows need is known when they are packed. */
  async #sendRows<Row extends Rows[number]>(
    rows: readonly Row[],
    messageOf: (rows: readonly Row[]) => ResultMessage,
    onStored: (rows: readonly Row[], position: number) => void = () => undefined,
  ): Promise<void> {
    const [first] = rows
    if (first === undefined) return
    const payload = await pack(messageOf(rows))
    if (
      rows.length > 1 &&
      (rows.length > RESULT_ROWS_PER_MESSAGE || payload.length > SITE_MESSAGE_MAX_BYTES)
    ) {
      const half = Math.ceil(rows.length / 2)
      await this.#sendRows(rows.slice(0, half), messageOf, onStored)
      await this.#sendRows(rows.slice(half), messageOf, onStored)
      return
    }
    onStored(rows, await this.#store(first.shard, first.epoch, payload))
  }

  async #store(shard: number, epoch: number, payload: Uint8Array): Promise<number> {
    // One that no server takes is refused here: it would come back again and again.
    if (payload.length > SITE_MESSAGE_MAX_BYTES) throw new RangeError(`a result has ${payload.length} bytes`)
    const { connection, names } = this.#parts
    const { js } = await connection.reach()
    const { seq } = await reaching(`results are not stored in ${names.resultStream}`, () =>
      js.publish(names.result(shard), payload, {
        msgID: idOf(payload, shard, epoch),
        headers: withClockOff(this.#parts.clockOffMs()),
      }),
    )
    return seq
  }
}

/** Rows of one shard at one epoch each: of an older epoch, none is ours. */
function byShard<Row extends Rows[number]>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const shards = new Map<number, Row[]>()
  for (const row of rows) {
    const some = shards.get(row.shard)
    if (some === undefined) shards.set(row.shard, [row])
    else some.push(row)
  }
  return [...shards.values()]
}
