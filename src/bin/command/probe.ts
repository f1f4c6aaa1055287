/** `healthmonitor probe`: one probe of a member now, by the service. */
import { EXIT, type ExitCode } from '../../client/failure.ts'
import { findMember, findPool, pathOf } from '../../client/subjects.ts'
import { probeNowLines } from '../../client/terminal/probe-view.ts'
import type { ProbeNow } from '../../client/wire.ts'
import { PROBE_REQUEST_MAX_MS } from '../../domain/limits.ts'
import { CLIENT_EXITS, JSON_FLAG, SERVICE_FLAGS, SIGN_IN_TEXT, withService } from './client.ts'
import { type Command, parseFlags } from '../command-line.ts'

const FLAGS = {
  pool: { type: 'string', value: 'POOL', what: 'name or id of the pool of MEMBER' },
  counted: {
    type: 'boolean',
    what: 'the result counts like that of a scheduled probe: the status of the member may change',
  },
  ...JSON_FLAG,
  ...SERVICE_FLAGS,
} as const

const EXITS: Readonly<Record<ProbeNow['result'], ExitCode>> = {
  passed: EXIT.done,
  failed: EXIT.no,
  inconclusive: EXIT.unreachable,
}

export const probeCommand: Command = {
  summary: 'one probe of a member now, by the service',
  about: [
    'The prober of MEMBER makes one more probe now, with the present configuration, and the command prints the result. Status, counters and schedule do not change, unless --counted is given. `healthmonitor probe-once` probes any address from this host instead.',
    '  healthmonitor probe web-1 --pool app || echo "web-1 does not answer"',
    SIGN_IN_TEXT,
  ],
  words: [{ name: 'MEMBER', what: 'name, id or ADDRESS:PORT of a member' }],
  flags: FLAGS,
  isClient: true,
  exits: {
    0: 'passed',
    1: 'failed',
    2: `${CLIENT_EXITS[2]}, or is not probed`,
    3: `${CLIENT_EXITS[3]}, or the result is inconclusive`,
  },
  run: async (args, environment) => {
    const { values, words } = parseFlags(args, FLAGS, { min: 1, max: 1, named: 'MEMBER' })
    const [named = ''] = words
    return await withService(values, environment, async ({ service, screen, print }) => {
      const pool = values.pool === undefined ? undefined : await findPool(service, values.pool)
      const member = await findMember(service, named, pool)
      const body = { probe: { counted: values.counted === true } }
      const answer = await service.post<{ readonly probe: ProbeNow }>(`/v1${pathOf(member)}/probe`, {
        body,
        patienceMs: PROBE_REQUEST_MAX_MS,
      })
      if (values.json === true) print([JSON.stringify(answer)])
      else print(probeNowLines(member.shown, answer.probe, screen))
      return EXITS[answer.probe.result] ?? EXIT.unreachable
    })
  },
}
