/** The form of a new public page: its title, which pools it shows, and whether their members too. */
import { useSignal } from '@preact/signals'
import { pathWith } from '../net/query.ts'
import { request } from '../net/request.ts'
import { useResource } from '../net/resource.ts'
import type { Pool, PublicPage } from '../net/types.ts'
import { shownProject } from '../project.ts'
import { nameOf } from '../words/name.ts'
import { useAttempt } from './attempt.ts'
import { textIn } from './form.ts'
import { Alert, Trouble, Waiting } from './page.tsx'
import { poolParentName } from './pool-parent.tsx'
import { Search } from './search.tsx'

interface Props {
  readonly onMade: (page: PublicPage) => void
  readonly onCancel: () => void
}

export function PublicPageForm({ onMade, onCancel }: Props) {
  const { isBusy, error, run } = useAttempt()
  const chosen = useSignal<readonly Pool[]>([])
  const send = (form: HTMLFormElement) =>
    run(async () => {
      const { public_page: page } = await request<{ public_page: PublicPage }>('POST', 'v1/public-pages', {
        public_page: {
          title: textIn(form, 'title').trim(),
          pools: chosen.value.map(({ id }) => id),
          show_members: textIn(form, 'members') === 'on',
          // Administrators look at the pools of all projects.
          ...(chosen.value[0] === undefined ? {} : { project_id: chosen.value[0].project_id }),
        },
      })
      onMade(page)
    })
  return (
    <form
      class="stacked-form"
      aria-label="New public page"
      onSubmit={(event) => {
        event.preventDefault()
        void send(event.currentTarget)
      }}
    >
      <label>
        Title
        <input name="title" required maxLength={255} autocomplete="off" />
      </label>
      <PoolChoice chosen={chosen.value} onChoose={(pools) => (chosen.value = pools)} />
      <label class="check">
        <input type="checkbox" name="members" /> Show names and statuses of members
      </label>
      <Alert message={error.value} />
      <p class="inline-form">
        <button type="submit" class="main" disabled={isBusy.value || chosen.value.length === 0}>
          Create and show the link
        </button>
        <button type="button" onClick={onCancel}>
          Cancel
        </button>
      </p>
    </form>
  )
}

interface ChoiceProps {
  readonly chosen: readonly Pool[]
  readonly onChoose: (pools: readonly Pool[]) => void
}

/** What is chosen stays chosen while one searches for more. */
function PoolChoice({ chosen, onChoose }: ChoiceProps) {
  const search = useSignal('')
  const { state } = useResource<{ pools: readonly Pool[] }>(
    pathWith('v1/overview/pools', { limit: 50, project_id: shownProject.value, search: search.value }),
  )
  const isChosen = (pool: Pool) => chosen.some(({ id }) => id === pool.id)
  const rest = (state.value.body?.pools ?? []).filter((pool) => !isChosen(pool))
  return (
    <fieldset>
      <legend>Pools, in the order in which they are chosen</legend>
      <Search value={search} label="Search pools" />
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {[...chosen, ...rest].map((pool) => (
        <label class="check" key={pool.id}>
          <input
            type="checkbox"
            checked={isChosen(pool)}
            onChange={() =>
              onChoose(isChosen(pool) ? chosen.filter(({ id }) => id !== pool.id) : [...chosen, pool])
            }
          />{' '}
          {nameOf(pool)} <span class="quiet small">{poolParentName(pool)}</span>
        </label>
      ))}
    </fieldset>
  )
}
