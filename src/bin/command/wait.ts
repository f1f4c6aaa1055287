/** `healthmonitor wait`: ends when a member, or all members of a pool, are ONLINE or OFFLINE. */
import { setTimeout as pause } from 'node:timers/promises'
import { EXIT, isPassing } from '../../client/failure.ts'
import type { Service } from '../../client/service.ts'
import { findSubject, type Subject } from '../../client/subjects.ts'
import { memberColumns } from '../../client/terminal/status-view.ts'
import { tableOf } from '../../client/terminal/table.ts'
import type { Member, MemberPage, WaitAnswer } from '../../client/wire.ts'
import {
  CLIENT_WAIT_RETRY_MS,
  CLIENT_WAIT_SECONDS,
  CLIENT_WAIT_SECONDS_DEFAULT,
  HEALTH_WAIT_SECONDS,
  STATUS_MEMBERS_OF_POOL,
} from '../../domain/limits.ts'
import { type Client, CLIENT_EXITS, numberOf, SERVICE_FLAGS, SIGN_IN_TEXT, withService } from './client.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'
import { MEMBER_WORD, POOL_FLAG, QUIET_FLAG } from './subject-flags.ts'

const STATES = ['ONLINE', 'OFFLINE'] as const

const FLAGS = {
  ...POOL_FLAG,
  for: {
    type: 'string',
    default: 'ONLINE',
    value: 'STATUS',
    choices: STATES,
    what: 'the status to wait for: ONLINE or OFFLINE',
  },
  timeout: {
    type: 'string',
    value: 'SECONDS',
    what: `how long to wait (${CLIENT_WAIT_SECONDS_DEFAULT}; at most ${CLIENT_WAIT_SECONDS.max})`,
  },
  ...QUIET_FLAG,
  ...SERVICE_FLAGS,
} as const

export const waitCommand: Command = {
  summary: 'ends when a member or a pool is ONLINE',
  about: [
    'Waits until MEMBER, or all members of the pool that are switched on (at least one), are ONLINE or OFFLINE by probes with the present configuration. It continues to wait while the service does not answer.',
    '  healthmonitor wait --pool app --for ONLINE --timeout 120 && echo deployed',
    SIGN_IN_TEXT,
  ],
  words: [MEMBER_WORD],
  flags: FLAGS,
  isClient: true,
  exits: { 0: 'the status is reached', 1: 'it was not reached in time', ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values, words } = parseFlags(args, FLAGS, { min: 0, max: 1, named: 'MEMBER' })
    const state = STATES.find((each) => each === values.for)
    if (state === undefined)
      throw new UsageError(`--for ${JSON.stringify(values.for)} must be ONLINE or OFFLINE`)
    const seconds = numberOf('timeout', values.timeout, {
      ...CLIENT_WAIT_SECONDS,
      absent: CLIENT_WAIT_SECONDS_DEFAULT,
    })
    return await withService(values, environment, async (client) => {
      const started = performance.now()
      const subject = await findSubject(client.service, { member: words[0], pool: values.pool })
      const isReached = await reached(client.service, subject, { state, untilMs: started + seconds * 1000 })
      if (values.quiet !== true) await report(client, { subject, state, isReached, started })
      return isReached ? EXIT.done : EXIT.no
    })
  },
}

interface Wait {
  readonly state: string
  /** Monotonic milliseconds. */
  readonly untilMs: number
}

/** Sends one request after the other; each waits as long as the service allows. Throws ClientFailure. */
async function reached(service: Service, subject: Subject, { state, untilMs }: Wait): Promise<boolean> {
  // The neutral path shows every pool, whichever API keeps it.
  const path = `/v1/overview/${subject.kind}s/${subject.id}`
  for (;;) {
    const leftMs = untilMs - performance.now()
    if (leftMs <= 0) return false
    const timeout = Math.min(
      HEALTH_WAIT_SECONDS.max,
      Math.max(HEALTH_WAIT_SECONDS.min, Math.ceil(leftMs / 1000)),
    )
    const query = { wait_for: state, timeout: String(timeout) }
    try {
      const { wait } = await service.get<WaitAnswer>(path, { query, patienceMs: timeout * 1000 })
      if (wait.reached) return true
      // A service that stops ends its waits early.
      if (wait.seconds < timeout) await pause(Math.min(leftMs, CLIENT_WAIT_RETRY_MS))
    } catch (error) {
      if (!isPassing(error) || leftMs <= CLIENT_WAIT_RETRY_MS) throw error
      await pause(CLIENT_WAIT_RETRY_MS)
    }
  }
}

interface Outcome {
  readonly subject: Subject
  readonly state: string
  readonly isReached: boolean
  readonly started: number
}

/** Prints whether the status was reached; if not, also the members that do not have it, and why. */
async function report({ service, screen, print }: Client, outcome: Outcome): Promise<void> {
  const { subject, state, isReached, started } = outcome
  const seconds = Math.round((performance.now() - started) / 100) / 10
  const who = subject.kind === 'pool' ? `pool ${subject.shown}` : `member ${subject.shown}`
  print([`${who} ${isReached ? 'is' : 'is not'} ${state} after ${seconds} s`])
  if (isReached) return
  const others = (await worstMembers(service, subject)).filter(
    ({ status, pending }) => status !== state || pending,
  )
  const shown = others.slice(0, STATUS_MEMBERS_OF_POOL)
  print(
    tableOf(
      shown,
      memberColumns<Member>((member) => member, Date.now()),
      screen,
    ),
  )
}

async function worstMembers(service: Service, subject: Subject): Promise<readonly Member[]> {
  if (subject.kind === 'member') {
    const { member } = await service.get<{ readonly member: Member }>(`/v1/overview/members/${subject.id}`)
    return [member]
  }
  const { members } = await service.get<MemberPage>(`/v1/overview/pools/${subject.id}/members`)
  return members
}
