/** What the one relay that works for a site does, from the time that it may until another one may. */
import { type ConsumerMessages, DeliverPolicy, type JsMsg } from '@nats-io/jetstream'
import {
  RELAY_BEATS_EVERY_MS,
  RELAY_LEASES_COMPARED_EVERY_MS,
  RELAY_MESSAGES_AT_ONCE,
  RELAY_POSITION_EVERY_MS,
  RELAY_RETRY_MS,
  RESULTS_REMOVED_EVERY_MS,
  SHARD_COUNT,
  SITE_CLOCK_TOLERANCE_MS,
} from '../../domain/limits.ts'
import type { Log } from '../log.ts'
import { reaching } from '../away.ts'
import type { CheckpointPart } from '../checkpoint-store.ts'
import type { SiteConnection } from '../connection.ts'
import type { LeaseView } from '../lease-view.ts'
import { inTurns } from '../leases.ts'
import { POSITION_KEY, proberKey, shardKey, type SiteNames } from '../subjects.ts'
import { correctionOf, headOf } from '../wire/heads.ts'
import { unpack } from '../wire/packed.ts'
import { isResult } from '../wire/results.ts'
import { CheckpointIntake } from './checkpoint-intake.ts'
import { correctedCheckpoint } from './clock-correction.ts'
import { Heartbeats } from './heartbeats.ts'
import { openQuestionDesk } from './question-desk.ts'
import type { RelayDatabase } from './relay-database.ts'
import type { RelayMetrics } from './relay-metrics.ts'
import { ResultIntake, type StoredResult } from './result-intake.ts'
import { retrying } from './retrying.ts'
import { SnapshotPublisher } from './snapshot-publisher.ts'

export interface SiteWorkParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  readonly view: LeaseView
  readonly database: RelayDatabase
  readonly metrics: RelayMetrics
  readonly log: Log
  /** Whether this relay still is the one. */
  readonly isWorking: () => boolean
}

/** Milliseconds between looks at what is due. */
const STEP_MS = 100

export class SiteWork {
  readonly #parts: SiteWorkParts
  readonly #intake: ResultIntake
  readonly #snapshots: SnapshotPublisher
  readonly #heartbeats: Heartbeats
  readonly #checkpoints: CheckpointIntake
  readonly #closing: (() => unknown)[] = []
  #notedPosition: number
  #comparedMs = Number.NEGATIVE_INFINITY
  #removedThrough = 0
  #results: ConsumerMessages | undefined
  /** Where the intake was at the last look, with something left to read. */
  #stuckAt: number | undefined
  readonly #stopping = new AbortController()
  #done: Promise<unknown> = Promise.resolve()

