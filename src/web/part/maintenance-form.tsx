/** The form that begins a maintenance: once, or every day, week or month in a time zone. */
import { useSignal } from '@preact/signals'
import { Choice } from './choice.tsx'
import { textIn } from './form.ts'

/** Minutes; 0 = without an end. */
const LENGTHS = [
  ['30', '30 minutes'],
  ['60', '1 hour'],
  ['120', '2 hours'],
  ['240', '4 hours'],
  ['1440', '1 day'],
  ['0', 'until I end it'],
] as const

/** The day of the week and of the month are those of the first time. */
const REPEATS = [
  ['', 'once'],
  ['FREQ=DAILY', 'every day'],
  ['FREQ=WEEKLY', 'every week'],
  ['FREQ=MONTHLY', 'every month'],
] as const

const OWN_ZONE = Intl.DateTimeFormat().resolvedOptions().timeZone
/** UTC is not among those that a browser lists. */
const ZONES = [...new Set([OWN_ZONE, 'UTC', ...Intl.supportedValuesOf('timeZone')])]

interface Body {
  readonly end?: string | null
  readonly note: string
  readonly recurrence?: object
}

interface Props {
  readonly of: string
  readonly isSending: boolean
  readonly onBegin: (body: Body) => void
  readonly onCancel: () => void
}

export function MaintenanceForm({ of, isSending, onBegin, onCancel }: Props) {
  const rule = useSignal('')
  return (
    <form
      class="inline-form"
      aria-label={`Maintenance of this ${of}`}
      onSubmit={(event) => {
        event.preventDefault()
        onBegin(bodyOf(event.currentTarget))
      }}
    >
      <Choice words="Repeat" name="rule" options={REPEATS} onChoose={(value) => (rule.value = value)} />
      {rule.value === '' ? null : <RecurrenceFields />}
      <Choice
        words="For"
        name="minutes"
        options={LENGTHS.filter(([minutes]) => rule.value === '' || mayRepeat(rule.value, Number(minutes)))}
        chosen="60"
      />
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

/** A day each day has no end. */
function mayRepeat(rule: string, minutes: number): boolean {
  return minutes > 0 && (minutes < 1440 || rule !== 'FREQ=DAILY')
}

function RecurrenceFields() {
  return (
    <>
      <label>
        First at
        <input name="first" type="datetime-local" required defaultValue={localNow()} />
      </label>
      <Choice words="Time zone" name="zone" options={ZONES.map((zone) => [zone, zone])} />
    </>
  )
}

/** To the minute, in the zone of the reader. */
function localNow(): string {
  const now = new Date()
  const localMs = now.getTime() - now.getTimezoneOffset() * 60_000
  return new Date(localMs).toISOString().slice(0, 'yyyy-mm-ddThh:mm'.length)
}

function bodyOf(form: HTMLFormElement): Body {
  const minutes = Number(textIn(form, 'minutes'))
  const note = textIn(form, 'note')
  const rrule = textIn(form, 'rule')
  if (rrule === '') {
    const end = minutes === 0 ? null : new Date(Date.now() + minutes * 60_000).toISOString()
    return { end, note }
  }
  const recurrence = {
    rrule,
    time_zone: textIn(form, 'zone'),
    start: textIn(form, 'first'),
    duration: minutes * 60,
  }
  return { note, recurrence }
}
