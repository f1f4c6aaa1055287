/** `healthmonitor events`: what has happened, and with --follow also new events. */
import { followEvents } from '../../client/event-reader.ts'
import { EXIT } from '../../client/failure.ts'
import type { Query } from '../../client/service.ts'
import { findPoolAndMember } from '../../client/subjects.ts'
import { eventLine } from '../../client/terminal/event-view.ts'
import type { EventPage } from '../../client/wire.ts'
import { EVENT_TYPES } from '../../domain/event/event-types.ts'
import { EVENTS_SHOWN, EVENTS_SHOWN_DEFAULT } from '../../domain/limits.ts'
import {
  type Client,
  CLIENT_EXITS,
  JSON_FLAG,
  numberOf,
  SERVICE_FLAGS,
  SIGN_IN_TEXT,
  withService,
} from './client.ts'
import { type Command, parseFlags } from '../command-line.ts'

const FLAGS = {
  follow: {
    type: 'boolean',
    what: 'also shows new events; after an interruption it continues with the events that it missed',
  },
  last: {
    type: 'string',
    value: 'N',
    what: `begins with the last N events (${EVENTS_SHOWN_DEFAULT}; 0 to ${EVENTS_SHOWN.max})`,
  },
  pool: { type: 'string', value: 'POOL', what: 'only events of this pool and its members; name or id' },
  member: { type: 'string', value: 'MEMBER', what: 'only events of this member; name, id or ADDRESS:PORT' },
  type: {
    type: 'string',
    value: 'TYPE',
    choices: Object.keys(EVENT_TYPES),
    what: 'only events of these types, separated by commas: member.status, pool.status, …',
  },
  to: { type: 'string', value: 'STATUS', what: 'only events with this new status, like OFFLINE' },
  'all-projects': { type: 'boolean', what: 'events of all projects and of the service; for administrators' },
  json: { ...JSON_FLAG.json, what: 'prints one JSON object per line, as the API gives it' },
  ...SERVICE_FLAGS,
} as const

interface Values {
  readonly pool?: string | undefined
  readonly member?: string | undefined
  readonly type?: string | undefined
  readonly to?: string | undefined
  readonly 'all-projects'?: boolean | undefined
}

export const eventsCommand: Command = {
  summary: 'what has happened; with --follow also new events',
  about: [
    'Prints events, the oldest first. With --follow it keeps running. When the connection breaks, it reconnects and shows the events that it missed, if the service still keeps them.',
    SIGN_IN_TEXT,
  ],
  flags: FLAGS,
  isClient: true,
  exits: { ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values } = parseFlags(args, FLAGS)
    const last = numberOf('last', values.last, { ...EVENTS_SHOWN, absent: EVENTS_SHOWN_DEFAULT })
    return await withService(values, environment, async (client) => {
      const filter = await filterOf(client, values)
      const { events, after } = await client.service.get<EventPage>('/v1/events', {
        query: { ...filter, limit: String(Math.max(1, last)) },
      })
      const shown = last === 0 ? [] : events.toReversed()
      const line = (event: (typeof events)[number], text: string) =>
        values.json === true ? text : eventLine(event, client.screen)
      client.print(shown.map((event) => line(event, JSON.stringify(event))))
      if (values.follow === true) await follow(client, { filter, after, line })
      return EXIT.done
    })
  },
}

async function filterOf({ service }: Client, values: Values): Promise<Query> {
  const { pool, member } = await findPoolAndMember(service, values)
  return {
    pool_id: pool?.id,
    member_id: member?.id,
    type: values.type?.split(','),
    to: values.to,
    project_id: values['all-projects'] === true ? undefined : service.projectId,
  }
}

interface Followed {
  readonly filter: Query
  readonly after: string
  readonly line: (event: EventPage['events'][number], text: string) => string
}

/** Interruptions are reported on standard error, because standard output has only events. */
async function follow({ service, print }: Client, { filter, after, line }: Followed): Promise<void> {
  for await (const item of followEvents(service, { after, filter })) {
    switch (item.kind) {
      case 'event':
        print([line(item.event, item.text)])
        break
      case 'gap':
        process.stderr.write('some events are missing here: the service no longer keeps them\n')
        break
      case 'interrupted':
        process.stderr.write(`${item.why}; trying again\n`)
        break
      case 'resumed':
        process.stderr.write('the stream is connected again\n')
        break
    }
  }
}
