/** Maintenance of a member or a pool: begin it, with an end and a note, and end it. */
import { useSignal } from '@preact/signals'
import { request } from '../net/request.ts'
import { mayWrite, noteRefusal } from '../net/session.ts'
import type { Maintenance } from '../net/types.ts'
import { MAINTENANCE } from '../words/status.ts'
import { dateOf } from '../words/time.ts'
import { textIn } from './form.ts'
import { StatusMark } from './mark.tsx'

const LENGTHS = [
  ['30 minutes', 30],
  ['1 hour', 60],
  ['4 hours', 240],
  ['1 day', 1440],
  ['until I end it', 0],
] as const

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
  const error = useSignal('')
  const isSending = useSignal(false)
  const send = async (method: 'PUT' | 'DELETE', body?: unknown) => {
    isSending.value = true
    error.value = ''
    try {
      await request(method, `${path}/maintenance`, body)
      isOpen.value = false
      onDone()
    } catch (refusal) {
      noteRefusal(refusal)
      error.value = refusal instanceof Error ? refusal.message : String(refusal)
    }
    isSending.value = false
  }
  return (
    <div class="maintenance">
      {maintenance === undefined ? null : (
        <p>
          <StatusMark mark={MAINTENANCE} /> {inWords(maintenance)}
        </p>
      )}
      {!mayWrite() ? null : maintenance !== undefined ? (
        <button type="button" disabled={isSending.value} onClick={() => void send('DELETE')}>
          End maintenance
        </button>
      ) : isOpen.value ? (
        <BeginForm
          of={of}
          isSending={isSending.value}
          onCancel={() => (isOpen.value = false)}
          onBegin={(body) => void send('PUT', { maintenance: body })}
        />
      ) : (
        <button type="button" onClick={() => (isOpen.value = true)}>
          Begin maintenance…
        </button>
      )}
      {error.value === '' ? null : (
        <p class="trouble" role="alert">
          {error.value}
        </p>
      )}
    </div>
  )
}

function inWords({ start, end, note }: Maintenance): string {
  const when = Date.parse(start) > Date.now() ? `from ${dateOf(start)} ` : ''
  const until = end === null ? 'until somebody ends it' : `until ${dateOf(end)}`
  return `${when}${until}${note === '' ? '' : `: ${note}`}. The published status stays as it is.`
}

function BeginForm({
  of,
  isSending,
  onBegin,
  onCancel,
}: {
  readonly of: string
  readonly isSending: boolean
  readonly onBegin: (body: { readonly end: string | null; readonly note: string }) => void
  readonly onCancel: () => void
}) {
  return (
    <form
      class="inline-form"
      aria-label={`Maintenance of this ${of}`}
      onSubmit={(event) => {
        event.preventDefault()
        const form = event.currentTarget
        const minutes = Number(textIn(form, 'minutes'))
        const end = minutes === 0 ? null : new Date(Date.now() + minutes * 60_000).toISOString()
        onBegin({ end, note: textIn(form, 'note') })
      }}
    >
      <label>
        For
        <select name="minutes">
          {LENGTHS.map(([words, minutes]) => (
            <option key={minutes} value={minutes} selected={minutes === 60}>
              {words}
            </option>
          ))}
        </select>
      </label>
      <label>
        Note
        <input name="note" maxLength={255} autocomplete="off" placeholder="why" />
      </label>
      <button type="submit" class="main" disabled={isSending}>
        Begin
      </button>
      <button type="button" onClick={onCancel}>
        Cancel
      </button>
    </form>
  )
}
