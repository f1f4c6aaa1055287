/**
 * Who waits in this process for the answer to a request for a probe. One reader of the database for all of them: a notification
 * says which answer is there, and one look a second finds those whose notification was lost.
 */
import { PROBE_REQUEST_LOOK_MS } from '../../domain/limits.ts'
import type { ProbeAnswer } from '../../domain/prober/probe-request.ts'

export interface AnsweredRequest {
  readonly id: string
  /** Of the prober. */
  readonly proberId: string
  readonly answer: ProbeAnswer
}

export interface ProbeAnswersParts {
  /** Those of these requests that are answered. */
  readonly read: (ids: readonly string[]) => Promise<readonly AnsweredRequest[]>
  /** Answers cannot be read, or can again. */
  readonly onTrouble: (error: unknown) => void
  readonly onRecovery: () => void
}

export class ProbeAnswers {
  readonly #parts: ProbeAnswersParts
  readonly #waiting = new Map<string, (answer: AnsweredRequest | undefined) => void>()
  /** Of which there is news. */
  #due = new Set<string>()
  #reading: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isInTrouble = false
  #isClosed = false

  constructor(parts: ProbeAnswersParts) {
    this.#parts = parts
  }

  /** Whether the process ends: nobody gets an answer any more. */
  get isClosed(): boolean {
    return this.#isClosed
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.size
  }

  /**
   * The answer to a request; undefined when there is none `withinMs` after this call, or when the process ends. To be called before
   * the request is there, so that no notification is missed.
   */
  async waitFor(id: string, withinMs: number): Promise<AnsweredRequest | undefined> {
    if (this.#isClosed) return undefined
    return await new Promise((resolve) => {
      const settle = (answer: AnsweredRequest | undefined) => {
        clearTimeout(timer)
        this.#waiting.delete(id)
        if (this.#waiting.size === 0) this.#rest()
        resolve(answer)
      }
      const timer = setTimeout(() => settle(undefined), withinMs)
      this.#waiting.set(id, settle)
      this.#timer ??= setInterval(() => this.notify(''), PROBE_REQUEST_LOOK_MS)
    })
  }

  /** Nobody waits for this answer any more: `waitFor` gives undefined. */
  giveUp(id: string): void {
    this.#waiting.get(id)?.(undefined)
  }

  /** A notification came: its payload is the id of a request. An empty one means "any of them". */
  readonly notify = (payload: string): void => {
    if (payload === '') this.#due = new Set(this.#waiting.keys())
    else if (this.#waiting.has(payload)) this.#due.add(payload)
    if (this.#due.size === 0) return
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
  }

  /** Everybody who waits gets no answer. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const settle of this.#waiting.values()) settle(undefined)
    await this.#reading
  }

  #rest(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Never rejects. What comes while it reads is read next, in one statement. */
  async #read(): Promise<void> {
    try {
      while (this.#due.size > 0) {
        const ids = [...this.#due]
        this.#due = new Set()
        for (const answered of await this.#parts.read(ids)) this.#waiting.get(answered.id)?.(answered)
      }
      if (this.#isInTrouble) this.#parts.onRecovery()
      this.#isInTrouble = false
    } catch (error) {
      if (!this.#isInTrouble) this.#parts.onTrouble(error)
      this.#isInTrouble = true
    }
  }
}
