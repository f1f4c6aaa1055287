/** Webhooks: where events are sent, whether that works, on and off, and a test. */
import { useSignal } from '@preact/signals'
import { pathWith } from '../net/query.ts'
import { request } from '../net/request.ts'
import { useResource } from '../net/resource.ts'
import { messageOf } from '../net/sender.ts'
import { mayWrite, noteRefusal } from '../net/session.ts'
import type { Webhook, WebhookPage, WebhookTest } from '../net/types.ts'
import { StatusMark } from '../part/mark.tsx'
import { Heading, Trouble, Waiting } from '../part/page.tsx'
import { Table } from '../part/table.tsx'
import { Ago } from '../part/time.tsx'
import { shownProject } from '../project.ts'
import type { Mark } from '../words/status.ts'
import { dateOf, durationOf, numberOf } from '../words/time.ts'

/** Seconds after which an event that waits is late, as the metric hm_webhooks_behind counts. */
const BEHIND_SECONDS = 60

export function WebhooksView() {
  const marker = useSignal('')
  const { state, reload } = useResource<WebhookPage>(
    pathWith('v1/webhooks', { project_id: shownProject.value, marker: marker.value }),
    // No event is written for a change of a webhook.
    () => false,
  )
  const { webhooks, marker: next } = state.value.body ?? {}
  return (
    <>
      <Heading title="Webhooks">Webhooks</Heading>
      <Trouble state={state.value} />
      <Waiting state={state.value} />
      {webhooks?.length === 0 ? (
        <p>
          There are no webhooks. <code>healthmonitor webhook create</code> and <code>POST /v1/webhooks</code>{' '}
          make one.
        </p>
      ) : null}
      {webhooks === undefined || webhooks.length === 0 ? null : (
        <Table caption="Webhooks" columns={mayWrite() ? [...COLUMNS, 'Actions'] : COLUMNS}>
          {webhooks.map((webhook) => (
            <Row key={webhook.id} webhook={webhook} reload={reload} />
          ))}
        </Table>
      )}
      {marker.value === '' && next === undefined ? null : (
        <nav class="pager" aria-label="Pages of webhooks">
          <button type="button" disabled={marker.value === ''} onClick={() => (marker.value = '')}>
            First page
          </button>
          <button type="button" disabled={next === undefined} onClick={() => (marker.value = next ?? '')}>
            Next 100
          </button>
        </nav>
      )}
    </>
  )
}

const COLUMNS = ['State', 'Webhook', 'Waiting', 'Last error', 'Dead letters']

function markOf({ enabled, failures, lag }: Webhook): Mark {
  if (!enabled) return { shape: 'off', word: 'off' }
  if (failures > 0) return { shape: 'bad', word: 'failing' }
  return lag.seconds > BEHIND_SECONDS ? { shape: 'partly', word: 'behind' } : { shape: 'good', word: 'on' }
}

/** The service counts up to some number only. */
function countOf(count: number, { at_least: isAtLeast }: { readonly at_least: boolean }): string {
  return `${isAtLeast ? 'more than ' : ''}${numberOf(count)}`
}

const shownName = ({ id, name }: Webhook): string => (name === '' ? id : name)

function Row({ webhook, reload }: { readonly webhook: Webhook; readonly reload: () => void }) {
  const { lag, dead_letters: dead } = webhook
  return (
    <tr>
      <td>
        <StatusMark mark={markOf(webhook)} />
      </td>
      <th scope="row">
        {shownName(webhook)} <span class="quiet">{webhook.format}</span>
        <div class="quiet small">
          {webhook.url}
          {webhook.project_id === null ? ', for all projects' : `, project ${webhook.project_id}`}
        </div>
      </th>
      <td data-label="waiting">
        {lag.events === 0 ? (
          'nothing'
        ) : (
          <>
            {countOf(lag.events, lag)} <span class="quiet">for {durationOf(lag.seconds)}</span>
          </>
        )}
        {webhook.retry_at === null ? null : (
          <div class="quiet small">next try at {dateOf(webhook.retry_at)}</div>
        )}
      </td>
      <td data-label="last error">
        {webhook.last_error === null ? 'none' : webhook.last_error}
        {webhook.last_error_at === null ? null : (
          <div class="quiet small">
            <Ago at={webhook.last_error_at} /> ago
          </div>
        )}
      </td>
      <td data-label="dead letters">
        {dead.kept > 0 ? <span class="troubles">{countOf(dead.kept, dead)}</span> : '0'}
      </td>
      {mayWrite() ? (
        <td>
          <Actions webhook={webhook} reload={reload} />
        </td>
      ) : null}
    </tr>
  )
}

