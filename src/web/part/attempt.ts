/** Something that a person asks the service to do: whether it is being done, and why it was refused. */
import { type ReadonlySignal, useSignal } from '@preact/signals'
import { messageOf } from '../net/sender.ts'
import { noteRefusal } from '../net/session.ts'

export interface Attempt {
  readonly isBusy: ReadonlySignal<boolean>
  /** A sentence; empty = nothing was refused. */
  readonly error: ReadonlySignal<string>
  /** Does the work. Never rejects. */
  readonly run: (work: () => Promise<void>) => Promise<void>
}

export function useAttempt(): Attempt {
  const isBusy = useSignal(false)
  const error = useSignal('')
  const run = async (work: () => Promise<void>): Promise<void> => {
    isBusy.value = true
    error.value = ''
    try {
      await work()
    } catch (refusal) {
      noteRefusal(refusal)
      error.value = messageOf(refusal)
    }
    isBusy.value = false
  }
  return { isBusy, error, run }
}
