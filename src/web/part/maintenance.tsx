/** Maintenance of a member or a pool: begin it, once or as one that recurs, and end it. */
import { useSignal } from '@preact/signals'
import { now } from '../net/clock.ts'
import { request } from '../net/request.ts'
import { mayWrite } from '../net/session.ts'
import type { Maintenance } from '../net/types.ts'
import { recurrenceInWords } from '../words/recurrence.ts'
import { MAINTENANCE } from '../words/status.ts'
import { dateOf } from '../words/time.ts'
import { useAttempt } from './attempt.ts'
import { MaintenanceForm } from './maintenance-form.tsx'
import { StatusMark } from './mark.tsx'
import { Alert } from './page.tsx'

interface Props {
  /** Of the object, below the root of the service. */
  readonly path: string
  readonly of: 'member' | 'pool'
  /** Its own; absent = none. */
  readonly maintenance: Maintenance | undefined
  readonly onDone: () => void
}

export function MaintenanceControl({ path, of, maintenance, onDone }: Props) {
  const isOpen = useSignal(false)
  const { isBusy, error, run } = useAttempt()
  const send = (method: 'PUT' | 'DELETE', body?: unknown) =>
    run(async () => {
      await request(method, `${path}/maintenance`, body)
      isOpen.value = false
      onDone()
    })
  return (
    <div class="maintenance">
      {maintenance === undefined ? null : (
        <p>
          {lasts(maintenance) ? <StatusMark mark={MAINTENANCE} /> : null} {inWords(maintenance)}
        </p>
      )}
      {!mayWrite() ? null : maintenance !== undefined ? (
        <button type="button" disabled={isBusy.value} onClick={() => void send('DELETE')}>
          {maintenance.recurrence === undefined ? 'End maintenance' : 'End it for good'}
        </button>
      ) : isOpen.value ? (
        <MaintenanceForm
          of={of}
          isSending={isBusy.value}
          onCancel={() => (isOpen.value = false)}
          onBegin={(body) => void send('PUT', { maintenance: body })}
        />
      ) : (
        <button type="button" onClick={() => (isOpen.value = true)}>
          Begin maintenance…
        </button>
      )}
      <Alert message={error.value} />
    </div>
  )
}

const lasts = ({ start }: Maintenance): boolean => Date.parse(start) <= now.value

function inWords(maintenance: Maintenance): string {
  const { start, end, note, recurrence } = maintenance
  const when = lasts(maintenance) ? '' : `Maintenance from ${dateOf(start)} `
  const until = end === null ? 'until somebody ends it' : `until ${dateOf(end)}`
  const recurs = recurrence === undefined ? '' : `; ${recurrenceInWords(recurrence)}`
  return `${when}${until}${recurs}${note === '' ? '' : `: ${note}`}. ${lasts(maintenance) ? 'The' : 'Then the'} published status stays as it is.`
}
