/** `healthmonitor webhook` on a terminal: webhooks, the state of their deliveries, tests, dead letters. */
import { DEAD_LETTERS_MAX } from '../../domain/limits.ts'
import type { DeadLetter, Webhook, WebhookTest } from '../wire.ts'
import { eventLine } from './event-view.ts'
import { printable, type Screen, type Style, styled } from './screen.ts'
import { type Column, tableOf } from './table.ts'
import { ago, counted, duration, localTime } from './words.ts'

/** The state of the deliveries of a webhook. */
type State = 'on' | 'off' | 'behind' | 'failing'

const STYLES: Readonly<Record<State, Style>> = { on: 'green', off: 'dim', behind: 'yellow', failing: 'red' }

/** Seconds after which an event that waits is late: as the metric hm_webhooks_behind counts. */
const BEHIND_SECONDS = 60

export function stateOf({ enabled, failures, lag }: Webhook): State {
  if (!enabled) return 'off'
  if (failures > 0) return 'failing'
  return lag.seconds > BEHIND_SECONDS ? 'behind' : 'on'
}

export function shownWebhook({ id, name }: Pick<Webhook, 'id' | 'name'>): string {
  return name === '' ? id : name
}

const COLUMNS: readonly Column<Webhook>[] = [
  { title: 'WEBHOOK', text: shownWebhook },
  { title: 'STATE', text: stateOf, style: (webhook) => STYLES[stateOf(webhook)] },
  { title: 'WAITING', text: ({ lag }) => numberOf(lag.events, lag), isNumber: true },
  { title: 'LAG', text: ({ lag }) => (lag.events === 0 ? '' : duration(lag.seconds * 1000)) },
  { title: 'DEAD', text: ({ dead_letters: dead }) => numberOf(dead.kept, dead), isNumber: true },
  { title: 'FORMAT', text: ({ format }) => format, isOptional: true },
  { title: 'RECEIVER', text: ({ url }) => url, least: 20 },
  { title: 'LAST ERROR', text: ({ last_error: error }) => error ?? '', least: 20, isOptional: true },
]

const PROJECT: Column<Webhook> = {
  title: 'PROJECT',
  text: ({ project_id: id }) => id ?? '(all)',
  isOptional: true,
}

/** `1000+`: the service counts no further. */
function numberOf(count: number, { at_least: isAtLeast }: { readonly at_least: boolean }): string {
  return `${count}${isAtLeast ? '+' : ''}`
}

/** `isOfAll`: of several projects; `hasMore`: these are not all. */
export function webhookTable(
  webhooks: readonly Webhook[],
  screen: Screen,
  { isOfAll, hasMore }: { readonly isOfAll: boolean; readonly hasMore: boolean },
): readonly string[] {
  if (webhooks.length === 0) return ['There are no webhooks.']
  return [
    ...tableOf(webhooks, isOfAll ? [...COLUMNS, PROJECT] : COLUMNS, screen),
    ...(hasMore ? [`… and more: these are the ${webhooks.length} oldest`] : []),
  ]
}

/** Lines of label and text; times count from `nowMs`. */
export function webhookLines(webhook: Webhook, screen: Screen, nowMs: number): readonly string[] {
  const state = stateOf(webhook)
  const { lag, dead_letters: dead } = webhook
  const at = (time: string) => `${localTime(time)}, ${ago(time, nowMs)}`
  const rows: readonly (readonly [label: string, text: string, style?: Style])[] = [
    ['webhook', webhook.name === '' ? webhook.id : `${webhook.name} (${webhook.id})`],
    ['project', webhook.project_id ?? 'all projects'],
    ['receiver', `${webhook.url} (${webhook.format})`],
    ['events', filterText(webhook)],
    ['secrets', counted(webhook.secrets.length, 'secret')],
    ['state', state, STYLES[state]],
    [
      'waiting',
      lag.events === 0
        ? 'nothing'
        : `${lag.at_least ? 'more than ' : ''}${counted(lag.events, 'event')}, for ${duration(lag.seconds * 1000)}`,
    ],
    ...(webhook.last_success_at === null ? [] : [['delivered', at(webhook.last_success_at)] as const]),
    ...(webhook.last_error === null || webhook.last_error_at === null
      ? []
      : [['last error', `${at(webhook.last_error_at)}: ${webhook.last_error}`] as const]),
    ...(webhook.retry_at === null ? [] : [['next try', localTime(webhook.retry_at)] as const]),
    [
      'dead letters',
      `${numberOf(dead.kept, dead)}${dead.dropped === 0 ? '' : `, and ${dead.dropped} that are not kept any more`}`,
    ],
  ]
  const width = Math.max(...rows.map(([label]) => label.length))
  return rows.map(
    ([label, text, style]) => `${label.padEnd(width)}  ${styled(printable(text), style, screen)}`,
  )
}

function filterText({ filter }: Webhook): string {
  const parts = Object.entries(filter).map(
    ([name, value]) => `${name}=${typeof value === 'string' ? value : value.join(',')}`,
  )
  return parts.length === 0 ? 'all' : parts.join(' ')
}

/** The secrets of a response that shows them; no later response does. */
export function secretLines({ secrets }: Pick<Webhook, 'secrets'>): readonly string[] {
  return secrets.map(
    (secret) => `secret        ${secret}\n              it is shown only now: keep it at the receiver`,
  )
}

/** The result of a test, in one line. */
export function testLine(webhook: Webhook, { result, status, error, duration_ms: ms }: WebhookTest): string {
  const answer = status === null ? '' : `, status ${status}`
  const why = error === null ? '' : `: ${error}`
  return printable(
    `webhook ${shownWebhook(webhook)}: the test was ${WORDS[result]}${answer}, after ${ms} ms${why}`,
  )
}

const WORDS: Readonly<Record<WebhookTest['result'], string>> = {
  delivered: 'delivered',
  refused: 'refused',
  unanswered: 'not answered',
  unreachable: 'not sent',
}

/** The newest is first. */
export function letterLines(letters: readonly DeadLetter[], screen: Screen): readonly string[] {
  if (letters.length === 0) return ['There are no dead letters.']
  return tableOf(
    letters,
    [
      { title: 'ID', text: ({ id }) => id },
      { title: 'GIVEN UP', text: ({ at }) => localTime(at) },
      {
        title: 'EVENT',
        text: ({ event }) => eventLine(event, { ...screen, width: Infinity, hasColours: false }),
        least: 30,
      },
      { title: 'WHY', text: ({ reason }) => reason, least: 20 },
    ],
    screen,
  )
}

/** What `webhook dead-letters` does not show: the service counts up to a bound, and says "at least" beyond it. */
export function olderLettersLine(
  { kept, at_least: isMore }: Webhook['dead_letters'],
  { shown, limit }: { readonly shown: number; readonly limit: number },
): readonly string[] {
  // All were read, however many were counted.
  if (shown < limit || shown >= DEAD_LETTERS_MAX) return []
  const hidden = Math.max(0, kept - shown)
  if (hidden === 0) return isMore ? ['… and perhaps older ones: --limit shows them'] : []
  return [`… and ${isMore ? 'more than ' : ''}${counted(hidden, 'older one')}: --limit shows them`]
}
