/** The flags of `healthmonitor webhook`, and the body of a request that they say. */
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { ClientFailure, EXIT } from '../../client/failure.ts'
import type { Service } from '../../client/service.ts'
import { findLoadBalancer, findPoolAndMember } from '../../client/subjects.ts'
import type { Webhook } from '../../client/wire.ts'
import { EVENT_TYPES } from '../../domain/event/event-types.ts'
import {
  CLIENT_SECRET_FILE_MAX_BYTES,
  LETTERS_SHOWN,
  LETTERS_SHOWN_DEFAULT,
  WEBHOOK_SECRET_BYTES_MADE,
  WEBHOOK_SECRETS,
} from '../../domain/limits.ts'
import { SECRET_PREFIX } from '../../domain/webhook/secret.ts'
import { WEBHOOK_FORMATS } from '../../domain/webhook/webhook.ts'
import { UsageError } from '../command-line.ts'
import { JSON_FLAG, SERVICE_FLAGS } from './client.ts'

export const WEBHOOK_FLAGS = {
  name: { type: 'string', value: 'NAME', what: 'create, change: its name' },
  receiver: { type: 'string', value: 'RECEIVER_URL', what: 'create, change: where events are sent to' },
  'receiver-file': {
    type: 'string',
    value: 'FILE',
    what: 'the same out of a file, or of standard input (-): of Slack and the like the URL is a key',
  },
  format: {
    type: 'string',
    value: 'FORMAT',
    choices: WEBHOOK_FORMATS,
    what: 'create, change: cloudevents, slack or alertmanager (cloudevents)',
  },
  'secret-file': {
    type: 'string',
    value: 'FILE',
    what: 'create, change: one or two secrets (whsec_…), a line each, out of a file or of standard input (-)',
  },
  'new-secret': {
    type: 'boolean',
    what: 'change: makes another secret and prints it; both sign until --drop-old-secret',
  },
  'drop-old-secret': { type: 'boolean', what: 'change: only the newest secret stays' },
  type: {
    type: 'string',
    value: 'TYPE',
    choices: Object.keys(EVENT_TYPES),
    what: 'create, change: only events of these types, separated by commas. What is said of events replaces what was said before',
  },
  to: {
    type: 'string',
    value: 'STATUS',
    what: 'create, change: only with these new statuses, separated by commas',
  },
  loadbalancer: {
    type: 'string',
    value: 'LOAD_BALANCER',
    what: 'create, change: only of this load balancer; name or id',
  },
  pool: {
    type: 'string',
    value: 'POOL',
    what: 'create, change: only of this pool and its members; name or id',
  },
  member: {
    type: 'string',
    value: 'MEMBER',
    what: 'create, change: only of this member; name, id or ADDRESS:PORT',
  },
  'all-events': { type: 'boolean', what: 'change: of all events' },
  disable: { type: 'boolean', what: 'create, change: switched off; what waits is forgotten' },
  enable: { type: 'boolean', what: 'change: switched on' },
  'all-projects': {
    type: 'boolean',
    what: 'list: of all projects; create: for the events of all projects; for administrators',
  },
  limit: {
    type: 'string',
    value: 'N',
    what: `dead-letters: the newest N (${LETTERS_SHOWN_DEFAULT}; 1 to ${LETTERS_SHOWN.max})`,
  },
  all: { type: 'boolean', what: 'resend: all that are there' },
  ...JSON_FLAG,
  ...SERVICE_FLAGS,
} as const

type Flags = typeof WEBHOOK_FLAGS
export type WebhookValues = {
  readonly [Name in keyof Flags]?: (Flags[Name]['type'] extends 'boolean' ? boolean : string) | undefined
}

export interface WebhookBody {
  readonly name?: string
  readonly url?: string
  readonly format?: string
  readonly filter?: Readonly<Record<string, unknown>>
  readonly secrets?: readonly string[]
  readonly enabled?: boolean
}

