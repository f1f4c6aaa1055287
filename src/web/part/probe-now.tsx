/** A probe of a member now: a button for those who may write, and what the probe found. It changes nothing of the member. */
import { useSignal } from '@preact/signals'
import { request } from '../net/request.ts'
import { mayWrite } from '../net/session.ts'
import type { Phases, RecentResult } from '../net/types.ts'
import { useAttempt } from './attempt.ts'
import { Alert } from './page.tsx'
import { PhasesBar } from './phases.tsx'

interface Found {
  readonly at: string
  readonly result: RecentResult['result']
  readonly reason: string
  readonly detail: string
  readonly latency_ms: number
  readonly phases: Phases
}

/** `path`: of the member, below the root of the service. */
export function ProbeNow({ path }: { readonly path: string }) {
  const found = useSignal<Found | undefined>(undefined)
  const { isBusy, error, run } = useAttempt()
  if (!mayWrite()) return null
  const ask = () =>
    run(async () => {
      found.value = undefined
      found.value = (await request<{ readonly probe: Found }>('POST', `${path}/probe`)).probe
    })
  return (
    <div class="probe-now">
      <button type="button" disabled={isBusy.value} onClick={() => void ask()}>
        {isBusy.value ? 'Probing…' : 'Probe now'}
      </button>
      <div aria-live="polite">
        {found.value === undefined ? null : (
          <>
            <PhasesBar probe={found.value} />
            {found.value.detail === '' ? null : <p class="detail">{found.value.detail}</p>}
            <p class="quiet">This probe did not count: status and counters are as they were.</p>
          </>
        )}
      </div>
      <Alert message={error.value} />
    </div>
  )
}
