/** `/v1/webhooks`: the webhooks of a project, the state of their deliveries, and their dead letters. */
import { randomBytes, randomUUID } from 'node:crypto'
import { DomainError, notFound } from '../../domain/errors.ts'
import { eventDocument } from '../../domain/event/event-document.ts'
import {
  DEAD_LETTER_PAGE,
  WEBHOOK_COUNTED_MAX,
  WEBHOOK_PAGE,
  WEBHOOK_SECRET_BYTES_MADE,
  WEBHOOKS_PER_PROJECT,
} from '../../domain/limits.ts'
import { SECRET_PREFIX } from '../../domain/webhook/secret.ts'
import { shownUrl } from '../../domain/webhook/webhook.ts'
import type { Db, Tx } from '../../store/connection/database.ts'
import { type DeadLetter, listDeadLetters, resendDeadLetter } from '../../store/event/webhook-dead-letters.ts'
import {
  countWebhooksLocked,
  deleteWebhook,
  findWebhook,
  insertWebhook,
  listWebhooks,
  lockWebhook,
  updateWebhook,
  type WebhookFields,
  type WebhookRecord,
} from '../../store/event/webhooks.ts'
import { readJson } from '../http/body.ts'
import { type ApiContext, type ApiDependencies, pathId, type Route } from '../http/context.ts'
import { sharerOf } from '../http/sharer.ts'
import { parseBody } from '../schema/attributes.ts'
import { writing } from '../write/writing.ts'
import { idOf, inRange, knownParameters, markerIsGone, numberOf, projectOf } from './parameters.ts'
import { changedBy, MASK, webhookCreate, webhookUpdate } from './webhook-body.ts'

const ALL = '/v1/webhooks'
const ONE = '/v1/webhooks/:id'

export function webhookRoutes(deps: ApiDependencies): Route[] {
  const to = (handler: (ctx: ApiContext, deps: ApiDependencies) => Promise<void>) => (ctx: ApiContext) =>
    handler(ctx, deps)
  return [
    { method: 'get', paths: [ALL], handler: to(list) },
    { method: 'post', paths: [ALL], handler: to(create) },
    { method: 'get', paths: [ONE], handler: to(show) },
    { method: 'put', paths: [ONE], handler: to(update) },
    { method: 'delete', paths: [ONE], handler: to(remove) },
    { method: 'post', paths: [`${ONE}/test`], admitsItself: true, handler: to(test) },
    { method: 'get', paths: [`${ONE}/dead-letters`], handler: to(deadLetters) },
    { method: 'post', paths: [`${ONE}/dead-letters/:letter_id/resend`], handler: to(resend) },
  ]
}

async function list(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  const parameters = knownParameters(ctx, ['project_id', 'marker'])
  const webhooks = await listWebhooks(db, projectOf(ctx, parameters), idOf(parameters, 'marker'))
  if (webhooks === undefined) throw markerIsGone()
  ctx.body = {
    webhooks: webhooks.map((webhook) => render(webhook)),
    ...(webhooks.length < WEBHOOK_PAGE ? {} : { marker: webhooks.at(-1)?.id }),
  }
}

async function create(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const body = parseBody(await readJson(ctx), webhookCreate)
  const projectId = body.project_id === undefined ? ctx.state.identity.projectId : body.project_id
  authoriseOwner(ctx, projectId)
  const made = `${SECRET_PREFIX}${randomBytes(WEBHOOK_SECRET_BYTES_MADE).toString('base64')}`
  const empty = { name: '', url: '', format: 'cloudevents', filter: {}, enabled: true } as const
  const webhook: WebhookFields = changedBy(
    { ...empty, id: randomUUID(), projectId, secrets: body.secrets === undefined ? [made] : [] },
    body,
    deps.webhooks.policy,
  )
  const created = await writing(ctx, deps, async (tx) => {
    if ((await countWebhooksLocked(tx, projectId)) >= WEBHOOKS_PER_PROJECT) {
      throw new DomainError('QUOTA_EXCEEDED', `A project has at most ${WEBHOOKS_PER_PROJECT} webhooks.`)
    }
    await insertWebhook(tx, webhook)
    return await found(tx, webhook.id)
  })
  ctx.status = 201
  // The only response that contains a secret: the one that the service made.
  ctx.body = { webhook: render(created, body.secrets === undefined ? [made] : undefined) }
}

async function show(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  ctx.body = { webhook: render(await ofPath(ctx, db)) }
}

async function update(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const body = parseBody(await readJson(ctx), webhookUpdate)
  const updated = await writing(ctx, deps, async (tx) => {
    const stored = await lockedOfPath(ctx, tx)
    await updateWebhook(tx, changedBy(stored, body, deps.webhooks.policy))
    return await found(tx, stored.id)
  })
  ctx.body = { webhook: render(updated) }
}

async function remove(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  await writing(ctx, deps, async (tx) => {
    await deleteWebhook(tx, (await lockedOfPath(ctx, tx)).id)
  })
  ctx.status = 204
}

