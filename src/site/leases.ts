/**
 * Leases of a site's shards in a key-value bucket: what `store/probing/shards.ts` is on PostgreSQL, with the same promises.
 * A shard changes hands by compare-and-set on its revision, and its epoch rises with each owner. A claim counts from the
 * message on that announces it in the stream of results (wire/results.ts); until that is stored, the shard is not held.
 */
import type { Heartbeat, HeldShard } from '../domain/prober/check.ts'
import { SHARD_COUNT, SITE_CLOCK_TOLERANCE_MS, SITE_MESSAGES_AT_ONCE } from '../domain/limits.ts'
import { reaching, SiteAway } from './away.ts'
import type { SiteConnection } from './connection.ts'
import { beatOf, LeaseView, type ShardLease } from './lease-view.ts'
import { proberKey, shardKey, type SiteNames } from './subjects.ts'
import type { ResultMessage } from './wire/results.ts'

export interface LeaseParts {
  readonly connection: SiteConnection
  readonly names: SiteNames
  /** Of the prober. */
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly leaseMs: number
  /** Stores a claim or a release; resolves with its position in the stream. */
  readonly announce: (message: Extract<ResultMessage, { kind: 'claim' | 'release' }>) => Promise<number>
  /** A shard is ours from this position of the stream of results on: what was sent before is what the next verdicts follow. */
  readonly onClaimed: (shard: HeldShard, position: number) => Promise<void>
}

export class SiteLeases {
  readonly #parts: LeaseParts
  readonly #view: LeaseView
  /** Epochs of our shards whose claims are stored. */
  readonly #announced = new Map<number, number>()

  #clockOffMs = 0

  constructor(parts: LeaseParts) {
    this.#parts = parts
    this.#view = new LeaseView(parts.connection, parts.names.leaseBucket)
  }

  /** Whether a shard was ours at this epoch when we looked last. */
  isHeld(shard: number, epoch: number): boolean {
    const lease = this.#view.shards.get(shard)
    return lease?.owner === this.#parts.id && lease.epoch === epoch && this.#announced.get(shard) === epoch
  }

