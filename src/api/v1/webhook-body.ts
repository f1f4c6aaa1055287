/** The bodies of webhooks: their schema, and the changes that they make to a stored webhook. */
import Joi from 'joi'
import { DomainError } from '../../domain/errors.ts'
import type { TargetPolicy } from '../../domain/address/target-policy.ts'
import { EVENT_TYPES } from '../../domain/event/event-types.ts'
import {
  PROJECT_ID_MAX,
  WEBHOOK_FILTER_WORDS,
  WEBHOOK_NAME_MAX,
  WEBHOOK_SECRET_BYTES,
  WEBHOOK_SECRETS,
  WEBHOOK_URL_MAX,
} from '../../domain/limits.ts'
import { isSecret } from '../../domain/webhook/secret.ts'
import {
  shownUrl,
  type Webhook,
  WEBHOOK_FORMATS,
  type WebhookFilter,
  type WebhookFormat,
} from '../../domain/webhook/webhook.ts'
import { urlProblem } from '../../domain/webhook/webhook-url.ts'
import {
  bodyRules,
  boolean,
  invalidField,
  listOf,
  nullable,
  oneOf,
  text,
  uuid,
} from '../schema/attributes.ts'

/** In responses and bodies: a stored secret, which is not shown. */
export const MASK = '***'
/** Characters of a new status, as events have it. */
const STATUS_MAX = 255
/** Characters of a secret with its prefix. */
const SECRET_MAX = 128

export interface WebhookBody {
  readonly project_id?: string | null
  readonly name?: string
  readonly url?: string
  readonly format?: WebhookFormat
  readonly filter?: WebhookFilter
  readonly secrets?: readonly string[]
  readonly enabled?: boolean
}

const FILTER = Joi.object({
  types: listOf(oneOf(Object.keys(EVENT_TYPES)), WEBHOOK_FILTER_WORDS),
  to: listOf(text(STATUS_MAX), WEBHOOK_FILTER_WORDS),
  loadbalancer_id: uuid(),
  pool_id: uuid(),
  member_id: uuid(),
})

const ATTRIBUTES = {
  name: text(WEBHOOK_NAME_MAX),
  url: text(WEBHOOK_URL_MAX),
  format: oneOf(WEBHOOK_FORMATS),
  filter: FILTER,
  secrets: listOf(text(SECRET_MAX), WEBHOOK_SECRETS.max),
  enabled: boolean(),
} as const

export const webhookCreate = bodyRules<WebhookBody & { readonly url: string }>('webhook', {
  ...ATTRIBUTES,
  project_id: nullable(text(PROJECT_ID_MAX)),
  url: ATTRIBUTES.url.required(),
})

export const webhookUpdate = bodyRules<WebhookBody>('webhook', ATTRIBUTES)

/** The stored webhook with what the body changes. Throws INVALID_FIELD, TARGET_DENIED. */
export function changedBy<Stored extends Omit<Webhook, 'createdAt' | 'updatedAt'>>(
  stored: Stored,
  body: WebhookBody,
  policy: TargetPolicy,
): Stored {
  const isSameUrl = body.url === undefined || (stored.url !== '' && body.url === shownUrl(stored))
  const url = isSameUrl ? stored.url : (body.url ?? '')
  if (!isSameUrl) assertUrl(url, policy)
  // Another format would show the part of the URL that this format hides.
  if (isSameUrl && stored.format === 'slack' && body.format !== undefined && body.format !== 'slack')
    throw invalidField('url', 'send the URL again together with the new format')
  return {
    ...stored,
    url,
    name: body.name ?? stored.name,
    format: body.format ?? stored.format,
    filter: body.filter ?? stored.filter,
    enabled: body.enabled ?? stored.enabled,
    secrets: body.secrets === undefined ? stored.secrets : secretsOf(stored.secrets, body.secrets),
  }
}

function assertUrl(url: string, policy: TargetPolicy): void {
  const problem = urlProblem(url, policy)
  if (problem !== undefined)
    throw new DomainError('TARGET_DENIED', `Invalid input for url. Reason: ${problem}.`, { field: 'url' })
}

/** The first mask stands for the first stored secret, and so on. A refusal never repeats a secret. */
function secretsOf(stored: readonly string[], sent: readonly string[]): readonly string[] {
  if (sent.length < WEBHOOK_SECRETS.min) throw invalidField('secrets', 'at least one secret is required')
  let masked = 0
  return sent.map((secret) => {
    if (secret === MASK) {
      const kept = stored[masked++]
      if (kept === undefined) throw invalidField('secrets', `'${MASK}' stands for a secret that is stored`)
      return kept
    }
    if (isSecret(secret)) return secret
    const { min, max } = WEBHOOK_SECRET_BYTES
    throw invalidField('secrets', `a secret is whsec_ and ${min} to ${max} bytes in base64`)
  })
}
