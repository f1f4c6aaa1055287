/** What is counted for a site. */
import type { IntakeMetrics } from './result-intake.ts'

export interface RelayMetrics extends IntakeMetrics {
  snapshotSent(bytes: number): void
  /** Messages of results that are stored in NATS and not in the database. */
  waiting(messages: number): void
  /** Whether this relay is the one that works for the site. */
  working(isWorking: boolean): void
}
