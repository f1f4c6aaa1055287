/**
 * Verdicts that wait to be written: of each member its latest state with its first and last transition, however often it flaps
 * while PostgreSQL is away.
 */
import type { VerdictWrite } from '../../domain/prober/check.ts'
import { mergedVerdicts } from '../../domain/prober/merged-verdicts.ts'
import { PendingWrites } from './pending-writes.ts'

export class PendingVerdicts extends PendingWrites<VerdictWrite> {
  constructor() {
    super(mergedVerdicts)
  }
}
