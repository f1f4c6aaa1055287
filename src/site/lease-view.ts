/**
 * What a site's bucket of leases says, followed as it changes. A reading is as of a revision that the reader names, so that it
 * has what the reader has written; a view that does not come so far in time is opened anew. All times are the server's: it
 * stamps every entry, and the entry that was written last tells what time it is there.
 */
import type { KvWatchEntry } from '@nats-io/kv'
import { PROBERS_GONE_MAX } from '../domain/limits.ts'
import type { HeldShard } from '../domain/prober/check.ts'
import { reaching, SiteAway } from './away.ts'
import type { SiteConnection } from './connection.ts'
import { POSITION_KEY, proberKey, RELAY_KEY } from './subjects.ts'

/** Of a shard; the revision is what a change of it must name. */
export interface ShardLease extends HeldShard {
  readonly owner: string | null
  readonly revision: number
  /** When it was changed last, of the server's clock; absent while only this process knows. */
  readonly at?: number
}

/** The last heartbeat of a prober. */
export interface ProberBeat {
  readonly id: string
  readonly host: string
  readonly pid: number
  readonly leaseMs: number
  /** Milliseconds for which its contact had been unbroken. */
  readonly contactMs: number
  readonly facts: object
  /** Milliseconds of the server's clock. */
  readonly at: number
}

/** The relay that works for the site. */
export interface RelayBeat {
  readonly id: string
  readonly at: number
  readonly revision: number
}

type Values = Omit<ProberBeat, 'id' | 'at'>

export class LeaseView {
  readonly #connection: SiteConnection
  readonly #bucketName: string
  readonly #shards = new Map<number, ShardLease>()
  readonly #probers = new Map<string, ProberBeat>()
  /** Probers whose keys were deleted. */
  readonly #gone = new Set<string>()
  readonly #waiting = new Set<{ readonly revision: number; readonly done: () => void }>()
  #relay: RelayBeat | undefined
  #position: number | undefined
  #stop: (() => void) | undefined
  #opening: Promise<void> | undefined
  #revision = 0
  /** What there was when it was opened has come. */
  #hasAll = false
  /** The server's clock less ours, of the monotonic one. */
  #clockMs = Number.NEGATIVE_INFINITY

  constructor(connection: SiteConnection, bucketName: string) {
    this.#connection = connection
    this.#bucketName = bucketName
  }

  get shards(): ReadonlyMap<number, ShardLease> {
    return this.#shards
  }

  get probers(): ReadonlyMap<string, ProberBeat> {
    return this.#probers
  }

  /** undefined: none has worked for the site yet. */
  get relay(): RelayBeat | undefined {
    return this.#relay
  }

  /** Up to where results are in the database; undefined = none is. */
  get position(): number | undefined {
    return this.#position
  }

  /** Milliseconds of the server's clock now; never earlier than the last entry. */
  get nowMs(): number {
    return this.#clockMs + performance.now()
  }

  /** Milliseconds until the lease of a prober ends; 0 or less: it has ended. */
  leftMs({ at, leaseMs }: ProberBeat): number {
    return at + leaseMs - this.nowMs
  }

  isLive(id: string): boolean {
    const prober = this.#probers.get(id)
    return prober !== undefined && this.leftMs(prober) > 0
  }

  /** Resolves when the view has this revision and all before it. Rejects with SiteAway after `withinMs`. */
  async asOf(revision: number, withinMs: number): Promise<void> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.close()
      throw error
    })
    await this.#opening
    if (this.#hasAll && this.#revision >= revision) return
    await new Promise<void>((resolve, reject) => {
      const waiter = {
        revision,
        done: () => {
          clearTimeout(timer)
          this.#waiting.delete(waiter)
          resolve()
        },
      }
      const timer = setTimeout(() => {
        this.#waiting.delete(waiter)
        // It may have been interrupted for good: the next reading opens another one.
        this.close()
        reject(new SiteAway('the leases of the site are not read in time'))
      }, withinMs)
      this.#waiting.add(waiter)
    })
  }

  /** A change that this process has made itself. */
  noteShard(lease: ShardLease): void {
    const known = this.#shards.get(lease.id)
    if (known === undefined || known.revision <= lease.revision) this.#shards.set(lease.id, lease)
  }

  /** Probers whose keys were deleted since this was asked last. */
  takeGone(): readonly string[] {
    const gone = [...this.#gone]
    this.#gone.clear()
    return gone
  }

  close(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#opening = undefined
    this.#revision = 0
    this.#hasAll = false
  }

  async #open(): Promise<void> {
    const bucket = await this.#connection.bucket(this.#bucketName)
    const entries = await reaching('the leases of the site are not followed', () => bucket.watch())
    const { values } = await reaching('the leases of the site are not counted', () => bucket.status())
    this.#hasAll = values === 0
    let isStopped = false
    this.#stop = () => {
      isStopped = true
      entries.stop()
    }
    this.#shards.clear()
    this.#probers.clear()
    this.#relay = undefined
    this.#position = undefined
    const follow = async (): Promise<void> => {
      for await (const entry of entries) {
        if (isStopped) return
        this.#take(entry)
      }
    }
    void follow()
  }

  #noteGone(id: string): void {
    this.#probers.delete(id)
    if (this.#gone.size < PROBERS_GONE_MAX) this.#gone.add(id)
  }

  #take(entry: KvWatchEntry): void {
    const { key, revision } = entry
    this.#clockMs = Math.max(this.#clockMs, entry.created.getTime() - performance.now())
    const isGone = entry.operation !== 'PUT'
    const [kind, name = ''] = key.split('.')
    if (kind === 'shard' && !isGone) {
      const { owner, epoch } = entry.json<Pick<ShardLease, 'owner' | 'epoch'>>()
      this.noteShard({ id: Number(name), owner, epoch, revision, at: entry.created.getTime() })
    } else if (key === RELAY_KEY) {
      const { id } = isGone ? { id: '' } : entry.json<Pick<RelayBeat, 'id'>>()
      // One that has ended is as if its lease had.
      this.#relay = { id, revision, at: isGone ? 0 : entry.created.getTime() }
    } else if (key === POSITION_KEY && !isGone) {
      this.#position = Number(entry.string())
    } else if (kind === 'prober') {
      if (isGone) this.#noteGone(name)
      else this.#probers.set(name, { id: name, ...entry.json<Values>(), at: entry.created.getTime() })
    }
    this.#revision = Math.max(this.#revision, revision)
    this.#hasAll ||= entry.delta === 0
    if (!this.#hasAll) return
    for (const waiter of this.#waiting) if (waiter.revision <= this.#revision) waiter.done()
  }
}

/** The key and the value of a heartbeat. */
export function beatOf({ id, ...values }: Omit<ProberBeat, 'at'>): readonly [key: string, value: string] {
  return [proberKey(id), JSON.stringify(values)]
}
