/** One way to speak on the wire: the words of its errors. What its resources look like stands in files of their own. */
import type { DomainError } from '../../domain/errors.ts'

export interface ErrorAnswer {
  readonly status: number
  readonly body: unknown
}

export interface ErrorWords {
  /** A refusal in the dialect's status, code and sentence. */
  readonly refusal: (refusal: DomainError, requestId: string) => ErrorAnswer
  /** What is said when the mistake is ours: never a detail. */
  readonly internal: (requestId: string) => ErrorAnswer
}
