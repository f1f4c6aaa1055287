/**
 * Brings the results of a site into the database, in the order of their stream. What it has written once more, after a restart
 * or from a relay that was not ended, changes nothing: rows are ordered by (epoch, sequence). Claims move the fence, so a row
 * counts when it was sent before the shard was claimed by another prober, however much later it arrives.
 *
 * Rows of a pool that a request has locked are put off, so that they do not keep others waiting; the position stands still
 * meanwhile.
 */
import { setTimeout as wait } from 'node:timers/promises'
import {
  RELAY_PUT_OFF_AGAIN_MS,
  RELAY_PUT_OFF_MAX,
  RELAY_RETRY_MS,
  RELAY_ROWS_PER_STATEMENT,
} from '../../domain/limits.ts'
import type { CertificateWrite, VerdictWrite } from '../../domain/prober/check.ts'
import type { Log } from '../log.ts'
import type { ResultMessage } from '../wire/results.ts'
import { correctedVerdict } from './clock-correction.ts'
import type { MirroredLease, RelayDatabase } from './relay-database.ts'

/** A message of the stream. */
export interface StoredResult {
  readonly position: number
  /** Milliseconds to add to its times: the clock of its sender is wrong. */
  readonly correctionMs: number
  readonly message: ResultMessage
}

export interface IntakeMetrics {
  relayed(kind: ResultMessage['kind'], count: number): void
  /** Rows that the fence refused, that PostgreSQL refused, or whose times were corrected. */
  relayedRows(what: 'written' | 'fenced' | 'put_off' | 'refused' | 'corrected', count: number): void
}

export interface ResultIntakeParts {
  readonly database: RelayDatabase
  readonly metrics: IntakeMetrics
  readonly log: Log
  /** False: another relay does this now. It stays so. */
  readonly isWorking: () => boolean
}

type RowKind = 'verdicts' | 'certificates'

export class ResultIntake {
  readonly #parts: ResultIntakeParts
  /** Rows of verdicts that wait for a lock, with their owner; one per member and owner. */
  #putOff: { readonly owner: string; readonly row: VerdictWrite }[] = []
  #turn: Promise<void> = Promise.resolve()
  #read: number
  #stored: number
  #isAway = false

  /** `stored`: the position up to which all is in the database. */
  constructor(parts: ResultIntakeParts, stored: number) {
    this.#parts = parts
    this.#stored = stored
    this.#read = stored
  }

  /** All up to this position is in the database, or was refused. */
  get stored(): number {
    return this.#stored
  }

  /** Writes these messages, which follow those of before. Resolves when they are written or put off. */
  take(results: readonly StoredResult[]): Promise<void> {
    return this.#inTurn(() => this.#take(results))
  }

  /** Tries again what was put off. */
  writePutOff(): Promise<void> {
    return this.#putOff.length === 0 ? Promise.resolve() : this.#inTurn(() => this.#writePutOff())
  }

  /** The position of the last message that was taken. */
  get read(): number {
    return this.#read
  }

  /** One at a time: rows of a member are written in their order. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(work)
    this.#turn = turn.catch(() => undefined)
    return turn
  }

  async #take(results: readonly StoredResult[]): Promise<void> {
    let from = 0
    while (from < results.length && this.#parts.isWorking()) {
      const run = runOf(results, from)
      if (this.#mustFollow(run)) await this.#drain(0)
      await this.#write(run)
      // What was not written any more is taken by another relay, or by the next turn of this one.
      if (!this.#parts.isWorking()) return
      from += run.length
      this.#read = run.at(-1)?.position ?? this.#read
      if (this.#putOff.length === 0) this.#stored = this.#read
    }
    await this.#drain(RELAY_PUT_OFF_MAX)
  }

  /** Whether what is put off must be written before: verdicts of the same members, or of an owner whose shard is claimed. */
  #mustFollow(run: readonly StoredResult[]): boolean {
    const waiting = new Set(this.#putOff.map(({ row }) => row.memberId))
    return (
      waiting.size > 0 &&
      run.some(
        ({ message }) => message.kind !== 'verdicts' || message.rows.some((row) => waiting.has(row.memberId)),
      )
    )
  }

  async #drain(toRows: number): Promise<void> {
    while (this.#putOff.length > toRows && this.#parts.isWorking()) {
      await this.#writePutOff()
      if (this.#putOff.length > toRows) await wait(RELAY_PUT_OFF_AGAIN_MS)
    }
  }

  async #writePutOff(): Promise<void> {
    const waiting = this.#putOff
    this.#putOff = []
    const byOwner = new Map<string, VerdictWrite[]>()
    for (const { owner, row } of waiting) byOwner.set(owner, [...(byOwner.get(owner) ?? []), row])
    for (const [owner, rows] of byOwner) await this.#verdicts(owner, rows)
    if (this.#putOff.length === 0 && this.#parts.isWorking()) this.#stored = this.#read
  }

