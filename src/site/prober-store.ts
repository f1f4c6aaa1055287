/**
 * What a prober's engine reads and writes, over NATS JetStream: the interface that `bin/process/prober-store.ts` makes of
 * PostgreSQL, with the same promises (docs/adr/0039-sites-over-nats.md). Everything rejects with SiteAway while NATS is away.
 */
import type {
  CertificateWrite,
  CheckpointEntry,
  Heartbeat,
  HeldShard,
  PoolChecks,
  ShardCheckpoint,
  VerdictsWritten,
  VerdictWrite,
} from '../domain/prober/check.ts'
import { NATS_REQUEST_WITHIN_MS } from '../domain/limits.ts'
import type { ProbeAnswer, ProbeRequest } from '../domain/prober/probe-request.ts'
import type { ProberFacts } from '../domain/prober/prober-facts.ts'
import type { Witness } from '../domain/site/witnesses.ts'
import type { ParentState } from '../domain/status/dependencies.ts'
import type { HeldMetrics } from './held/held-files.ts'
import type { Log } from './log.ts'
import { reaching, SiteAway } from './away.ts'
import { CheckpointStore } from './checkpoint-store.ts'
import { type NatsSettings, SiteConnection } from './connection.ts'
import { SiteLeases } from './leases.ts'
import { OwnVerdicts } from './own-verdicts.ts'
import { ResultSender } from './result-sender.ts'
import { SnapshotReader } from './snapshot-reader.ts'
import { namesOf, PROBER_INBOX, type Question, type SiteNames } from './subjects.ts'
import { pack, unpack } from './wire/packed.ts'
import type { Answers, Questions } from './wire/questions.ts'
import type { ResultMessage } from './wire/results.ts'

export interface NatsProberStoreOptions {
  /** Of the prober. */
  readonly id: string
  readonly site: string
  readonly host: string
  readonly pid: number
  readonly leaseMs: number
  readonly nats: Omit<NatsSettings, 'inbox' | 'name'>
  /** Adds what belongs to this host to the checks of a pool. */
  readonly adapt: (pool: PoolChecks) => PoolChecks
  /** Where results of the site are held that cannot be sent; absent = the prober keeps them in its memory. */
  readonly held?: { readonly folder: string; readonly metrics: HeldMetrics } | undefined
  readonly log: Log
}

/** Connects when it is first used. */
export function openNatsProberStore({ nats, log, ...options }: NatsProberStoreOptions): NatsProberStore {
  const name = `healthmonitor prober ${options.site} ${options.id}`
  const connection = new SiteConnection({ ...nats, inbox: PROBER_INBOX, name }, log)
  return new NatsProberStore(connection, { ...options, log })
}

type Identity = Omit<NatsProberStoreOptions, 'nats'>

export class NatsProberStore {
  readonly #connection: SiteConnection
  readonly #identity: Identity
  readonly #names: SiteNames
  readonly #verdicts = new OwnVerdicts()
  readonly #snapshots: SnapshotReader
  readonly #results: ResultSender
  readonly #checkpoints: CheckpointStore
  readonly #leases: SiteLeases

