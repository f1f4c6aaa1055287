/**
 * What requests share, divided by project: the connections to PostgreSQL, the work on large pages, and the memory that
 * bodies take. A request is admitted when its body is complete, so a slow client holds no connection. It holds one
 * place, and its statements run one after the other. So no request waits for a second connection while it holds one.
 */
import type { Context } from 'koa'
import { DomainError } from '../../domain/errors.ts'
import { FairGate } from '../../domain/share/fair-gate.ts'
import { FairShare } from '../../domain/share/fair-share.ts'
import {
  API_CONNECTIONS,
  API_CONNECTIONS_KEPT,
  BODIES_MAX_BYTES,
  LARGE_PAGE_ROWS,
  LARGE_PAGES_AT_ONCE,
  PROJECT_WAIT_MS,
  PROJECT_WAITING_MAX,
} from '../../domain/limits.ts'
import { type BodyBounds, receiveBody } from './body.ts'

export interface AdmissionOptions {
  /** Connections of the process; absent = those of the API's pool. */
  readonly connections?: number
  readonly waitMs?: number
}

export class Admission {
  readonly #gate: FairGate
  readonly #bodies = new FairShare(BODIES_MAX_BYTES)
  readonly #largePages = new FairGate({ places: LARGE_PAGES_AT_ONCE, waitingMax: PROJECT_WAITING_MAX })
  readonly #waitMs: number

  constructor({ connections = API_CONNECTIONS, waitMs = PROJECT_WAIT_MS }: AdmissionOptions = {}) {
    const places = connections - API_CONNECTIONS_KEPT
    this.#gate = new FairGate({ places, waitingMax: PROJECT_WAITING_MAX })
    this.#waitMs = waitMs
  }

  /**
   * Does the work of a request of a sharer (sharer.ts) when there is a connection for it. Throws PROJECT_BUSY when the
   * sharer has too many requests in progress, and the errors of the work.
   */
  async admit(sharer: string, work: () => Promise<void>): Promise<void> {
    await this.#within(this.#gate, sharer, work)
  }

  /**
   * Reads and renders a page of at most `rows` rows. A large one keeps a processor of PostgreSQL busy for long, and other
   * statements share the rest. So only a few of them are read at a time, sharers in turn. Throws PROJECT_BUSY when the
   * sharer has too many of them in progress, and the errors of the work.
   */
  async page<Result>(sharer: string, rows: number, work: () => Promise<Result>): Promise<Result> {
    return rows <= LARGE_PAGE_ROWS ? await work() : await this.#within(this.#largePages, sharer, work)
  }

  async #within<Result>(gate: FairGate, sharer: string, work: () => Promise<Result>): Promise<Result> {
    const startClock = (expire: () => void) => {
      const timer = setTimeout(expire, this.#waitMs)
      return () => clearTimeout(timer)
    }
    if (!(await gate.enter(sharer, startClock))) throw busy()
    try {
      return await work()
    } finally {
      gate.leave(sharer)
    }
  }

  /** Receives the body of a request and does `work` with it. Throws PROJECT_BUSY as well when the sharer's bodies take too much memory. */
  async withBody(
    ctx: Context,
    sharer: string,
    bounds: BodyBounds,
    work: (body: Buffer | undefined) => Promise<void>,
  ): Promise<void> {
    let taken = 0
    try {
      const body = await receiveBody(ctx, bounds, (bytes) => {
        if (!this.#bodies.take(sharer, bytes)) throw busy()
        taken += bytes
      })
      await work(body)
    } finally {
      if (taken > 0) this.#bodies.give(sharer, taken)
    }
  }
}

function busy(): DomainError {
  return new DomainError(
    'PROJECT_BUSY',
    'The project has too many requests under way at one time. Please try again.',
  )
}
