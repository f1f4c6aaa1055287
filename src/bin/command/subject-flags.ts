/** How commands name a member or a pool. */

export const MEMBER_WORD = {
  name: 'MEMBER',
  what: 'name, id or ADDRESS:PORT of a member; without it, the command is about the pool of --pool',
  isOptional: true,
} as const

export const POOL_FLAG = {
  pool: { type: 'string', value: 'POOL', what: 'name or id of the pool of MEMBER, or of the pool itself' },
} as const

export const QUIET_FLAG = {
  quiet: { type: 'boolean', what: 'prints nothing; the exit code is the result' },
} as const