const RESULTS: Readonly<Record<WebhookTest['result'], string>> = {
  delivered: 'The test was delivered',
  refused: 'The test was refused',
  unanswered: 'The test was not answered',
  unreachable: 'The test could not be sent',
}

function inWords({ result, status, error, duration_ms: ms }: WebhookTest): string {
  const answer = status === null ? '' : `, status ${status}`
  return `${RESULTS[result]}${answer}, after ${ms} ms${error === null ? '' : `: ${error}`}.`
}

/** Whether something is being done, and what came of the last thing. */
interface Progress {
  readonly isBusy: boolean
  readonly outcome?: { readonly text: string; readonly isTrouble: boolean }
}

function Actions({ webhook, reload }: { readonly webhook: Webhook; readonly reload: () => void }) {
  const progress = useSignal<Progress>({ isBusy: false })
  const path = `v1/webhooks/${webhook.id}`
  const attempt = async (work: () => Promise<Progress['outcome']>) => {
    progress.value = { isBusy: true }
    try {
      const outcome = await work()
      progress.value = { isBusy: false, ...(outcome === undefined ? {} : { outcome }) }
    } catch (refusal) {
      noteRefusal(refusal)
      progress.value = { isBusy: false, outcome: { text: messageOf(refusal), isTrouble: true } }
    }
    reload()
  }
  const sendTest = () =>
    attempt(async () => {
      const { test } = await request<{ readonly test: WebhookTest }>('POST', `${path}/test`)
      return { text: inWords(test), isTrouble: test.result !== 'delivered' }
    })
  const switchTo = (enabled: boolean) =>
    attempt(async () => {
      await request('PUT', path, { webhook: { enabled } })
      return undefined
    })
  const { isBusy, outcome } = progress.value
  return (
    <>
      <Button
        words="Send a test"
        of={`to ${shownName(webhook)}`}
        isBusy={isBusy}
        onClick={() => void sendTest()}
      />{' '}
      <Switch webhook={webhook} isBusy={isBusy} onSwitch={(enabled) => void switchTo(enabled)} />
      <p class={outcome?.isTrouble === true ? 'trouble' : 'quiet'} role="status">
        {isBusy ? 'Waiting for the answer…' : outcome?.text}
      </p>
    </>
  )
}

/** Its whole name says which webhook is meant. */
function Button({
  words,
  of,
  isBusy,
  onClick,
}: {
  readonly words: string
  readonly of: string
  readonly isBusy: boolean
  readonly onClick: () => void
}) {
  return (
    <button type="button" disabled={isBusy} aria-label={`${words} ${of}`} onClick={onClick}>
      {words}
    </button>
  )
}

/** On, or off; what would be forgotten is said first. */
function Switch({
  webhook,
  isBusy,
  onSwitch,
}: {
  readonly webhook: Webhook
  readonly isBusy: boolean
  readonly onSwitch: (enabled: boolean) => void
}) {
  const isAsked = useSignal(false)
  const name = shownName(webhook)
  const { lag } = webhook
  const waiting = lag.events
  if (!webhook.enabled)
    return <Button words="Switch on" of={name} isBusy={isBusy} onClick={() => onSwitch(true)} />
  if (waiting > 0 && !isAsked.value)
    return <Button words="Switch off…" of={name} isBusy={isBusy} onClick={() => (isAsked.value = true)} />
  const switchOff = () => {
    isAsked.value = false
    onSwitch(false)
  }
  return <Button words={offWords(lag)} of={name} isBusy={isBusy} onClick={switchOff} />
}

/** What waits for a webhook that is switched off is forgotten. */
function offWords(lag: Webhook['lag']): string {
  return lag.events === 0 ? 'Switch off' : `Forget ${countOf(lag.events, lag)} events and switch off`
}
