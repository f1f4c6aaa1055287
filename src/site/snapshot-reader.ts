/**
 * The configuration of a site, from the snapshots of its shards. What arrives by itself is only their headers; the parts of
 * the shards that this prober has are fetched, and unpacked while they are loaded.
 */
import { type ConsumerMessages, DeliverPolicy, type JsMsg, type StoredMsg } from '@nats-io/jetstream'
import { setTimeout as wait } from 'node:timers/promises'
import { SNAPSHOT_PARTS_KEPT, SNAPSHOT_READ_AGAIN_MS, SNAPSHOT_READS_MAX } from '../domain/limits.ts'
import type { PoolChecks } from '../domain/prober/check.ts'
import { reaching, SiteAway } from './away.ts'
import type { SiteConnection } from './connection.ts'
import { inTurns } from './leases.ts'
import type { OwnVerdicts } from './own-verdicts.ts'
import { shardOf, type SiteNames } from './subjects.ts'
import { headOf } from './wire/heads.ts'
import { unpack } from './wire/packed.ts'
import { fromWire, type SnapshotHead, type SnapshotPool } from './wire/snapshot.ts'

interface PoolEntry {
  readonly poolId: string
  readonly shard: number
  readonly configVersion: number
  readonly projectId: string
  readonly members: number
  /** Numbers of the parts that have checks of it. */
  readonly parts: number[]
}

/** The snapshot of a shard as it was fetched. */
interface Fetched {
  readonly head: SnapshotHead
  readonly packed: readonly Uint8Array[]
  readonly pools: ReadonlyMap<string, PoolEntry>
}

export interface SnapshotReaderParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  readonly verdicts: OwnVerdicts
}

export class SnapshotReader {
  readonly #parts: SnapshotReaderParts
  /** The last snapshot that is complete, of every shard. */
  readonly #heads = new Map<number, SnapshotHead>()
  readonly #fetched = new Map<number, Fetched>()
  /** Unpacked parts, the one that was used last at the end. */
  readonly #unpacked = new Map<string, readonly SnapshotPool[]>()

  constructor(parts: SnapshotReaderParts) {
    this.#parts = parts
  }

  /** Follows the snapshots: `onChange` is called with each shard whose digest is another one, `onEnd` when it ends. */
  async follow(onChange: (shard: number) => void, onEnd: () => void): Promise<{ end(): Promise<void> }> {
    const { connection, names } = this.#parts
    const { js } = await connection.reach()
    const messages = await reaching('snapshots cannot be followed', async () => {
      const consumer = await js.consumers.get(names.configStream, {
        filter_subjects: names.config(0, 0).replace(/\.0\.0$/, '.*.0'),
        deliver_policy: DeliverPolicy.LastPerSubject,
        headers_only: true,
      })
      return await consumer.consume()
    })
    void this.#takeAll(messages, onChange).finally(onEnd)
    return {
      end: async () => {
        await messages.close()
      },
    }
  }

