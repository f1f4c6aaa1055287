/**
 * Requests for a probe now, of the shards of this prober (docs/adr/0028). It takes them from PostgreSQL when a notification comes,
 * and looks once a second anyway. A request goes one way:
 *
 *   taken → its configuration is loaded → asked of the scheduler → answered, in one statement with others
 *
 * Each has a time until which somebody waits for it: shortly before, the prober answers why there is no result. A request of a
 * shard that is lost or released is forgotten; the next owner takes it, because its epoch is higher.
 */
import {
  PROBE_ANSWER_RETRY_MS,
  PROBE_REQUEST_FORGOTTEN_MS,
  PROBE_REQUEST_LOOK_MS,
  PROBE_REQUEST_REASON_LEAD_MS,
  PROBE_REQUESTS_IN_HAND,
} from '../../domain/limits.ts'
import type { NoResult, ProbeAnswer, ProbeFinding, ProbeRequest } from '../../domain/prober/probe-request.ts'
import type { AskedProbe, AskedResult, Asking } from './asked-probes.ts'
import type { Log } from '../log.ts'

export interface ProbeRequestStore {
  /** Takes requests of these shards, projects in turn, at most `most`; also ours whose ids are not `inHand`. */
  takeProbeRequests(
    held: ReadonlyMap<number, number>,
    inHand: readonly string[],
    most: number,
  ): Promise<readonly ProbeRequest[]>
  /** Answers those of these requests whose shards are still ours at their epochs. */
  answerProbeRequests(answers: readonly AnsweredRequest[]): Promise<void>
  /** Removes requests that nobody waits for any more and nobody has removed. */
  forgetProbeRequests(): Promise<void>
}

export interface AnsweredRequest {
  readonly request: Pick<ProbeRequest, 'id' | 'shard' | 'epoch'>
  readonly answer: ProbeAnswer
}

export interface ProbeRequestsOptions {
  readonly store: ProbeRequestStore
  /** The shards that this prober owns, with their epochs. */
  readonly held: () => ReadonlyMap<number, number>
  /** The version of a pool that is loaded; undefined = none. */
  readonly versionOf: (poolId: string) => number | undefined
  /** The configuration of this shard is older than a request. */
  readonly loadSoon: (shard: number) => void
  readonly probeNow: (request: ProbeRequest, asking: Asking) => AskedProbe | undefined
  /** Resolves when the verdicts so far are written, or after a bounded time. */
  readonly verdictsWritten: () => Promise<unknown>
  readonly isAway: (error: unknown) => boolean
  readonly log: Log
  /** Monotonic milliseconds, and those of the wall clock. */
  readonly now?: () => number
  readonly wall?: () => number
}

interface Answered extends AnsweredRequest {
  readonly endMs: number
}

interface InHand {
  readonly request: ProbeRequest
  readonly endMs: number
  readonly timer: NodeJS.Timeout
  /** Undefined while it waits for its configuration. */
  probe: AskedProbe | undefined
}

export class ProbeRequests {
  readonly #options: ProbeRequestsOptions
  readonly #now: () => number
  readonly #inHand = new Map<string, InHand>()
  #answers: Answered[] = []
  /** Those of the statement that runs. */
  #writing: readonly Answered[] = []
  /** Requests whose answers PostgreSQL has refused, until nobody waits for them: they are not probed once more. */
  readonly #refused = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #retry: NodeJS.Timeout | undefined
  #taking: Promise<void> | undefined
  #answering: Promise<void> | undefined
  #isDue = false
  #retryMs = 0
  #isAway = false
  #isStopped = false
  #forgetAtMs: number

  constructor(options: ProbeRequestsOptions) {
    this.#options = options
    this.#now = options.now ?? (() => performance.now())
    this.#forgetAtMs = this.#now() + PROBE_REQUEST_FORGOTTEN_MS
  }