  constructor(parts: SiteWorkParts) {
    const { connection, names, view, database, metrics, log } = parts
    const position = view.position ?? 0
    this.#parts = parts
    this.#notedPosition = position
    this.#intake = new ResultIntake({ database, metrics, log, isWorking: () => !this.isOver }, position)
    this.#snapshots = new SnapshotPublisher({
      connection,
      names,
      database,
      metrics,
      log,
      stored: () => this.#intake.stored,
    })
    this.#heartbeats = new Heartbeats(view, database)
    this.#checkpoints = new CheckpointIntake(database)
  }

  /** Makes the leases of shards that the bucket has not, and begins. Rejects when the database or NATS is away. */
  async start(): Promise<void> {
    await this.#makeLeases()
    const { log, names } = this.#parts
    const isStopped = (): boolean => this.isOver
    const { signal } = this.#stopping
    const part = (what: string, work: () => Promise<number>): Promise<void> =>
      retrying({ what: `${names.leaseBucket}, ${what}`, log, isStopped, signal, work })
    this.#done = Promise.all([
      part('results', () => this.#followResults()),
      part('checkpoints', () => this.#followCheckpoints()),
      part('questions', () => this.#answerQuestions()),
      part('notifications of configuration', () => this.#listenForChanges()),
      part('notifications of requests', () => this.#listenForRequests()),
      part('snapshots', async () => {
        await this.#snapshots.step(() => !this.isOver)
        return STEP_MS
      }),
      part('rows that wait', async () => {
        await this.#intake.writePutOff()
        return STEP_MS
      }),
      part('heartbeats', async () => {
        await this.#heartbeats.mirror()
        return RELAY_BEATS_EVERY_MS
      }),
      part('position', () => this.#notePosition()),
      part('upkeep', () => this.#keepUp()),
    ])
  }

  /** Resolves when nothing of it goes on. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.allSettled(this.#closing.map(async (close) => await close()))
    await this.#done
  }

  /**
   * Whether it may do nothing more. It stays so, also when this relay becomes the one again: another one may have worked
   * meanwhile, and what has ended does not begin again.
   */
  get isOver(): boolean {
    if (!this.#parts.isWorking()) this.#stopping.abort()
    return this.#stopping.signal.aborted
  }

  async #makeLeases(): Promise<void> {
    const { connection, names, view, database } = this.#parts
    const epochs = await database.epochs()
    const bucket = await connection.bucket(names.leaseBucket)
    const missing = Array.from({ length: SHARD_COUNT }, (_, shard) => shard).filter(
      (shard) => !view.shards.has(shard),
    )
    await inTurns(missing, async (shard) => {
      // A new bucket goes on with the epochs that the database knows: an older one would be fenced.
      const lease = JSON.stringify({ owner: null, epoch: epochs.get(shard) ?? 0 })
      await reaching('the leases of the site are not made', () => bucket.create(shardKey(shard), lease))
    })
  }

  /** Takes results until the stream of messages ends; then from where it was. */
  async #followResults(): Promise<number> {
    const { connection, names } = this.#parts
    const { js } = await connection.reach()
    const consumer = await js.consumers.get(names.resultStream, {
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#intake.stored + 1,
    })
    const messages = await consumer.consume({ max_messages: RELAY_MESSAGES_AT_ONCE })
    this.#results = messages
    this.#closing.push(() => messages.close())
    let batch: StoredResult[] = []
    for await (const message of messages) {
      if (this.isOver) break
      batch.push(await this.#resultOf(message))
      if (message.info.pending > 0 && batch.length < RELAY_MESSAGES_AT_ONCE) continue
      await this.#intake.take(batch)
      batch = []
    }
    await messages.close()
    return RELAY_RETRY_MS
  }

  async #resultOf(given: JsMsg): Promise<StoredResult> {
    const { log } = this.#parts
    const correctionMs = correctionOf(given.headers, SITE_CLOCK_TOLERANCE_MS)
    try {
      const message = await unpack(given.data)
      if (!isResult(message)) throw new TypeError('it has another shape')
      return { position: given.seq, correctionMs, message }
    } catch (error) {
      log.error(
        { err: error, subject: given.subject, position: given.seq },
        'a message of a site is no result',
      )
      return { position: given.seq, correctionMs: 0, message: { kind: 'verdicts', owner: '', rows: [] } }
    }
  }

  async #followCheckpoints(): Promise<number> {
    const { connection, names, log, database } = this.#parts
    const { js } = await connection.reach()
    const consumer = await js.consumers.get(names.checkpointStream, {
      deliver_policy: DeliverPolicy.LastPerSubject,
    })
    const messages = await consumer.consume({ max_messages: RELAY_MESSAGES_AT_ONCE })
    this.#closing.push(() => messages.close())
    for await (const message of messages) {
      if (this.isOver) break
      const head = headOf(message.headers)
      if (head === undefined) continue
      try {
        const part = (await unpack(message.data)) as CheckpointPart
        const correctionMs = correctionOf(message.headers, SITE_CLOCK_TOLERANCE_MS)
        await this.#checkpoints.take(head, correctedCheckpoint(part, correctionMs))
      } catch (error) {
        if (!database.isAway(error)) log.error({ err: error }, 'a checkpoint of the site was refused')
      }
    }
    await messages.close()
    return RELAY_RETRY_MS
  }

  async #answerQuestions(): Promise<number> {
    const subscription = await openQuestionDesk(this.#parts)
    this.#closing.push(() => subscription.unsubscribe())
    await subscription.closed
    return RELAY_RETRY_MS
  }

  async #listenForChanges(): Promise<number> {
    await this.#listening(this.#parts.database.listen, () => this.#snapshots.notify())
    return RELAY_RETRY_MS
  }

  async #listenForRequests(): Promise<number> {
    const { connection, names, database } = this.#parts
    await this.#listening(database.listenForRequests, (payload) => {
      void connection.reach().then(
        (reached) => reached.connection.publish(names.probeRequested, payload),
        // Probers look once a second anyway.
        () => undefined,
      )
    })
    return RELAY_RETRY_MS
  }

  /** Resolves when it ends. */
  async #listening(listen: RelayDatabase['listen'], onPayload: (payload: string) => void): Promise<void> {
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const listening = await listen(onPayload, () => end())
    this.#closing.push(end)
    if (!this.#stopping.signal.aborted) await ended
    await listening.end()
  }

  /** Another relay goes on from there. */
  async #notePosition(): Promise<number> {
    const { connection, names } = this.#parts
    const position = this.#intake.stored
    if (position > this.#notedPosition) {
      const bucket = await connection.bucket(names.leaseBucket)
      await reaching('the position is not noted', () => bucket.put(POSITION_KEY, String(position)))
      this.#notedPosition = position
    }
    return RELAY_POSITION_EVERY_MS
  }

  /** Removes what nobody needs, and begins to read again where a reading stands still. */
  async #keepUp(): Promise<number> {
    const { connection, names, metrics, database } = this.#parts
    const { jsm } = await connection.reach()
    const bucket = await connection.bucket(names.leaseBucket)
    const { state } = await jsm.streams.info(names.resultStream)
    const { read, stored } = this.#intake
    metrics.waiting(Math.max(0, state.last_seq - stored))
    if (state.last_seq > read && this.#stuckAt === read) await this.#results?.close()
    this.#stuckAt = read
    const through = Math.min(this.#snapshots.through, this.#notedPosition)
    if (through > this.#removedThrough) {
      await jsm.streams.purge(names.resultStream, { seq: through + 1 })
      this.#removedThrough = through
    }
    if (performance.now() - this.#comparedMs > RELAY_LEASES_COMPARED_EVERY_MS && stored >= state.last_seq) {
      this.#comparedMs = performance.now()
      await this.#heartbeats.compareLeases()
      await database.forgetProbeRequests()
      for (const id of this.#heartbeats.forgotten()) await bucket.delete(proberKey(id))
      // Of a key that was deleted the server keeps that it was.
      for (const id of this.#parts.view.takeGone())
        await jsm.streams.purge(`KV_${names.leaseBucket}`, {
          filter: `$KV.${names.leaseBucket}.${proberKey(id)}`,
        })
    }
    return RESULTS_REMOVED_EVERY_MS
  }
}
