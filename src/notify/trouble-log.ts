/** For what is tried again and again: logs the first failure and the first success after it, not each attempt. */
import type { NotifyLog } from './log.ts'

export interface TroubleSentences {
  readonly trouble: string
  readonly recovery: string
}

export class TroubleLog {
  readonly #log: NotifyLog
  readonly #sentences: TroubleSentences
  readonly #facts: object
  #isInTrouble = false

  /** `facts`: go with both lines. */
  constructor(log: NotifyLog, sentences: TroubleSentences, facts: object = {}) {
    this.#log = log
    this.#sentences = sentences
    this.#facts = facts
  }

  failed(error: unknown): void {
    if (!this.#isInTrouble) this.#log.warn({ err: error, ...this.#facts }, this.#sentences.trouble)
    this.#isInTrouble = true
  }

  worked(): void {
    if (this.#isInTrouble) this.#log.info(this.#facts, this.#sentences.recovery)
    this.#isInTrouble = false
  }
}
