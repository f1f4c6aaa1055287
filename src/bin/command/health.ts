/** `healthmonitor health`: the health of a member, or of a pool and its members, and why, in words. */
import { EXIT } from '../../client/failure.ts'
import type { Service } from '../../client/service.ts'
import { findSubject, type Subject } from '../../client/subjects.ts'
import { healthLines, poolHealthLines } from '../../client/terminal/health-view.ts'
import { isInTrouble, isMemberInTrouble } from '../../client/trouble.ts'
import type { Member, MemberPage, Pool } from '../../client/wire.ts'
import { CLIENT_EXITS, JSON_FLAG, SERVICE_FLAGS, SIGN_IN_TEXT, withService } from './client.ts'
import { type Command, parseFlags } from '../command-line.ts'
import { MEMBER_WORD, POOL_FLAG } from './subject-flags.ts'

const FLAGS = {
  ...POOL_FLAG,
  'exit-code': { type: 'boolean', what: 'exit code 1 when something is wrong with it' },
  ...JSON_FLAG,
  ...SERVICE_FLAGS,
} as const

export const healthCommand: Command = {
  summary: 'the health of a member or a pool, and why',
  about: [
    'Shows the status of MEMBER, since when and why, the last probe, how many results it needs for another status, and the next probe. For a pool: its status and its members, the worst first.',
    SIGN_IN_TEXT,
  ],
  words: [MEMBER_WORD],
  flags: FLAGS,
  isClient: true,
  exits: { 0: 'done', 1: 'something is wrong with it (with --exit-code)', ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values, words } = parseFlags(args, FLAGS, { min: 0, max: 1, named: 'MEMBER' })
    return await withService(values, environment, async ({ service, screen, print }) => {
      const found = await healthOf(
        service,
        await findSubject(service, { member: words[0], pool: values.pool }),
      )
      if (values.json === true) print([JSON.stringify(found.body)])
      else if (found.kind === 'member') print(healthLines(found.body.member, screen, Date.now()))
      else print(poolHealthLines({ ...found.body, hasMore: found.body.next !== null }, screen, Date.now()))
      const isWrong =
        found.kind === 'member' ? isMemberInTrouble(found.body.member) : isInTrouble(found.body.pool)
      return values['exit-code'] === true && isWrong ? EXIT.no : EXIT.done
    })
  },
}

type Health =
  | { readonly kind: 'member'; readonly body: { readonly member: Member } }
  | { readonly kind: 'pool'; readonly body: MemberPage & { readonly pool: Pool } }

async function healthOf(service: Service, { kind, id }: Subject): Promise<Health> {
  if (kind === 'member') return { kind, body: await service.get(`/v1/overview/members/${id}`) }
  const [{ pool }, page] = await Promise.all([
    service.get<{ readonly pool: Pool }>(`/v1/overview/pools/${id}`),
    service.get<MemberPage>(`/v1/overview/pools/${id}/members`),
  ])
  return { kind, body: { pool, ...page } }
}