/** Sends a test event. No connection to PostgreSQL is held during the request to the receiver. */
async function test(ctx: ApiContext, { db, webhooks }: ApiDependencies): Promise<void> {
  let webhook: WebhookRecord | undefined
  await ctx.state.admission.admit(sharerOf(ctx.state.identity), async () => {
    webhook = await ofPath(ctx, db)
  })
  if (webhook === undefined) throw new Error('the request was not admitted')
  const startedMs = performance.now()
  const outcome = await webhooks.test(webhook)
  if (outcome === undefined) {
    throw new DomainError('PROJECT_BUSY', 'The project has too many tests under way. Please try again.')
  }
  ctx.body = {
    test: {
      result: outcome.kind,
      status: 'status' in outcome ? (outcome.status ?? null) : null,
      error: 'error' in outcome ? outcome.error : null,
      duration_ms: Math.round(performance.now() - startedMs),
    },
  }
}

async function deadLetters(ctx: ApiContext, { db }: ApiDependencies): Promise<void> {
  const parameters = knownParameters(ctx, ['before', 'limit'])
  const { id } = await ofPath(ctx, db)
  const limit = inRange(numberOf(parameters, 'limit') ?? DEAD_LETTER_PAGE.max, 'limit', DEAD_LETTER_PAGE)
  const letters = await listDeadLetters(db, id, {
    before: numberOf(parameters, 'before'),
    limit,
  })
  const last = letters.length < limit ? undefined : letters.at(-1)
  ctx.body = {
    dead_letters: letters.map(renderLetter),
    ...(last === undefined ? {} : { before: String(last.id) }),
  }
}

async function resend(ctx: ApiContext, deps: ApiDependencies): Promise<void> {
  const letterId = ctx.params['letter_id'] ?? ''
  await writing(ctx, deps, async (tx) => {
    const { id } = await lockedOfPath(ctx, tx)
    const isThere = /^\d{1,15}$/.test(letterId) && (await resendDeadLetter(tx, id, Number(letterId)))
    if (!isThere) throw notFound('dead letter', letterId.slice(0, 255))
  })
  ctx.status = 204
}

/** The webhook of the path. Throws NOT_FOUND, FORBIDDEN. */
async function ofPath(ctx: ApiContext, db: Db): Promise<WebhookRecord> {
  const id = pathId(ctx, 'id', 'webhook')
  return owned(ctx, id, await findWebhook(db, id, ctx.state.access.byId))
}

async function lockedOfPath(ctx: ApiContext, tx: Tx): Promise<WebhookRecord> {
  const id = pathId(ctx, 'id', 'webhook')
  return owned(ctx, id, await lockWebhook(tx, id, ctx.state.access.byId))
}

function owned(ctx: ApiContext, id: string, webhook: WebhookRecord | undefined): WebhookRecord {
  if (webhook === undefined) throw notFound('webhook', id)
  authoriseOwner(ctx, webhook.projectId)
  return webhook
}

/** Webhooks without a project are those of administrators: of everybody who may do this in every project. */
function authoriseOwner(ctx: ApiContext, projectId: string | null): void {
  const { access } = ctx.state
  if (projectId !== null) return access.authorise(projectId)
  if (access.inLists !== undefined)
    throw new DomainError('FORBIDDEN', 'Only administrators have webhooks for all projects.')
}

async function found(tx: Tx, id: string): Promise<WebhookRecord> {
  const webhook = await findWebhook(tx, id, undefined)
  if (webhook === undefined) throw new Error(`webhook ${id} is not there after it was written`)
  return webhook
}

function render(webhook: WebhookRecord, shownSecrets?: readonly string[]): Record<string, unknown> {
  const { health } = webhook
  return {
    id: webhook.id,
    project_id: webhook.projectId,
    name: webhook.name,
    url: shownUrl(webhook),
    format: webhook.format,
    filter: webhook.filter,
    secrets: shownSecrets ?? webhook.secrets.map(() => MASK),
    enabled: webhook.enabled,
    created_at: webhook.createdAt.toISOString(),
    updated_at: webhook.updatedAt.toISOString(),
    last_success_at: health.lastSuccessAt?.toISOString() ?? null,
    last_error: health.lastError,
    last_error_at: health.lastErrorAt?.toISOString() ?? null,
    failures: health.failures,
    retry_at: health.retryAt?.toISOString() ?? null,
    lag: {
      events: Math.min(health.waiting, WEBHOOK_COUNTED_MAX),
      at_least: health.waiting > WEBHOOK_COUNTED_MAX,
      seconds: Math.round(health.waitingSeconds * 1000) / 1000,
    },
    dead_letters: {
      kept: Math.min(health.deadLetters, WEBHOOK_COUNTED_MAX),
      at_least: health.deadLetters > WEBHOOK_COUNTED_MAX,
      dropped: health.deadLettersDropped,
    },
  }
}

function renderLetter({ id, at, reason, event }: DeadLetter): Record<string, unknown> {
  return { id: String(id), at: at.toISOString(), reason, event: eventDocument(event) }
}
