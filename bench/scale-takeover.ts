/** How long the shards of a prober that was killed have no owner, in virtual time: real ownership over leases in memory. */
import { mock } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { SHARD_COUNT } from '../src/domain/limits.ts'
import type { Heartbeat, HeldShard } from '../src/domain/prober/check.ts'
import { Ownership, type OwnershipStore } from '../src/schedule/configuration/ownership.ts'

export interface TakeoverCase {
  readonly probers: number
  readonly leaseMs: number
  /** To load the checks of one shard. */
  readonly loadMs: number
}

export interface Takeover {
  /** From the kill until every shard has a living owner again, and until all checks are loaded there. */
  readonly ownedMs: number
  readonly loadedMs: number
}

const STEP_MS = 5
/** Until the shards of a start have settled; and the longest takeover that is waited for. */
const SETTLED_WITHIN_MS = 600_000

interface Lease {
  owner: string | undefined
  epoch: number
}

/** The leases of one site: what the store of a site answers. */
class Leases {
  readonly #until = new Map<string, number>()
  readonly #contact = new Map<string, number>()
  readonly #shards: Lease[]
  readonly #leaseMs: number
  readonly #now: () => number

  constructor(leaseMs: number, now: () => number) {
    this.#shards = Array.from({ length: SHARD_COUNT }, () => ({ owner: undefined, epoch: 0 }))
    this.#leaseMs = leaseMs
    this.#now = now
  }

  storeOf(id: string): OwnershipStore {
    return {
      beat: async (contactMs) => this.#beat(id, contactMs),
      claim: async (count, foreignToo) => this.#claim(id, count, foreignToo),
      release: async (ids) => {
        for (const shard of ids) this.#shards[shard]!.owner = undefined
      },
      removeProber: async () => void this.#until.delete(id),
    }
  }

  isOwned(id: number): boolean {
    const { owner } = this.#shards[id]!
    return owner !== undefined && this.#isAlive(owner)
  }

  #isAlive(id: string): boolean {
    return (this.#until.get(id) ?? 0) > this.#now()
  }

  #beat(id: string, contactMs: number): Heartbeat {
    this.#until.set(id, this.#now() + this.#leaseMs)
    this.#contact.set(id, contactMs)
    const alive = [...this.#until.keys()].filter((each) => this.#isAlive(each))
    const others = alive.filter((each) => each !== id).map((each) => this.#until.get(each)! - this.#now())
    return {
      liveProbers: alive.length,
      nextExpiryMs: others.length === 0 ? undefined : Math.min(...others),
      held: this.#heldBy(id),
      free: this.#shards.filter(({ owner }) => owner === undefined).length,
      isContactLong: alive.some((each) => (this.#contact.get(each) ?? 0) >= this.#leaseMs),
    }
  }

  #heldBy(id: string): readonly HeldShard[] {
    return this.#shards.flatMap(({ owner, epoch }, shard) => (owner === id ? { id: shard, epoch } : []))
  }

  #claim(id: string, count: number, foreignToo: boolean): readonly HeldShard[] {
    const claimed: HeldShard[] = []
    for (const [shard, lease] of this.#shards.entries()) {
      if (claimed.length === count) break
      const isFree = lease.owner === undefined || (foreignToo && !this.#isAlive(lease.owner))
      if (!isFree) continue
      lease.owner = id
      lease.epoch += 1
      claimed.push({ id: shard, epoch: lease.epoch })
    }
    return claimed
  }
}

/** A prober that loads the shards that it gains, one after the other. */
class VirtualProber {
  readonly ownership: Ownership
  readonly #loadMs: number
  readonly #loaded = new Set<number>()
  readonly #waiting: number[] = []
  #isLoading = false

  constructor(id: string, leases: Leases, { leaseMs, loadMs }: TakeoverCase, now: () => number) {
    this.#loadMs = loadMs
    const quiet = () => undefined
    this.ownership = new Ownership({
      store: leases.storeOf(id),
      events: {
        onGained: (shards) => this.#load(shards.map((shard) => shard.id)),
        onLost: (shards) => this.#drop(shards),
        onRelease: async (shards) => this.#drop(shards),
      },
      leaseMs,
      isLoaded: (shard) => this.#loaded.has(shard),
      metrics: { leaseChanged: quiet },
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      now,
    })
  }

  hasLoaded(shard: number): boolean {
    return this.ownership.held.has(shard) && this.#loaded.has(shard)
  }

  #load(shards: readonly number[]): void {
    this.#waiting.push(...shards)
    if (!this.#isLoading) this.#loadNext()
  }

  #loadNext(): void {
    const shard = this.#waiting.shift()
    this.#isLoading = shard !== undefined
    if (shard === undefined) return this.ownership.loaded()
    setTimeout(() => {
      if (this.ownership.held.has(shard)) this.#loaded.add(shard)
      this.#loadNext()
    }, this.#loadMs)
  }

  #drop(shards: ReadonlySet<number>): void {
    for (const shard of shards) this.#loaded.delete(shard)
  }
}

/** Kills one of the probers of a site after they share its shards. Throws Error when that, or the takeover, does not come. */
export async function takeover(given: TakeoverCase): Promise<Takeover> {
  let nowMs = 0
  const now = () => nowMs
  mock.timers.enable({ apis: ['setTimeout'] })
  const leases = new Leases(given.leaseMs, now)
  const probers = Array.from(
    { length: given.probers },
    (_, i) => new VirtualProber(`prober-${i}`, leases, given, now),
  )
  const until = async (what: string, isReached: () => boolean): Promise<number> => {
    const fromMs = nowMs
    while (!isReached()) {
      if (nowMs - fromMs > SETTLED_WITHIN_MS) throw new Error(`${what} does not come`)
      nowMs += STEP_MS
      mock.timers.tick(STEP_MS)
      await turn()
    }
    return nowMs - fromMs
  }
  const every = (isSo: (shard: number) => boolean) =>
    Array.from({ length: SHARD_COUNT }, (_, i) => i).every(isSo)
  try {
    for (const { ownership } of probers) ownership.start()
    const share = Math.ceil(SHARD_COUNT / given.probers)
    await until(
      'an even share',
      () =>
        every((shard) => probers.some((prober) => prober.hasLoaded(shard))) &&
        probers.every(({ ownership }) => ownership.held.size <= share),
    )
    const [killed, ...others] = probers
    killed?.ownership.destroy()
    const ownedMs = await until('a new owner', () =>
      every((shard) => leases.isOwned(shard) && others.some(({ ownership }) => ownership.held.has(shard))),
    )
    const moreMs = await until('loading', () =>
      every((shard) => others.some((prober) => prober.hasLoaded(shard))),
    )
    return { ownedMs, loadedMs: ownedMs + moreMs }
  } finally {
    for (const { ownership } of probers) ownership.destroy()
    mock.timers.reset()
  }
}