  /** Requests that were taken and are not answered yet. */
  get inHand(): number {
    return this.#inHand.size
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), PROBE_REQUEST_LOOK_MS)
  }

  /** A notification came: its payload names the shard. Anything else means "there may be some". */
  readonly notify = (payload: string): void => {
    if (!/^\d{1,3}$/.test(payload) || this.#options.held().has(Number(payload))) this.#look()
  }

  /** A pool is loaded: what waited for it can be probed. */
  completePool({ poolId, configVersion }: { readonly poolId: string; readonly configVersion: number }): void {
    for (const entry of this.#inHand.values()) {
      const { request, probe } = entry
      if (probe === undefined && request.poolId === poolId && configVersion >= request.configVersion)
        this.#ask(entry)
    }
  }

  /** Forgets the requests of these shards: their next owner takes them. */
  dropShards(shards: ReadonlySet<number>): void {
    for (const entry of this.#inHand.values()) if (shards.has(entry.request.shard)) this.#drop(entry)
    this.#answers = this.#answers.filter(({ request }) => !shards.has(request.shard))
  }

  destroy(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
    clearTimeout(this.#retry)
    for (const entry of this.#inHand.values()) this.#drop(entry)
    this.#answers = []
  }

  async close(): Promise<void> {
    this.destroy()
    await Promise.all([this.#taking, this.#answering])
  }

  #look(): void {
    this.#isDue = true
    if (this.#isStopped) return
    this.#taking ??= this.#take().finally(() => {
      this.#taking = undefined
    })
  }

  /** Takes what there is room for; never rejects. */
  async #take(): Promise<void> {
    const { store, held, log } = this.#options
    try {
      while (this.#isDue && !this.#isStopped) {
        this.#isDue = false
        const shards = held()
        const most = PROBE_REQUESTS_IN_HAND - this.#inHand.size
        if (shards.size === 0 || most <= 0) break
        for (const request of await store.takeProbeRequests(shards, this.#known(), most))
          this.#accept(request)
        await this.#forgetOld()
      }
      if (this.#isAway) log.info({}, 'requests for probes are read again')
      this.#isAway = false
    } catch (error) {
      if (!this.#isAway) log.warn({ err: error }, 'requests for probes cannot be read')
      this.#isAway = true
    }
  }

  /** Ids of all requests that this prober has taken and whose time is not over. */
  #known(): readonly string[] {
    const nowMs = this.#now()
    for (const [id, endMs] of this.#refused) if (endMs <= nowMs) this.#refused.delete(id)
    const answered = [...this.#answers, ...this.#writing].map(({ request }) => request.id)
    return [...this.#inHand.keys(), ...answered, ...this.#refused.keys()]
  }

  async #forgetOld(): Promise<void> {
    if (this.#now() < this.#forgetAtMs) return
    this.#forgetAtMs = this.#now() + PROBE_REQUEST_FORGOTTEN_MS
    await this.#options.store.forgetProbeRequests()
  }

  #accept(request: ProbeRequest): void {
    // The shard may have been lost while the statement ran.
    if (this.#isStopped || this.#options.held().get(request.shard) !== request.epoch) return
    const leftMs = Math.max(0, request.leftMs - PROBE_REQUEST_REASON_LEAD_MS)
    const timer = setTimeout(() => this.#expire(entry), leftMs)
    const entry: InHand = { request, endMs: this.#now() + leftMs, timer, probe: undefined }
    this.#inHand.set(request.id, entry)
    const version = this.#options.versionOf(request.poolId)
    if (version !== undefined && version >= request.configVersion) this.#ask(entry)
    else this.#options.loadSoon(request.shard)
  }

  #ask(entry: InHand): void {
    const { request } = entry
    const onDone = (found: AskedResult | undefined) => void this.#found(entry, found)
    entry.probe = this.#options.probeNow(request, { counted: request.counted, onDone })
    if (entry.probe === undefined) this.#answer(entry, { noResult: 'not_probed' })
  }

  async #found(entry: InHand, found: AskedResult | undefined): Promise<void> {
    if (found === undefined) {
      this.#answer(entry, { noResult: 'not_probed' })
      return
    }
    clearTimeout(entry.timer)
    if (found.counted) await this.#options.verdictsWritten()
    this.#answer(entry, { finding: this.#findingOf(found) })
  }

  #findingOf({ result, evidence, counted, startedMs }: AskedResult): ProbeFinding {
    const { outcome, reason, detail, flag, phases } = result
    const at = (this.#options.wall?.() ?? Date.now()) - (this.#now() - startedMs)
    return {
      outcome,
      reason,
      detail,
      ...(flag === undefined ? {} : { flag }),
      phases,
      evidence,
      at: Math.round(at),
      counted,
    }
  }

  #expire(entry: InHand): void {
    const noResult = noResultOf(entry.probe)
    entry.probe?.cancel()
    this.#answer(entry, { noResult })
  }

  #drop({ request, timer, probe }: InHand): void {
    clearTimeout(timer)
    this.#inHand.delete(request.id)
    probe?.cancel()
  }

  #answer({ request, endMs, timer }: InHand, answer: ProbeAnswer): void {
    clearTimeout(timer)
    if (!this.#inHand.delete(request.id)) return
    this.#answers.push({ request, answer, endMs: endMs + PROBE_REQUEST_REASON_LEAD_MS })
    this.#write()
  }

  #write(): void {
    if (this.#isStopped || this.#answers.length === 0) return
    clearTimeout(this.#retry)
    this.#answering ??= this.#writeAnswers().finally(() => {
      this.#answering = undefined
      if (this.#answers.length > 0) this.#retry = setTimeout(() => this.#write(), this.#retryMs)
    })
  }

  /** Writes what waits; never rejects. What cannot be written is kept while somebody waits for it. */
  async #writeAnswers(): Promise<void> {
    this.#writing = this.#answers
    this.#answers = []
    this.#retryMs = 0
    const kept = await this.#writeAll(this.#writing)
    this.#writing = []
    const nowMs = this.#now()
    this.#answers = [...kept.filter(({ endMs }) => endMs > nowMs), ...this.#answers]
  }

  /**
   * In one statement, if PostgreSQL takes it. Of answers that it refuses, each half is tried by itself, so that one
   * answer does not take those of others with it. Returns those that PostgreSQL was not there for.
   */
  async #writeAll(answers: readonly Answered[]): Promise<readonly Answered[]> {
    try {
      await this.#options.store.answerProbeRequests(answers)
      return []
    } catch (error) {
      this.#retryMs = PROBE_ANSWER_RETRY_MS
      if (this.#options.isAway(error)) return answers
      const [first] = answers
      if (first !== undefined && answers.length === 1) {
        this.#refuse(first, error)
        return []
      }
      const half = Math.ceil(answers.length / 2)
      const kept = await this.#writeAll(answers.slice(0, half))
      return [...kept, ...(await this.#writeAll(answers.slice(half)))]
    }
  }

  /** The API counts it as unanswered (hm_probe_requests_total). */
  #refuse({ request, endMs }: Answered, error: unknown): void {
    this.#refused.set(request.id, endMs)
    this.#options.log.error(
      { err: error, request: request.id },
      'the answer to a request for a probe was refused',
    )
  }
}

function noResultOf(probe: AskedProbe | undefined): NoResult {
  switch (probe?.stage) {
    case undefined:
      return 'configuration'
    case 'waiting':
      return 'share'
    case 'in_flight':
      return 'running'
    case 'held':
      return 'held'
  }
}
