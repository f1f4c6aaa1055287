/** What one request to a webhook carries. */
import type { ServiceEvent } from '../event/event.ts'
import { WEBHOOK_BODY_BYTES } from '../limits.ts'
import { alertOf, alertsUrl } from './alert.ts'
import { CLOUD_EVENT, CLOUD_EVENT_BATCH, cloudEvent } from './cloud-event.ts'
import { slackMessage } from './slack-message.ts'
import { subjectOf, type WebhookTarget } from './webhook.ts'

/** Where the service is, for receivers. */
export interface Origin {
  /** Of CloudEvents: a URI. */
  readonly source: string
  /** Base of links, without a slash at its end; absent = no links. */
  readonly base?: string
}

export interface Message {
  readonly url: string
  /** The same when the same events are sent again, so that receivers can detect the repetition. */
  readonly id: string
  readonly contentType: string
  readonly body: string
  /** How many of the events are in it: the first ones. */
  readonly count: number
}

const JSON_TYPE = 'application/json; charset=utf-8'

/** A message with the first of these events, in their order: at least one, and as many as WEBHOOK_BODY_BYTES allow. */
export function messageOf(
  { url, format }: Pick<WebhookTarget, 'url' | 'format'>,
  events: readonly ServiceEvent[],
  { origin, nowMs }: { readonly origin: Origin; readonly nowMs: number },
): Message {
  if (format === 'slack') {
    const body = JSON.stringify(slackMessage(events, origin.base))
    return { url, id: idOf(events), contentType: JSON_TYPE, body, count: events.length }
  }
  const isAlert = format === 'alertmanager'
  const texts = fitting(events, (event) =>
    JSON.stringify(isAlert ? alertOf(event, { nowMs, base: origin.base }) : cloudEvent(event, origin.source)),
  )
  const count = texts.length
  const id = idOf(events.slice(0, count))
  if (isAlert) {
    // Of several changes of one object, only the last one is its state.
    const last = new Map(texts.map((text, index) => [subjectOf(events[index] ?? assertNever()), text]))
    return {
      url: alertsUrl(url),
      id,
      contentType: JSON_TYPE,
      body: `[${[...last.values()].join(',')}]`,
      count,
    }
  }
  return events.length === 1
    ? { url, id, contentType: CLOUD_EVENT, body: texts[0] ?? '', count }
    : { url, id, contentType: CLOUD_EVENT_BATCH, body: `[${texts.join(',')}]`, count }
}

function assertNever(): never {
  throw new Error('there are more texts than events')
}

/** The texts of the first events that fit into one message; at least one. */
function fitting(
  events: readonly ServiceEvent[],
  textOf: (event: ServiceEvent) => string,
): readonly string[] {
  const texts: string[] = []
  let bytes = 2
  for (const event of events) {
    const text = textOf(event)
    bytes += Buffer.byteLength(text) + 1
    if (texts.length > 0 && bytes > WEBHOOK_BODY_BYTES) break
    texts.push(text)
  }
  return texts
}

function idOf(events: readonly ServiceEvent[]): string {
  const [first, last] = [events[0]?.position, events.at(-1)?.position]
  return events.length === 1 ? `evt_${first}` : `evt_${first}_${last}_${events.length}`
}