  async beat(contactMs: number, facts: object): Promise<Heartbeat> {
    const { connection, names, id, host, pid, leaseMs } = this.#parts
    const bucket = await connection.bucket(names.leaseBucket)
    const [key, value] = beatOf({ id, host, pid, leaseMs, contactMs, facts })
    const [sentAt, sentMs] = [Date.now(), performance.now()]
    const revision = await reaching('the heartbeat is not stored', () => bucket.put(key, value))
    const tookMs = performance.now() - sentMs
    await this.#view.asOf(revision, leaseMs / 2)
    this.#noteClock(sentAt + tookMs / 2, tookMs)
    if (this.#view.shards.size < SHARD_COUNT)
      throw new SiteAway('the relay has not made the leases of the site yet')
    const mine = [...this.#view.shards.values()].filter(({ owner }) => owner === id)
    for (const shard of this.#announced.keys())
      if (this.#view.shards.get(shard)?.owner !== id) this.#announced.delete(shard)
    // Claims whose answer, or whose message, was lost.
    await inTurns(mine, (lease) => this.#confirm(lease))
    return this.#heartbeat(mine)
  }

  /** By how many milliseconds the server's clock is ahead of ours; 0 before it is known. */
  get clockOffMs(): number {
    return this.#clockOffMs
  }

  /** As `claimShards` of the database. */
  async claim(count: number, foreignToo: boolean): Promise<readonly HeldShard[]> {
    const { id } = this.#parts
    const isFree = ({ owner }: ShardLease): boolean =>
      owner === null || (foreignToo && owner !== id && !this.#view.isLive(owner))
    const free = [...this.#view.shards.values()].filter(isFree)
    const claimed: HeldShard[] = []
    // Claimers begin at different places, so that they seldom want the same shard.
    const from = Math.floor(Math.random() * free.length)
    const wanted = [...free.slice(from), ...free.slice(0, from)].slice(0, count)
    await inTurns(wanted, async (lease) => {
      const changed = await this.#change(lease, { owner: id, epoch: lease.epoch + 1 })
      if (changed === undefined) return
      await this.#confirm(changed)
      claimed.push({ id: changed.id, epoch: changed.epoch })
    })
    return claimed
  }

  /** They have no owner then; shards that another prober has are not changed. */
  async release(shards: readonly number[]): Promise<void> {
    const { id, announce } = this.#parts
    const mine = shards
      .flatMap((shard) => this.#view.shards.get(shard) ?? [])
      .filter(({ owner }) => owner === id)
    await inTurns(mine, async (lease) => {
      const { epoch } = lease
      const changed = await this.#change(lease, { owner: null, epoch })
      this.#announced.delete(lease.id)
      if (changed !== undefined) await announce({ kind: 'release', shard: lease.id, epoch, owner: id })
    })
  }

  /** Ends the lease. */
  async removeProber(): Promise<void> {
    const { connection, names, id } = this.#parts
    const bucket = await connection.bucket(names.leaseBucket)
    await reaching('the lease is not ended', () => bucket.delete(proberKey(id)))
  }

  close(): void {
    this.#view.close()
  }

  /** `storedAt`: when our heartbeat was stored, by our clock, to half of `tookMs`: what took long says nothing. */
  #noteClock(storedAt: number, tookMs: number): void {
    const stamped = this.#view.probers.get(this.#parts.id)?.at
    if (stamped !== undefined && tookMs < SITE_CLOCK_TOLERANCE_MS / 2) this.#clockOffMs = stamped - storedAt
  }

  #heartbeat(mine: readonly ShardLease[]): Heartbeat {
    const { id } = this.#parts
    const view = this.#view
    const live = [...view.probers.values()].filter((prober) => view.leftMs(prober) > 0)
    const others = live.filter((prober) => prober.id !== id).map((prober) => view.leftMs(prober))
    return {
      liveProbers: live.length,
      nextExpiryMs: others.length === 0 ? undefined : Math.min(...others),
      held: mine.map(({ id: shard, epoch }) => ({ id: shard, epoch })).toSorted((a, b) => a.id - b.id),
      free: [...view.shards.values()].filter(({ owner }) => owner === null).length,
      isContactLong: live.some(({ contactMs, at, leaseMs }) => contactMs + view.nowMs - at >= leaseMs),
    }
  }

  /** The lease after the change; undefined: somebody has changed it before. */
  async #change(
    { id, revision }: ShardLease,
    next: Pick<ShardLease, 'owner' | 'epoch'>,
  ): Promise<ShardLease | undefined> {
    const { connection, names } = this.#parts
    const bucket = await connection.bucket(names.leaseBucket)
    try {
      const changed = {
        id,
        ...next,
        revision: await bucket.update(shardKey(id), JSON.stringify(next), revision),
      }
      this.#view.noteShard(changed)
      return changed
    } catch (error) {
      if (isOtherRevision(error)) return undefined
      throw new SiteAway('a lease is not changed', error)
    }
  }

  async #confirm({ id, epoch }: ShardLease): Promise<void> {
    if (this.#announced.get(id) === epoch) return
    const { announce, onClaimed, id: owner } = this.#parts
    const position = await announce({ kind: 'claim', shard: id, epoch, owner })
    await onClaimed({ id, epoch }, position)
    this.#announced.set(id, epoch)
  }
}

/** JetStream's error for a message that names another revision than the last one. */
export function isOtherRevision(error: unknown): boolean {
  return error instanceof Error && /wrong last sequence/.test(error.message)
}

/** Does `work` for each, some at a time. */
export async function inTurns<Item>(
  items: readonly Item[],
  work: (item: Item) => Promise<void>,
  atOnce = SITE_MESSAGES_AT_ONCE,
): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce)
    await Promise.all(items.slice(from, from + atOnce).map(work))
}
