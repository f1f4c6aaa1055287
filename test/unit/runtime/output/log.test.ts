import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '../../../../src/runtime/output/log.ts'
import { NoConnectionError } from '../../../../src/store/connection/connection-pool.ts'

function capture(level: 'debug' | 'info' = 'info') {
  const lines: string[] = []
  const log = createLog({
    level,
    process: 'test',
    destination: { write: (line: string) => void lines.push(line) },
  })
  return { lines, log }
}

test('a line is JSON with time, level by name, process and message', () => {
  const { lines, log } = capture()
  log.child({ pool_id: 'p' }).info({ req_id: 'r' }, 'happened')
  log.debug('not at this level')
  assert.equal(lines.length, 1)
  const line = JSON.parse(lines[0] ?? '') as Record<string, unknown>
  assert.match(String(line['time']), /^\d{4}-\d\d-\d\dT.*Z$/)
  assert.deepEqual(
    [line['level'], line['process'], line['pool_id'], line['req_id'], line['msg']],
    ['info', 'test', 'p', 'r', 'happened'],
  )
})

test('secrets are not in the log: headers, passwords, tokens, URLs in fields and in texts of errors', () => {
  const { lines, log } = capture()
  const secret = 'topsecret'
  const headers = { authorization: secret, cookie: secret, 'x-auth-token': secret, 'x-subject-token': secret }
  const url = `postgresql://user:${secret}@127.0.0.1:5432/hm`
  log.info({ headers })
  log.info({ req: { headers } })
  log.info({ password: secret, config: { keystone: { password: secret } } })
  log.info({ databaseUrl: `x${secret}`, env: { DATABASE_URL: `x${secret}` } })
  log.info({ target: url })
  log.info(`connecting to ${url}`)
  log.error({ err: new Error(`cannot reach ${url}`) })
  assert.equal(lines.length, 7)
  for (const line of lines) assert.ok(!line.includes(secret), line)
  assert.match(lines[6] ?? '', /postgresql:\/\/user:\*\*\*@127\.0\.0\.1:5432\/hm/)
})

test('what the operating system refused, and a wait for a connection, are logged in a line without a stack', () => {
  const { lines, log } = capture()
  const refused = (address: string) =>
    Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: 'ECONNREFUSED', syscall: 'connect' })
  const pool = new NoConnectionError(new Error('timeout exceeded when trying to connect'))
  const both = new AggregateError([refused('::1:5432'), refused('127.0.0.1:5432')])
  for (const err of [refused('127.0.0.1:5432'), both, pool]) log.warn({ err }, 'away')
  const errors = lines.map((line) => (JSON.parse(line) as { err: Record<string, unknown> }).err)
  assert.deepEqual(errors, [
    { type: 'Error', message: 'connect ECONNREFUSED 127.0.0.1:5432', code: 'ECONNREFUSED' },
    { type: 'AggregateError', message: 'connect ECONNREFUSED ::1:5432; connect ECONNREFUSED 127.0.0.1:5432' },
    { type: 'Error', message: 'no connection to PostgreSQL in time' },
  ])
  log.error({ err: new TypeError('a mistake of ours') }, 'request failed')
  assert.match(lines.at(-1) ?? '', /"stack":"TypeError: a mistake of ours\\n/)
})