  /** The position in the stream of results up to which the last snapshot of a shard has verdicts. */
  async through(shard: number): Promise<number> {
    return (this.#heads.get(shard) ?? headOf((await this.#part(shard, 0))?.header))?.through ?? 0
  }

  /** Forgets what was fetched of other shards than these. */
  keep(isHeld: (shard: number) => boolean): void {
    for (const shard of this.#fetched.keys()) if (!isHeld(shard)) this.#fetched.delete(shard)
  }

  /** Rejects with SiteAway where the relay has sent no snapshot yet: that is not the same as nothing to probe. */
  digests(shards: readonly number[]): ReadonlyMap<number, string> {
    const missing = shards.find((shard) => !this.#heads.has(shard))
    if (missing !== undefined)
      throw new SiteAway(`the relay has sent no configuration of shard ${missing} yet`)
    return new Map(shards.map((shard) => [shard, this.#heads.get(shard)?.digest ?? '']))
  }

  async pools(shards: readonly number[]): Promise<readonly PoolEntry[]> {
    const found: PoolEntry[] = []
    await inTurns(shards, async (shard) => {
      found.push(...(await this.#snapshot(shard)).pools.values())
    })
    return found
  }

  /** Those of these pools that are in what was fetched last. */
  known(poolIds: readonly string[]): readonly PoolEntry[] {
    const wanted = new Set(poolIds)
    return [...this.#fetched.values()].flatMap(({ pools }) =>
      [...wanted].flatMap((poolId) => pools.get(poolId) ?? []),
    )
  }

  /** A pool with all its checks. */
  async load(entry: PoolEntry): Promise<PoolChecks> {
    const fetched = await this.#snapshot(entry.shard)
    const current = fetched.pools.get(entry.poolId) ?? entry
    const checks: PoolChecks['checks'][number][] = []
    for (const part of current.parts) {
      const pools = await this.#unpackedPart(entry.shard, fetched, part)
      for (const pool of pools) if (pool.poolId === entry.poolId) checks.push(...pool.checks)
    }
    const { poolId, shard, configVersion } = current
    const { through } = fetched.head
    return {
      poolId,
      shard,
      configVersion,
      checks: checks.map((check) => this.#parts.verdicts.over(check, through)),
    }
  }

  async #takeAll(messages: ConsumerMessages, onChange: (shard: number) => void): Promise<void> {
    for await (const message of messages) this.#take(message, onChange)
  }

  #take(message: JsMsg, onChange: (shard: number) => void): void {
    const head = headOf(message.headers)
    if (head === undefined) return
    const shard = shardOf(message.subject)
    const before = this.#heads.get(shard)
    this.#heads.set(shard, head)
    this.#parts.verdicts.forget(shard, head.through)
    if (before?.digest !== head.digest) onChange(shard)
  }

  /**
   * The last snapshot of a shard, fetched once. Never one that is older than the last head: verdicts that this one has are
   * forgotten.
   */
  async #snapshot(shard: number): Promise<Fetched> {
    const known = this.#fetched.get(shard)
    if (known !== undefined && known.head.sending === this.#heads.get(shard)?.sending) return known
    for (let reads = 1; ; reads++) {
      const fetched = await this.#fetch(shard)
      if (fetched !== undefined && fetched.head.through >= (this.#heads.get(shard)?.through ?? 0)) {
        this.#fetched.set(shard, fetched)
        return fetched
      }
      if (reads === SNAPSHOT_READS_MAX) throw new SiteAway(`the snapshot of shard ${shard} is not complete`)
      await wait(SNAPSHOT_READ_AGAIN_MS)
    }
  }

  /** undefined: it is just being replaced, so that its parts do not belong together. */
  async #fetch(shard: number): Promise<Fetched | undefined> {
    const first = await this.#part(shard, 0)
    const head = headOf(first?.header)
    if (first === null || head === undefined)
      throw new SiteAway(`the relay has sent no configuration of shard ${shard} yet`)
    const packed = [first.data]
    for (let number = 1; number < head.parts; number++) {
      const part = await this.#part(shard, number)
      if (part === null || headOf(part.header)?.sending !== head.sending) return undefined
      packed.push(part.data)
    }
    const pools = new Map<string, PoolEntry>()
    for (const [number, part] of packed.entries()) {
      const unpacked = await this.#remember(`${head.sending}.${number}`, part)
      for (const { checks: _checks, ...pool } of unpacked) {
        const entry = pools.get(pool.poolId) ?? { ...pool, parts: [] }
        entry.parts.push(number)
        pools.set(pool.poolId, entry)
      }
    }
    return { head, packed, pools }
  }

  async #part(shard: number, number: number): Promise<StoredMsg | null> {
    const { connection, names } = this.#parts
    const { direct } = await connection.reach()
    return await reaching('a snapshot is not read', () =>
      direct.getMessage(names.configStream, { last_by_subj: names.config(shard, number) }),
    )
  }

  async #unpackedPart(
    shard: number,
    { head, packed }: Fetched,
    number: number,
  ): Promise<readonly SnapshotPool[]> {
    const bytes = packed[number]
    if (bytes === undefined) throw new Error(`the snapshot of shard ${shard} has no part ${number}`)
    return await this.#remember(`${head.sending}.${number}`, bytes)
  }

  async #remember(name: string, bytes: Uint8Array): Promise<readonly SnapshotPool[]> {
    const pools = this.#unpacked.get(name) ?? fromWire(await unpack(bytes))
    this.#unpacked.delete(name)
    this.#unpacked.set(name, pools)
    for (const oldest of this.#unpacked.keys()) {
      if (this.#unpacked.size <= SNAPSHOT_PARTS_KEPT) break
      this.#unpacked.delete(oldest)
    }
    return pools
  }
}
