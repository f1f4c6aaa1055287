/** A probe of a member now: a button for those who may write, and what the probe found. It changes nothing of the member. */
import { useSignal } from '@preact/signals'
import { request } from '../net/request.ts'
import { mayWrite, noteRefusal } from '../net/session.ts'
import type { Phases } from '../net/types.ts'
import { PhasesBar } from './phases.tsx'

interface Found {
  readonly at: string
  readonly result: 'passed' | 'failed' | 'inconclusive'
  readonly reason: string
  readonly detail: string
  readonly latency_ms: number
  readonly phases: Phases
}

/** `path`: of the member, below the root of the service. */
export function ProbeNow({ path }: { readonly path: string }) {
  const isAsking = useSignal(false)
  const found = useSignal<Found | undefined>(undefined)
  const error = useSignal('')
  if (!mayWrite()) return null
  const ask = async () => {
    isAsking.value = true
    error.value = ''
    found.value = undefined
    try {
      found.value = (await request<{ readonly probe: Found }>('POST', `${path}/probe`)).probe
    } catch (refusal) {
      noteRefusal(refusal)
      error.value = refusal instanceof Error ? refusal.message : String(refusal)
    }
    isAsking.value = false
  }
  return (
    <div class="probe-now">
      <button type="button" disabled={isAsking.value} onClick={() => void ask()}>
        {isAsking.value ? 'Probing…' : 'Probe now'}
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
      {error.value === '' ? null : (
        <p class="trouble" role="alert">
          {error.value}
        </p>
      )}
    </div>
  )
}
