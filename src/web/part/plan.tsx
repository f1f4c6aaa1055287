/** What the monitor of a member does, option by option, and where each comes from. */
import { useSignal } from '@preact/signals'
import { useResource } from '../net/resource.ts'
import type { Plan } from '../net/types.ts'
import { Trouble } from './page.tsx'
import { Table } from './table.tsx'

const FROM: Readonly<Record<string, string>> = {
  options: 'options of the monitor',
  preset: 'preset',
  field: 'field of the monitor',
  pool: 'pool',
  profile: 'dialect that created it',
  default: 'default',
}

export function PlanTable({
  monitorId,
  memberId,
}: {
  readonly monitorId: string
  readonly memberId: string
}) {
  const isAll = useSignal(false)
  const { state } = useResource<{ plan: Plan }>(
    `v1/healthmonitors/${monitorId}/plan?member_id=${memberId}`,
    ({ type }) => type === 'config.changed',
  )
  const plan = state.value.body?.plan
  if (plan === undefined) return <Trouble state={state.value} />
  const rows = Object.entries(plan.options)
  const shown = isAll.value ? rows : rows.filter(([, { from }]) => from !== 'default')
  return (
    <>
      <Trouble state={state.value} />
      <Table
        caption="Options of the monitor, with where each comes from"
        columns={['Option', 'Value', 'From']}
        kind="plan"
      >
        {shown.map(([name, { value, from }]) => (
          <tr key={name}>
            <th scope="row">
              <code>{name}</code>
            </th>
            <td>
              <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
            </td>
            <td class="quiet">{FROM[from] ?? from}</td>
          </tr>
        ))}
      </Table>
      <button
        type="button"
        class="link"
        aria-expanded={isAll.value}
        onClick={() => (isAll.value = !isAll.value)}
      >
        {isAll.value ? 'Hide defaults' : `Show the ${rows.length - shown.length} defaults too`}
      </button>
    </>
  )
}
