/** For how long a member was ONLINE, of the time for which that is known; the rest stands apart. */
import { useResource } from '../net/resource.ts'
import type { Uptime, UptimeWindow } from '../net/types.ts'
import { concerns } from '../words/event.ts'
import { dateOf, durationOf } from '../words/time.ts'
import { percentOf, WINDOW_NAMES } from '../words/uptime.ts'
import { Trouble } from './page.tsx'
import { Table } from './table.tsx'

export function UptimeTable({ memberId }: { readonly memberId: string }) {
  const { state } = useResource<Uptime>(`v1/uptime?member_id=${memberId}`, concerns(memberId))
  const { body } = state.value
  if (body === undefined) return <Trouble state={state.value} />
  return (
    <>
      <Table caption="Uptime of the member" columns={['Last', 'ONLINE', 'OFFLINE', 'Not counted']}>
        {body.windows.map((window) => (
          <tr key={window.hours}>
            <th scope="row">{WINDOW_NAMES[window.hours] ?? `${window.hours} h`}</th>
            <td class="number" data-label="ONLINE">
              {window.up_share === null ? '–' : percentOf(window.up_share)}
            </td>
            <td data-label="OFFLINE">
              {window.offline_seconds === 0 ? '–' : durationOf(window.offline_seconds)}
            </td>
            <td class="quiet" data-label="not counted">
              {notCounted(window)}
            </td>
          </tr>
        ))}
      </Table>
      {body.since === null ? null : <p class="quiet small">What is known begins at {dateOf(body.since)}.</p>}
    </>
  )
}

function notCounted(window: UptimeWindow): string {
  const parts = (
    [
      ['pending', window.pending_seconds],
      ['switched off', window.disabled_seconds],
      ['maintenance', window.maintenance_seconds],
      ['no data', window.no_data_seconds],
    ] as const
  ).filter(([, seconds]) => seconds >= 1)
  return parts.length === 0
    ? '–'
    : parts.map(([name, seconds]) => `${name} ${durationOf(seconds)}`).join(', ')
}
