/**
 * The relay of one site. Of several, one works and the others wait: it renews a lease in the bucket of the site, and another
 * takes its place when that was not renewed for RELAY_LEASE_MS. A relay that does not know that it was replaced does no harm:
 * what it writes is fenced, and what it sends is sent anew.
 */
import { setTimeout as wait } from 'node:timers/promises'
import { NATS_REQUEST_WITHIN_MS, RELAY_BEAT_EVERY_MS, RELAY_LEASE_MS } from '../../domain/limits.ts'
import type { Log } from '../log.ts'
import { reaching } from '../away.ts'
import { type NatsSettings, SiteConnection } from '../connection.ts'
import { LeaseView } from '../lease-view.ts'
import { isOtherRevision } from '../leases.ts'
import { namesOf, RELAY_INBOX, RELAY_KEY, type SiteNames } from '../subjects.ts'
import type { RelayDatabase } from './relay-database.ts'
import type { RelayMetrics } from './relay-metrics.ts'
import { SiteWork } from './site-work.ts'
import { makeStreams } from './streams.ts'

export interface SiteRelayOptions {
  readonly site: string
  /** Of the process. */
  readonly id: string
  readonly nats: Omit<NatsSettings, 'inbox' | 'name'>
  readonly database: RelayDatabase
  readonly metrics: RelayMetrics
  readonly log: Log
}

export class SiteRelay {
  readonly #options: SiteRelayOptions
  readonly #names: SiteNames
  readonly #connection: SiteConnection
  readonly #view: LeaseView
  readonly #stopping = new AbortController()
  #running: Promise<void> = Promise.resolve()
  #work: SiteWork | undefined
  #renewedMs = Number.NEGATIVE_INFINITY
  #isMade = false
  #isTroubled = false

  constructor(options: SiteRelayOptions) {
    const { site, nats, id, log } = options
    this.#options = options
    this.#names = namesOf(site)
    this.#connection = new SiteConnection(
      { ...nats, inbox: RELAY_INBOX, name: `healthmonitor relay ${site} ${id}` },
      log,
    )
    this.#view = new LeaseView(this.#connection, this.#names.leaseBucket)
  }

  get isWorking(): boolean {
    return this.#work !== undefined && this.#isLeaseMine()
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Ends its work, so that another relay takes its place at once. */
  async close(): Promise<void> {
    this.#stopping.abort()
    await this.#running
    const wasMine = this.#isLeaseMine()
    await this.#end()
    if (wasMine) await this.#giveUp().catch(() => undefined)
    this.#view.close()
    await this.#connection.close()
  }

  #isLeaseMine(): boolean {
    return performance.now() - this.#renewedMs < RELAY_LEASE_MS
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    const { log, site } = this.#options
    while (!signal.aborted) {
      try {
        await this.#beat()
        if (this.#isTroubled) log.info({ site }, 'the site is reached again')
        this.#isTroubled = false
      } catch (error) {
        if (!this.#isTroubled) log.warn({ err: error, site }, 'the site is not reached')
        this.#isTroubled = true
        // What was made may be gone with the disk of the server.
        this.#isMade = false
        this.#view.close()
      }
      if (this.#work?.isOver === true) await this.#end()
      await wait(RELAY_BEAT_EVERY_MS, undefined, { signal }).catch(() => undefined)
    }
  }

  /** Renews the lease, or takes it when it is free. */
  async #beat(): Promise<void> {
    if (this.#work?.isOver === true) await this.#end()
    const reached = await this.#connection.reach()
    if (!this.#isMade) await makeStreams(reached, this.#names)
    this.#isMade = true
    await this.#view.asOf(0, NATS_REQUEST_WITHIN_MS)
    const { relay } = this.#view
    const { id, log, site, metrics } = this.#options
    if (relay !== undefined && relay.id !== id && this.#view.nowMs - relay.at < RELAY_LEASE_MS) return
    if (!(await this.#take(relay?.revision))) {
      this.#renewedMs = Number.NEGATIVE_INFINITY
      if (this.#work?.isOver === true) await this.#end()
      // Whatever we took to be the last one is not.
      this.#view.close()
      return
    }
    if (this.#work !== undefined) return
    log.info({ site }, 'this relay works for the site')
    const work = new SiteWork({
      ...this.#options,
      connection: this.#connection,
      names: this.#names,
      view: this.#view,
      isWorking: () => this.#isLeaseMine(),
    })
    await work.start()
    this.#work = work
    metrics.working(true)
  }

  /** False: another relay was quicker. `revision`: of the last lease; absent = there is none. */
  async #take(revision: number | undefined): Promise<boolean> {
    const bucket = await this.#connection.bucket(this.#names.leaseBucket)
    const value = JSON.stringify({ id: this.#options.id })
    const sentMs = performance.now()
    try {
      const next = await (revision === undefined
        ? bucket.create(RELAY_KEY, value)
        : bucket.update(RELAY_KEY, value, revision))
      await this.#view.asOf(next, NATS_REQUEST_WITHIN_MS)
      this.#renewedMs = sentMs
      return true
    } catch (error) {
      if (isOtherRevision(error)) return false
      return await reaching('the lease of the relay is not renewed', () => Promise.reject(error as Error))
    }
  }

  /** Lets the lease be as old as one that has ended. */
  async #giveUp(): Promise<void> {
    const bucket = await this.#connection.bucket(this.#names.leaseBucket)
    await bucket.delete(RELAY_KEY)
  }

  async #end(): Promise<void> {
    const work = this.#work
    this.#work = undefined
    if (work === undefined) return
    const { log, site, metrics } = this.#options
    log.warn({ site }, 'this relay works for the site no more')
    metrics.working(false)
    await work.stop()
  }
}