  constructor(connection: SiteConnection, identity: Identity) {
    const names = namesOf(identity.site)
    const isHeld = (shard: number, epoch: number): boolean => this.#leases.isHeld(shard, epoch)
    const clockOffMs = (): number => this.#leases.clockOffMs
    const reached = { connection, names, owner: identity.id, isHeld, clockOffMs }
    this.#connection = connection
    this.#identity = identity
    this.#names = names
    this.#snapshots = new SnapshotReader({ connection, names, verdicts: this.#verdicts })
    const { held, log } = identity
    this.#results = new ResultSender({
      ...reached,
      verdicts: this.#verdicts,
      held: held && { ...held, log },
    })
    this.#checkpoints = new CheckpointStore(reached)
    this.#leases = new SiteLeases({
      ...identity,
      connection,
      names,
      announce: (message) => this.#results.send(message.shard, message.epoch, message),
      onClaimed: (shard, position) => this.#readUnstored(shard, position),
    })
  }

  async beat(contactMs: number, facts: ProberFacts): Promise<Heartbeat> {
    const heartbeat = await this.#leases.beat(contactMs, facts)
    // Beside it: a heartbeat waits for no results.
    void this.#results.flush().catch(() => undefined)
    const held = new Set(heartbeat.held.map(({ id }) => id))
    this.#snapshots.keep((shard) => held.has(shard))
    return heartbeat
  }

  async claim(count: number, foreignToo: boolean): Promise<readonly HeldShard[]> {
    // A claim ends what was decided before it.
    await this.#results.flush()
    return await this.#leases.claim(count, foreignToo)
  }

  async release(shards: readonly number[]): Promise<void> {
    await this.#results.flush()
    await this.#leases.release(shards)
    for (const shard of shards) this.#verdicts.dropShard(shard)
  }

  async removeProber(): Promise<void> {
    await this.#leases.removeProber()
  }

  // What is no promise inside must reject all the same.
  async readDigests(shards: readonly number[]): Promise<ReadonlyMap<number, string>> {
    return await Promise.resolve(this.#snapshots.digests(shards))
  }

  async readVersions(
    shards: readonly number[],
  ): Promise<readonly { readonly poolId: string; readonly shard: number; readonly configVersion: number }[]> {
    return await this.#snapshots.pools(shards)
  }

  async readSizes(
    poolIds: readonly string[],
  ): Promise<readonly { readonly poolId: string; readonly projectId: string; readonly members: number }[]> {
    return await Promise.resolve(this.#snapshots.known(poolIds))
  }

  async loadPools(poolIds: readonly string[]): Promise<readonly PoolChecks[]> {
    const pools: PoolChecks[] = []
    for (const entry of this.#snapshots.known(poolIds))
      pools.push(this.#identity.adapt(await this.#snapshots.load(entry)))
    return pools
  }

  async loadMembers(
    poolId: string,
    after: string | undefined,
    limit: number,
  ): Promise<{ readonly pool: PoolChecks; readonly lastMember: string | undefined } | undefined> {
    const [entry] = this.#snapshots.known([poolId])
    if (entry === undefined) return undefined
    const pool = await this.#snapshots.load(entry)
    const left = pool.checks
      .filter(({ config }) => after === undefined || config.memberId > after)
      .toSorted((one, other) => (one.config.memberId < other.config.memberId ? -1 : 1))
    const checks = left.slice(0, limit)
    const lastMember = left.length > limit ? checks.at(-1)?.config.memberId : undefined
    return { pool: this.#identity.adapt({ ...pool, checks }), lastMember }
  }

  async writeVerdicts(rows: readonly VerdictWrite[]): Promise<VerdictsWritten> {
    return await this.#results.verdicts(rows)
  }

  async writeCertificates(rows: readonly CertificateWrite[]): Promise<void> {
    await this.#results.certificates(rows)
  }

  async writeCheckpoints(checkpoints: readonly ShardCheckpoint[]): Promise<void> {
    await this.#checkpoints.write(checkpoints)
  }

  async readCheckpointEntries(
    shards: readonly number[],
    memberIds: readonly string[],
  ): Promise<readonly CheckpointEntry[]> {
    return await this.#checkpoints.entries(shards, memberIds)
  }

  async readParentStates(
    projectId: string,
    parents: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, ParentState>> {
    return new Map(await this.#ask('parents', { projectId, parents, withinMs }, withinMs))
  }

  async readWitnesses(memberIds: readonly string[]): Promise<readonly Witness[]> {
    return await this.#ask('witnesses', { memberIds })
  }

  async takeProbeRequests(
    held: ReadonlyMap<number, number>,
    inHand: readonly string[],
    most: number,
  ): Promise<readonly ProbeRequest[]> {
    return await this.#ask('probe-requests', { owner: this.#identity.id, held: [...held], inHand, most })
  }

  async answerProbeRequests(
    answers: readonly {
      readonly request: Pick<ProbeRequest, 'id' | 'shard' | 'epoch'>
      readonly answer: ProbeAnswer
    }[],
  ): Promise<void> {
    await this.#ask('probe-answers', { owner: this.#identity.id, answers })
  }

  /** The relay does. */
  async forgetProbeRequests(): Promise<void> {
    await Promise.resolve()
  }

  readonly listen = async (
    onPayload: (payload: string) => void,
    onEnd: (error: Error | undefined) => void,
  ): Promise<{ end(): Promise<void> }> =>
    await this.#snapshots.follow(
      (shard) => onPayload(String(shard)),
      () => onEnd(undefined),
    )

  readonly listenForRequests = async (
    onPayload: (payload: string) => void,
    onEnd: (error: Error | undefined) => void,
  ): Promise<{ end(): Promise<void> }> => {
    const { connection } = await this.#connection.reach()
    const subscription = connection.subscribe(this.#names.probeRequested, {
      callback: (error, message) => {
        if (error === null) onPayload(message.string())
      },
    })
    void subscription.closed.then(() => onEnd(undefined))
    return {
      end: () => {
        subscription.unsubscribe()
        return Promise.resolve()
      },
    }
  }

  readonly isAway = (error: unknown): boolean => error instanceof SiteAway

  /** The relay ends what takes too long, and answers nothing. */
  readonly isTooSlow = (): boolean => false

  async destroy(): Promise<void> {
    this.#leases.close()
    await this.#results.close()
    await this.#connection.close()
  }

  async #ask<Name extends Question>(
    question: Name,
    asked: Questions[Name],
    withinMs = NATS_REQUEST_WITHIN_MS,
  ): Promise<Answers[Name]> {
    const { connection } = await this.#connection.reach()
    const payload = await pack(asked)
    const answer = await reaching(`the relay does not answer (${question})`, () =>
      connection.request(this.#names.ask(question), payload, { timeout: withinMs }),
    )
    const answered = (await unpack(answer.data)) as { readonly answer?: Answers[Name]; readonly away?: true }
    if (answered.answer === undefined) throw new SiteAway(`the relay cannot answer (${question})`)
    return answered.answer
  }

  /**
   * What was sent about a shard before its position in the stream and is not in its snapshot: the last owner may have decided
   * what the database does not have yet.
   */
  async #readUnstored({ id: shard }: HeldShard, position: number): Promise<void> {
    const { direct } = await this.#connection.reach()
    const { resultStream, result } = this.#names
    let next = (await this.#snapshots.through(shard)) + 1
    while (next < position) {
      const message = await reaching('the last results of a shard are not read', () =>
        direct.getMessage(resultStream, { seq: next, next_by_subj: result(shard) }),
      )
      if (message === null || message.seq >= position) return
      const sent = (await unpack(message.data)) as ResultMessage
      if (sent.kind === 'verdicts') this.#verdicts.add(sent.rows, message.seq)
      next = message.seq + 1
    }
  }
}
