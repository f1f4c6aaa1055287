/** One probe in flight: what is needed only while it lasts, so that a check that waits holds none of it. */
import type { ProbeResult } from '../../domain/result/probe-result.ts'
import type { AddressShare } from '../share/address-slots.ts'
import type { Check, InFlight } from './check.ts'

export class Attempt implements InFlight {
  readonly check: Check
  /** The address whose slot it holds: the check's address may change before the attempt ends. */
  readonly share: AddressShare<Check>
  /** Given to the prober. */
  readonly done: (result: ProbeResult) => void
  cancel: InFlight['cancel']
  isObsolete = false

  constructor(check: Check, onDone: (attempt: Attempt, result: ProbeResult) => void) {
    this.check = check
    this.share = check.share
    this.done = (result) => onDone(this, result)
  }
}
