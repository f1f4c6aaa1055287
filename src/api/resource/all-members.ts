/** `GET …/members`: every member of the project, whatever pool it is in. */
import { listMembers, type MemberView, versionedMembers } from '../../store/configuration/members.ts'
import type { ApiDependencies, Route } from '../http/context.ts'
import { answerList } from '../http/pages.ts'

export interface AllMembersDialect {
  readonly paths: (path: string) => readonly string[]
  /** A member with the ids of its parents. */
  readonly renderWithParents: (member: MemberView) => Record<string, unknown>
}

export function allMembersRoutes(deps: ApiDependencies, dialect: AllMembersDialect): Route[] {
  return [
    {
      method: 'get',
      paths: dialect.paths('/members'),
      handler: (ctx) =>
        answerList<MemberView>(ctx, deps, {
          name: 'members',
          resource: 'member',
          read: (page) => listMembers(deps.db, page),
          versioned: versionedMembers(deps.db),
          render: dialect.renderWithParents,
        }),
    },
  ]
}
