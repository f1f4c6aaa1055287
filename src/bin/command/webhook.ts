/**
 * `healthmonitor webhook`: lists, makes, changes, tests and deletes webhooks, and sends again what could not be
 * delivered.
 */
import { EXIT, type ExitCode } from '../../client/failure.ts'
import {
  letterLines,
  olderLettersLine,
  secretLines,
  shownWebhook,
  testLine,
  webhookLines,
  webhookTable,
} from '../../client/terminal/webhook-view.ts'
import { printable } from '../../client/terminal/screen.ts'
import { counted } from '../../client/terminal/words.ts'
import {
  findWebhook,
  listDeadLetters,
  listWebhooks,
  pathOfWebhook,
  resendAllLetters,
  resendLetters,
} from '../../client/webhooks.ts'
import type { Webhook, WebhookTest } from '../../client/wire.ts'
import { CLIENT_WEBHOOK_TEST_MS, LETTERS_SHOWN, LETTERS_SHOWN_DEFAULT } from '../../domain/limits.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'
import { type Client, CLIENT_EXITS, numberOf, SIGN_IN_TEXT, withService } from './client.ts'
import { bodyOf, WEBHOOK_FLAGS, type WebhookValues } from './webhook-flags.ts'

const FILTER_FLAGS = ['type', 'to', 'loadbalancer', 'pool', 'member'] as const
const FIELD_FLAGS = [
  'name',
  'receiver',
  'receiver-file',
  'format',
  'secret-file',
  'disable',
  ...FILTER_FLAGS,
] as const

/** What each action takes: words after it, and flags beside those of every command. */
const ACTIONS = {
  list: { words: [0, 0], flags: ['all-projects'] },
  show: { words: [1, 1], flags: [] },
  create: { words: [0, 0], flags: [...FIELD_FLAGS, 'all-projects'] },
  change: {
    words: [1, 1],
    flags: [...FIELD_FLAGS, 'new-secret', 'drop-old-secret', 'all-events', 'enable'],
  },
  delete: { words: [1, 1], flags: [] },
  test: { words: [1, 1], flags: [] },
  'dead-letters': { words: [1, 1], flags: ['limit'] },
  resend: { words: [1, Infinity], flags: ['all'] },
} as const satisfies Readonly<
  Record<string, { readonly words: readonly [min: number, max: number]; readonly flags: readonly string[] }>
>
type Action = keyof typeof ACTIONS
const NAMES = Object.keys(ACTIONS) as readonly Action[]

/** Flags that every action has. */
const COMMON: ReadonlySet<string> = new Set(['json', 'url', 'project'])

interface Asked {
  readonly values: WebhookValues
  readonly named: string
  readonly letters: readonly string[]
}

export const webhookCommand: Command = {
  summary: 'webhooks: lists, makes, changes, tests and deletes them',
  about: [
    'A webhook sends events to a receiver over HTTP. list, show and dead-letters show the state of deliveries. test sends one event now. resend sends dead letters again: events that were given up.',
    '  healthmonitor webhook create --name pager --receiver https://pager.example/hook --type member.status\n  healthmonitor webhook test pager\n  healthmonitor webhook change pager --new-secret',
    'Without --secret-file, the service makes the secret that signs requests, and create prints it once. Secrets are read from files only, because other users of this host can read command lines. If the URL of a receiver is itself a secret (Slack), use --receiver-file.',
    SIGN_IN_TEXT,
  ],
  words: [
    { name: 'ACTION', what: NAMES.join(', '), choices: NAMES },
    { name: 'WEBHOOK', what: 'name or id; not for list and create', isOptional: true },
    { name: 'LETTER', what: 'resend: ids of dead letters', isOptional: true, isRepeated: true },
  ],
  flags: WEBHOOK_FLAGS,
  isClient: true,
  exits: { 1: 'test: it was not delivered', ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values, words } = parseFlags(args, WEBHOOK_FLAGS, { min: 1, max: Infinity, named: 'ACTION' })
    const [word = '', named = '', ...letters] = words
    const action = NAMES.find((each) => each === word)
    if (action === undefined)
      throw new UsageError(`ACTION ${JSON.stringify(word)} must be one of ${NAMES.join(', ')}`)
    assertFits(action, words.slice(1), values)
    return await withService(values, environment, (client) => RUN[action](client, { values, named, letters }))
  },
}

