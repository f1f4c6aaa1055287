/** What the reader of one type gives: the body to store, and what is wrong with values of the right type. */
import type { Finding } from '../findings.ts'

export interface BodyOf {
  readonly body: Readonly<Record<string, unknown>>
  readonly findings: readonly Finding[]
  /** Notes for the client about what is accepted all the same. */
  readonly warnings?: readonly string[]
  /** What is no such object at all, in Go's words; before everything else. */
  readonly unreadable?: string
}