  async #write(run: readonly StoredResult[]): Promise<void> {
    const { database, metrics } = this.#parts
    const messages = run.map(({ message }) => message)
    const [first] = messages
    if (first === undefined) return
    metrics.relayed(first.kind, run.length)
    if (first.kind === 'claim') await this.#persistently(() => database.claimed(leasesOf(messages)))
    else if (first.kind === 'release') await this.#persistently(() => database.released(leasesOf(messages)))
    else await this.#rows(run, first.kind)
  }

  /** Rows by their owner: the order matters within a shard, whose owner is one within a run. */
  async #rows(run: readonly StoredResult[], kind: RowKind): Promise<void> {
    const verdicts = new Map<string, VerdictWrite[]>()
    const certificates = new Map<string, CertificateWrite[]>()
    for (const { message, correctionMs } of run) {
      if (message.kind !== kind) continue
      if (message.kind === 'verdicts') {
        const rows =
          correctionMs === 0 ? message.rows : message.rows.map((row) => correctedVerdict(row, correctionMs))
        if (correctionMs !== 0) this.#parts.metrics.relayedRows('corrected', rows.length)
        verdicts.set(message.owner, [...(verdicts.get(message.owner) ?? []), ...rows])
      } else if (message.kind === 'certificates')
        certificates.set(message.owner, [...(certificates.get(message.owner) ?? []), ...message.rows])
    }
    for (const [owner, rows] of verdicts) await this.#verdicts(owner, rows)
    for (const [owner, rows] of certificates) await this.#certificates(owner, rows)
  }

  async #verdicts(owner: string, rows: readonly VerdictWrite[]): Promise<void> {
    for (const some of batchesOf(rows)) {
      const written = await this.#orHalves(some, (batch) => this.#parts.database.writeVerdicts(owner, batch))
      for (const { rows: batch, answer } of written) {
        const held = batch.filter(({ shard }) => answer.held.has(shard))
        const putOff = held.filter(({ memberId }) => answer.putOff.has(memberId))
        this.#putOff.push(...putOff.map((row) => ({ owner, row })))
        this.#count('written', held.length - putOff.length)
        this.#count('put_off', putOff.length)
        this.#count('fenced', batch.length - held.length)
      }
    }
  }

  async #certificates(owner: string, rows: readonly CertificateWrite[]): Promise<void> {
    for (const some of batchesOf(rows))
      await this.#orHalves(some, (batch) => this.#parts.database.writeCertificates(owner, batch))
  }

  #count(what: Parameters<IntakeMetrics['relayedRows']>[0], count: number): void {
    if (count > 0) this.#parts.metrics.relayedRows(what, count)
  }

  /** One row that PostgreSQL refuses does not take others with it: each half is tried by itself. */
  async #orHalves<Row extends { readonly memberId: string }, Answer>(
    rows: readonly Row[],
    write: (rows: readonly Row[]) => Promise<Answer>,
  ): Promise<readonly { readonly rows: readonly Row[]; readonly answer: Answer }[]> {
    try {
      const answer = await this.#persistently(() => write(rows))
      return answer === undefined ? [] : [{ rows, answer }]
    } catch (error) {
      const [first] = rows
      if (rows.length <= 1) {
        this.#count('refused', rows.length)
        this.#parts.log.error(
          { err: error, member_id: first?.memberId },
          'a result was refused and is dropped',
        )
        return []
      }
      const half = Math.ceil(rows.length / 2)
      return [
        ...(await this.#orHalves(rows.slice(0, half), write)),
        ...(await this.#orHalves(rows.slice(half), write)),
      ]
    }
  }

  /** Until PostgreSQL answers; undefined: another relay works now. Rejects for what it refuses. */
  async #persistently<Answer>(write: () => Promise<Answer>): Promise<Answer | undefined> {
    const { database, log, isWorking } = this.#parts
    while (isWorking()) {
      try {
        const answer = await write()
        if (this.#isAway) log.info({}, 'results of the site are written again')
        this.#isAway = false
        return answer
      } catch (error) {
        if (!database.isAway(error)) throw error
        if (!this.#isAway) log.warn({ err: error }, 'results of the site cannot be written; they are kept')
        this.#isAway = true
        await wait(RELAY_RETRY_MS)
      }
    }
    return undefined
  }
}

/** Messages from this one on that may be written at once: of one kind, and with no member twice. */
function runOf(results: readonly StoredResult[], from: number): readonly StoredResult[] {
  const kind = results[from]?.message.kind
  const members = new Set<string>()
  const shards = new Set<number>()
  let to = from
  for (; to < results.length; to++) {
    const message = results[to]?.message
    if (message === undefined || message.kind !== kind) break
    if (message.kind === 'claim' || message.kind === 'release') {
      if (shards.has(message.shard)) break
      shards.add(message.shard)
      continue
    }
    if (members.size > 0 && message.rows.some(({ memberId }) => members.has(memberId))) break
    for (const { memberId } of message.rows) members.add(memberId)
    if (members.size >= RELAY_ROWS_PER_STATEMENT) return results.slice(from, to + 1)
  }
  return results.slice(from, to)
}

function leasesOf(messages: readonly ResultMessage[]): readonly MirroredLease[] {
  return messages.flatMap((message) =>
    message.kind === 'claim' || message.kind === 'release'
      ? [{ id: message.shard, epoch: message.epoch, owner: message.owner }]
      : [],
  )
}

function batchesOf<Row>(rows: readonly Row[]): readonly (readonly Row[])[] {
  const count = Math.ceil(rows.length / RELAY_ROWS_PER_STATEMENT)
  return Array.from({ length: count }, (_, i) =>
    rows.slice(i * RELAY_ROWS_PER_STATEMENT, (i + 1) * RELAY_ROWS_PER_STATEMENT),
  )
}