function assertFits(action: Action, words: readonly string[], values: WebhookValues): void {
  const [min, max] = ACTIONS[action].words
  const allowed: readonly string[] = ACTIONS[action].flags
  const stray = Object.keys(values).find((name) => !COMMON.has(name) && !allowed.includes(name))
  if (stray !== undefined) throw new UsageError(`--${stray} is not for ${action}`)
  if (words.length < min) throw new UsageError('WEBHOOK is missing')
  if (words.length > max) throw new UsageError(`${JSON.stringify(words[max])} is not understood`)
  if (action === 'resend' && words.length > 1 === (values.all === true))
    throw new UsageError('resend takes LETTERs, or --all')
}

const RUN: Readonly<Record<Action, (client: Client, asked: Asked) => Promise<ExitCode>>> = {
  list: async ({ service, screen, print }, { values }) => {
    const isOfAll = values['all-projects'] === true
    const list = await listWebhooks(service, { isOfAll })
    if (values.json === true) print([JSON.stringify(list)])
    else print(webhookTable(list.webhooks, screen, { isOfAll, hasMore: list.marker !== undefined }))
    return EXIT.done
  },
  show: async (client, { values, named }) => {
    printWebhook(client, values, await findWebhook(client.service, named))
    return EXIT.done
  },
  create: async (client, { values }) => {
    const { service } = client
    const owner = values['all-projects'] === true ? { project_id: null } : {}
    const body = { ...(await bodyOf(service, values)), ...owner }
    if (!('url' in body)) throw new UsageError('--receiver or --receiver-file is missing')
    const answer = await service.post<{ readonly webhook: Webhook }>('/v1/webhooks', {
      body: { webhook: body },
    })
    printWebhook(client, values, answer.webhook)
    // Those that were given are masked in the answer.
    if (values.json !== true && values['secret-file'] === undefined) client.print(secretLines(answer.webhook))
    return EXIT.done
  },
  change: async (client, { values, named }) => {
    const { service } = client
    const stored = await findWebhook(service, named)
    const body = await bodyOf(service, values, stored)
    if (Object.keys(body).length === 0) throw new UsageError('change needs a flag that says what')
    const { webhook } = await service.put<{ readonly webhook: Webhook }>(pathOfWebhook(stored), {
      webhook: body,
    })
    const made = values['new-secret'] === true ? (body.secrets?.slice(0, 1) ?? []) : []
    if (values.json === true && made.length > 0) {
      client.print([
        JSON.stringify({ webhook: { ...webhook, secrets: [...made, ...webhook.secrets.slice(1)] } }),
      ])
      return EXIT.done
    }
    printWebhook(client, values, webhook)
    client.print(secretLines({ secrets: made }))
    return EXIT.done
  },
  delete: async ({ service, print }, { values, named }) => {
    const webhook = await findWebhook(service, named)
    await service.delete(pathOfWebhook(webhook))
    if (values.json !== true) print([printable(`webhook ${shownWebhook(webhook)}: deleted`)])
    return EXIT.done
  },
  test: async ({ service, print }, { values, named }) => {
    const webhook = await findWebhook(service, named)
    const answer = await service.post<{ readonly test: WebhookTest }>(`${pathOfWebhook(webhook)}/test`, {
      patienceMs: CLIENT_WEBHOOK_TEST_MS,
    })
    print([values.json === true ? JSON.stringify(answer) : testLine(webhook, answer.test)])
    return answer.test.result === 'delivered' ? EXIT.done : EXIT.no
  },
  'dead-letters': async ({ service, screen, print }, { values, named }) => {
    const limit = numberOf('limit', values.limit, { ...LETTERS_SHOWN, absent: LETTERS_SHOWN_DEFAULT })
    const webhook = await findWebhook(service, named)
    const letters = await listDeadLetters(service, webhook, limit)
    if (values.json === true) return (print([JSON.stringify({ dead_letters: letters })]), EXIT.done)
    print(letterLines(letters, screen))
    print(olderLettersLine(webhook.dead_letters, { shown: letters.length, limit }))
    return EXIT.done
  },
  resend: async (client, { values, named, letters }) => {
    const webhook = await findWebhook(client.service, named)
    const sent =
      values.all === true
        ? await resendAllLetters(client.service, webhook)
        : await resendLetters(client.service, webhook, letters)
    if (values.json === true) client.print([JSON.stringify({ resent: sent })])
    else
      client.print([
        printable(`webhook ${shownWebhook(webhook)}: ${counted(sent, 'event')} to be sent again`),
      ])
    return EXIT.done
  },
}

function printWebhook({ screen, print }: Client, { json }: WebhookValues, webhook: Webhook): void {
  if (json === true) print([JSON.stringify({ webhook })])
  else print(webhookLines(webhook, screen, Date.now()))
}
