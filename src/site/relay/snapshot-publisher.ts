/**
 * Sends the configuration of a site: a shard when its digest has changed, and every shard whole once in
 * SNAPSHOT_RESENT_WITHIN_MS, one after the other, so that what was lost heals and the load does not depend on what happens.
 */
import { randomUUID } from 'node:crypto'
import {
  SHARD_COUNT,
  SITE_MESSAGE_MAX_BYTES,
  SNAPSHOT_CHECKS_PER_PART,
  SNAPSHOT_LOOK_EVERY_MS,
  SNAPSHOT_RESENT_WITHIN_MS,
} from '../../domain/limits.ts'
import type { Log } from '../log.ts'
import { reaching } from '../away.ts'
import type { SiteConnection } from '../connection.ts'
import type { SiteNames } from '../subjects.ts'
import { headersOf } from '../wire/heads.ts'
import { pack } from '../wire/packed.ts'
import { partsOf, type SnapshotPool, toWire } from '../wire/snapshot.ts'
import type { RelayDatabase } from './relay-database.ts'

export interface SnapshotPublisherParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  readonly database: RelayDatabase
  /** The position of results up to which all is in the database. */
  readonly stored: () => number
  readonly metrics: { snapshotSent(bytes: number): void }
  readonly log: Log
}

interface Sent {
  readonly digest: string
  readonly through: number
  readonly atMs: number
}

export class SnapshotPublisher {
  readonly #parts: SnapshotPublisherParts
  readonly #sent = new Map<number, Sent>()
  #lookedMs = Number.NEGATIVE_INFINITY
  #isNotified = false
  #isTroubled = false

  constructor(parts: SnapshotPublisherParts) {
    this.#parts = parts
  }

  /** Results up to here are in the snapshots of all shards: nobody reads them again. */
  get through(): number {
    if (this.#sent.size < SHARD_COUNT) return 0
    return Math.min(...[...this.#sent.values()].map(({ through }) => through))
  }

  /** Something has changed: the next step looks. */
  readonly notify = (): void => {
    this.#isNotified = true
  }

  /** Sends what is due. Never rejects. `isWorking`: whether this relay still is the one. */
  async step(isWorking: () => boolean): Promise<void> {
    try {
      for (const [shard, digest] of await this.#due()) {
        if (!isWorking()) return
        await this.#send(shard, digest)
      }
      if (this.#isTroubled) this.#parts.log.info({}, 'the configuration of the site is sent again')
      this.#isTroubled = false
    } catch (error) {
      if (!this.#isTroubled)
        this.#parts.log.warn(
          { err: error },
          'the configuration of the site cannot be sent; probers go on with the last one',
        )
      this.#isTroubled = true
    }
  }

  async #due(): Promise<readonly (readonly [shard: number, digest: string])[]> {
    const nowMs = performance.now()
    if (!this.#isNotified && nowMs - this.#lookedMs < SNAPSHOT_LOOK_EVERY_MS) return []
    this.#isNotified = false
    const digests = await this.#parts.database.digests()
    this.#lookedMs = nowMs
    const shards = Array.from(
      { length: SHARD_COUNT },
      (_, shard) => [shard, digests.get(shard) ?? ''] as const,
    )
    const isChanged = ([shard, digest]: readonly [number, string]): boolean =>
      this.#sent.get(shard)?.digest !== digest
    const changed = shards.filter(isChanged)
    // As many of the others as keep the pace, the ones first that were sent longest ago.
    const pace = Math.ceil((SHARD_COUNT * SNAPSHOT_LOOK_EVERY_MS) / SNAPSHOT_RESENT_WITHIN_MS)
    const atMs = (shard: number): number => this.#sent.get(shard)?.atMs ?? 0
    const others = shards
      .filter((shard) => !isChanged(shard))
      .toSorted(([one], [other]) => atMs(one) - atMs(other))
    return [...changed, ...others.slice(0, pace)]
  }

  async #send(shard: number, digest: string): Promise<void> {
    const { connection, names, database, stored, metrics } = this.#parts
    const through = stored()
    const pools = await database.pools(shard)
    const payloads = await packedParts(pools)
    const { js } = await connection.reach()
    const head = headersOf({ digest, sending: randomUUID(), parts: payloads.length, through })
    // The first part comes last: who reads it finds the others.
    for (const [number, payload] of [...payloads.entries()].reverse()) {
      await reaching('a snapshot is not stored', () =>
        js.publish(names.config(shard, number), payload, { headers: head }),
      )
      metrics.snapshotSent(payload.length)
    }
    this.#sent.set(shard, { digest, through, atMs: performance.now() })
  }
}

/** In as many parts as it takes: what checks need is known when they are packed. */
async function packedParts(
  pools: readonly SnapshotPool[],
  checksPerPart = SNAPSHOT_CHECKS_PER_PART,
): Promise<readonly Uint8Array[]> {
  const payloads = await Promise.all(
    partsOf(pools, checksPerPart).map(async (part) => await pack(toWire(part))),
  )
  const largest = Math.max(...payloads.map(({ length }) => length))
  if (largest <= SITE_MESSAGE_MAX_BYTES) return payloads
  if (checksPerPart === 1) throw new RangeError(`a check of a snapshot has ${largest} bytes`)
  return await packedParts(pools, Math.ceil(checksPerPart / 4))
}