/** Stands for a stored secret. */
const MASK = '***'

/** What the flags say; `stored`: of the webhook that is changed. Throws UsageError and ClientFailure. */
export async function bodyOf(
  service: Service,
  values: WebhookValues,
  stored?: Webhook,
): Promise<WebhookBody> {
  assertAtMostOne(values, ['receiver', 'receiver-file'])
  assertAtMostOne(values, ['enable', 'disable'])
  assertAtMostOne(values, ['secret-file', 'new-secret', 'drop-old-secret'])
  if (values['receiver-file'] === '-' && values['secret-file'] === '-')
    throw new UsageError('--receiver-file and --secret-file cannot both be standard input')
  const file = values['receiver-file']
  const url = file === undefined ? values.receiver : (await textOf('receiver-file', file)).trim()
  const filter = await filterOf(service, values)
  const secrets = await secretsOf(values, stored)
  return {
    ...(values.name === undefined ? {} : { name: values.name }),
    ...(url === undefined ? {} : { url }),
    ...(values.format === undefined ? {} : { format: values.format }),
    ...(filter === undefined ? {} : { filter }),
    ...(secrets === undefined ? {} : { secrets }),
    ...(values.disable === true ? { enabled: false } : values.enable === true ? { enabled: true } : {}),
  }
}

function assertAtMostOne(values: WebhookValues, names: readonly (keyof WebhookValues)[]): void {
  const given = names.filter((name) => values[name] !== undefined)
  if (given.length > 1)
    throw new UsageError(`${given.map((name) => `--${name}`).join(' and ')} do not go together`)
}

async function filterOf(
  service: Service,
  values: WebhookValues,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const { type, to, loadbalancer } = values
  const given = [type, to, loadbalancer, values.pool, values.member].some((value) => value !== undefined)
  if (values['all-events'] === true) {
    if (given) throw new UsageError('--all-events is all events: no other flag may say which')
    return {}
  }
  if (!given) return undefined
  const { pool, member } = await findPoolAndMember(service, values)
  return {
    ...(type === undefined ? {} : { types: type.split(',') }),
    ...(to === undefined ? {} : { to: to.split(',') }),
    ...(loadbalancer === undefined ? {} : { loadbalancer_id: await findLoadBalancer(service, loadbalancer) }),
    ...(pool === undefined ? {} : { pool_id: pool.id }),
    ...(member === undefined ? {} : { member_id: member.id }),
  }
}

async function secretsOf(
  values: WebhookValues,
  stored: Webhook | undefined,
): Promise<readonly string[] | undefined> {
  const file = values['secret-file']
  if (file !== undefined) {
    const secrets = (await textOf('secret-file', file))
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== '')
    if (secrets.length < WEBHOOK_SECRETS.min || secrets.length > WEBHOOK_SECRETS.max)
      throw new ClientFailure(EXIT.mistake, `--secret-file ${file} must have one secret or two, a line each`)
    return secrets
  }
  if (stored !== undefined && values['new-secret'] === true) {
    const made = `${SECRET_PREFIX}${randomBytes(WEBHOOK_SECRET_BYTES_MADE).toString('base64')}`
    return [made, MASK]
  }
  return values['drop-old-secret'] === true ? [MASK] : undefined
}

/** The text of a file, or of standard input (`-`). Throws ClientFailure, which never repeats what is in it. */
async function textOf(flag: string, file: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > CLIENT_SECRET_FILE_MAX_BYTES) break
    }
  } catch (error) {
    throw new ClientFailure(EXIT.mistake, `--${flag} ${file} cannot be read: ${(error as Error).message}`)
  }
  if (length > CLIENT_SECRET_FILE_MAX_BYTES) {
    throw new ClientFailure(
      EXIT.mistake,
      `--${flag} ${file} has more than ${CLIENT_SECRET_FILE_MAX_BYTES} bytes`,
    )
  }
  return Buffer.concat(chunks).toString()
}
