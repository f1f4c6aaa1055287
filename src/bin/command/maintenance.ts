/** `healthmonitor maintenance begin | end | show`, of a member or a pool. */
import { EXIT } from '../../client/failure.ts'
import type { Service } from '../../client/service.ts'
import { findSubject, pathOf, type Subject } from '../../client/subjects.ts'
import { maintenanceLine } from '../../client/terminal/health-view.ts'
import { printable } from '../../client/terminal/screen.ts'
import type { Maintenance } from '../../client/wire.ts'
import { MAINTENANCE_NOTE_MAX } from '../../domain/limits.ts'
import { isTimeZone } from '../../domain/recurrence/time-zone.ts'
import { CLIENT_EXITS, durationOf, JSON_FLAG, SERVICE_FLAGS, SIGN_IN_TEXT, withService } from './client.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'
import { MEMBER_WORD, POOL_FLAG } from './subject-flags.ts'

const ACTIONS = ['begin', 'end', 'show'] as const

const FLAGS = {
  ...POOL_FLAG,
  for: {
    type: 'string',
    value: 'TIME',
    what: 'begin: how long it lasts, like 90s, 30m, 2h or 1d (until it is ended)',
  },
  until: { type: 'string', value: 'TIME', what: 'begin: when it ends, like 2026-12-24T06:00:00Z' },
  from: {
    type: 'string',
    value: 'TIME',
    what: 'begin: when it starts (now); with --rrule the first time, in the time zone and without it, like 2026-12-24T02:00',
  },
  rrule: {
    type: 'string',
    value: 'RULE',
    what: 'begin: it recurs, by an RRULE of RFC 5545, like FREQ=WEEKLY;BYDAY=SU; each time at the time of day of --from',
  },
  'time-zone': {
    type: 'string',
    value: 'ZONE',
    what: 'begin: the zone of a rule, like Europe/Berlin (the one of this terminal)',
  },
  note: { type: 'string', value: 'TEXT', what: `begin: why, at most ${MAINTENANCE_NOTE_MAX} characters` },
  ...JSON_FLAG,
  ...SERVICE_FLAGS,
} as const

/** Flags that say something only when a maintenance begins. */
const OF_BEGIN = ['for', 'until', 'from', 'note', 'rrule', 'time-zone'] as const

type Values = { readonly [Name in (typeof OF_BEGIN)[number]]?: string | undefined }

export const maintenanceCommand: Command = {
  summary: 'begins, ends or shows a maintenance',
  about: [
    'During a maintenance of a member or a pool, probing continues, but its status does not change. When it ends, the current status is published. A new maintenance replaces the one before.',
    '  healthmonitor maintenance begin web-1 --for 2h --note "new kernel"\n  healthmonitor maintenance begin --pool app --rrule "FREQ=WEEKLY;BYDAY=SU" --time-zone Europe/Berlin --from 2026-12-06T02:00 --for 2h\n  healthmonitor maintenance end web-1',
    'With --rrule it recurs until it is ended: end also removes all future occurrences.',
    SIGN_IN_TEXT,
  ],
  words: [{ name: 'ACTION', what: 'begin, end or show', choices: ACTIONS }, MEMBER_WORD],
  flags: FLAGS,
  isClient: true,
  exits: { 0: 'done', 1: 'show: there is none', ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values, words } = parseFlags(args, FLAGS, { min: 1, max: 2, named: 'ACTION' })
    const [word = '', member] = words
    const action = ACTIONS.find((each) => each === word)
    if (action === undefined)
      throw new UsageError(`ACTION ${JSON.stringify(word)} must be begin, end or show`)
    assertFlagsFit(action, values)
    return await withService(values, environment, async ({ service, print }) => {
      const subject = await findSubject(service, { member, pool: values.pool })
      const maintenance = await done(service, { action, subject, values })
      if (values.json === true) print([JSON.stringify({ maintenance: maintenance ?? null })])
      else print([printable(sentence(action, subject, maintenance))])
      return action === 'show' && maintenance === undefined ? EXIT.no : EXIT.done
    })
  },
}

function assertFlagsFit(action: string, values: Values): void {
  const given = OF_BEGIN.filter((name) => values[name] !== undefined)
  if (action !== 'begin' && given.length > 0) throw new UsageError(`--${given[0]} is only for begin`)
  if (values.for !== undefined && values.until !== undefined)
    throw new UsageError('--for and --until say the same: give one of them')
  if (values.rrule === undefined) {
    if (values['time-zone'] !== undefined) throw new UsageError('--time-zone is only for --rrule')
    return
  }
  if (values.until !== undefined) throw new UsageError('--until does not fit --rrule: a rule may have UNTIL')
  if (values.for === undefined) throw new UsageError('--rrule needs --for: how long it lasts each time')
}

interface Action {
  readonly action: (typeof ACTIONS)[number]
  readonly subject: Subject
  readonly values: Values
}

/** The maintenance that lasts or is to come; undefined = there is none. */
async function done(service: Service, { action, subject, values }: Action): Promise<Maintenance | undefined> {
  const path = `/v1${pathOf(subject)}/maintenance`
  switch (action) {
    case 'begin': {
      const answer = await service.put<{ readonly maintenance: Maintenance }>(path, {
        maintenance: values.rrule === undefined ? windowOf(values, Date.now()) : recurring(values),
      })
      return answer.maintenance
    }
    case 'end':
      await service.delete(path)
      return undefined
    case 'show': {
      // 404 is also an object that is gone, which was there a moment ago.
      const { status, body } = await service.exchange('GET', path, {})
      if (status === 404) return undefined
      return status === 200
        ? (body as { readonly maintenance: Maintenance }).maintenance
        : (await service.get<{ readonly maintenance: Maintenance }>(path)).maintenance
    }
  }
}

function windowOf(values: Values, nowMs: number): Readonly<Record<string, string>> {
  const startMs = values.from === undefined ? nowMs : Date.parse(values.from)
  if (Number.isNaN(startMs)) throw new UsageError(`--from ${JSON.stringify(values.from)} is no time`)
  const end =
    values.for === undefined ? values.until : new Date(startMs + durationOf('for', values.for)).toISOString()
  return {
    ...(values.from === undefined ? {} : { start: values.from }),
    ...(end === undefined ? {} : { end }),
    ...(values.note === undefined ? {} : { note: values.note }),
  }
}

/** A time of the clock, without a zone. */
const LOCAL_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/

/** Whether the rule is one, the service says. */
function recurring(values: Values): Readonly<Record<string, unknown>> {
  if (values.from !== undefined && !LOCAL_TIME.test(values.from)) {
    const from = JSON.stringify(values.from)
    throw new UsageError(`--from ${from} must have no zone with --rrule, like 2026-12-24T02:00`)
  }
  const zone = values['time-zone'] ?? Intl.DateTimeFormat().resolvedOptions().timeZone
  if (!isTimeZone(zone)) throw new UsageError(`--time-zone ${JSON.stringify(zone)} is no time zone`)
  return {
    recurrence: {
      rrule: values.rrule,
      time_zone: zone,
      duration: durationOf('for', values.for ?? '') / 1000,
      ...(values.from === undefined ? {} : { start: values.from }),
    },
    ...(values.note === undefined ? {} : { note: values.note }),
  }
}

function sentence(
  action: Action['action'],
  { kind, shown }: Subject,
  maintenance: Maintenance | undefined,
): string {
  if (maintenance !== undefined) return `${kind} ${shown}: maintenance ${maintenanceLine(maintenance)[1]}`
  return action === 'end' ? `${kind} ${shown}: no maintenance any more` : `${kind} ${shown}: no maintenance`
}
