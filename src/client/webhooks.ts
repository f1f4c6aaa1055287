/** Finds and lists the webhooks of a service, and their dead letters. */
import { CLIENT_WEBHOOK_PAGES_MAX, DEAD_LETTER_PAGE, DEAD_LETTERS_MAX } from '../domain/limits.ts'
import { isUuid } from '../domain/uuid.ts'
import { mistake } from './failure.ts'
import { onlyOne } from './only-one.ts'
import type { Service } from './service.ts'
import type { DeadLetter, Webhook } from './wire.ts'

const ALL = '/v1/webhooks'

export function pathOfWebhook({ id }: Pick<Webhook, 'id'>): string {
  return `${ALL}/${id}`
}

/** Webhooks that were read, in the form of the API. */
export interface WebhookList {
  readonly webhooks: readonly Webhook[]
  /** There are more behind this one. */
  readonly marker?: string
}

/**
 * Those of the project, or of every project that may be seen: at most CLIENT_WEBHOOK_PAGES_MAX pages. Throws
 * ClientFailure.
 */
export async function listWebhooks(
  service: Service,
  { isOfAll }: { readonly isOfAll: boolean },
): Promise<WebhookList> {
  const webhooks: Webhook[] = []
  let marker: string | undefined
  for (let page = 0; page < CLIENT_WEBHOOK_PAGES_MAX; page += 1) {
    const answer = await service.get<WebhookList>(ALL, {
      query: { marker, project_id: isOfAll ? undefined : service.projectId },
    })
    webhooks.push(...answer.webhooks)
    if (answer.marker === undefined) return { webhooks }
    marker = answer.marker
  }
  return marker === undefined ? { webhooks } : { webhooks, marker }
}

/** By id or by name; a name is looked for in the project first, then in all that may be seen. Throws ClientFailure. */
export async function findWebhook(service: Service, named: string): Promise<Webhook> {
  if (isUuid(named)) return await readWebhook(service, named.toLowerCase())
  let found: readonly Webhook[] = []
  for (const isOfAll of service.projectId === undefined ? [true] : [false, true]) {
    const { webhooks, marker } = await listWebhooks(service, { isOfAll })
    // Another one of this name may be among those that were not read.
    if (marker !== undefined) throw mistake(`there are more than ${webhooks.length} webhooks: use an id`)
    found = webhooks.filter(({ name }) => name === named)
    if (found.length > 0) break
  }
  return onlyOne({ kind: 'webhook', named }, found)
}

export async function readWebhook(service: Service, id: string): Promise<Webhook> {
  return (await service.get<{ readonly webhook: Webhook }>(pathOfWebhook({ id }))).webhook
}

/** The newest dead letters, at most `limit`. */
export async function listDeadLetters(
  service: Service,
  webhook: Pick<Webhook, 'id'>,
  limit: number,
): Promise<readonly DeadLetter[]> {
  const found: DeadLetter[] = []
  let before: string | undefined
  while (found.length < limit) {
    const answer = await service.get<{
      readonly dead_letters: readonly DeadLetter[]
      readonly before?: string
    }>(`${pathOfWebhook(webhook)}/dead-letters`, {
      query: { before, limit: String(Math.min(DEAD_LETTER_PAGE.max, limit - found.length)) },
    })
    found.push(...answer.dead_letters)
    if (answer.before === undefined) break
    before = answer.before
  }
  return found
}

/** One by one: each is a transaction, and what was asked for before one that is not there stays done. */
export async function resendLetters(
  service: Service,
  webhook: Pick<Webhook, 'id'>,
  letters: readonly string[],
): Promise<number> {
  for (const letter of letters)
    await service.post(`${pathOfWebhook(webhook)}/dead-letters/${encodeURIComponent(letter)}/resend`)
  return letters.length
}

/**
 * Sends again every dead letter that is there now, the oldest first, as its events happened; returns how many. They are
 * listed before the first one is sent, so one that is given up again meanwhile is not sent for ever.
 */
export async function resendAllLetters(service: Service, webhook: Pick<Webhook, 'id'>): Promise<number> {
  const letters = await listDeadLetters(service, webhook, DEAD_LETTERS_MAX)
  return await resendLetters(service, webhook, letters.map(({ id }) => id).reverse())
}
