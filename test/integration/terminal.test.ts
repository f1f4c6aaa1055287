/** The commands that ask a running service, as processes, against the whole program with real listeners. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { startForwarder } from '../support/forwarder.ts'
import { runProgram, startProgram, until } from '../support/service.ts'
import { breakingProxy, COLUMNS, onTerminal, tokenOf } from '../support/terminal-client.ts'
import { terminalWorld, type TerminalWorld } from '../support/terminal.ts'

let world: TerminalWorld
const endings: (() => Promise<void> | void)[] = []
before(async () => {
  world = await terminalWorld({ after: (end) => endings.push(end) })
})
after(async () => {
  for (const end of endings.toReversed()) await end()
})

const portOf = (url: string): number => Number(new URL(url).port)
const member = (n: number) => world.members[n] ?? assert.fail(`member ${n}`)

test('status says what is wrong with the worst first, since when and why; only --exit-code makes it fail', async () => {
  const { code, out, err } = await world.run('status')
  assert.equal(code, 0, err)
  assert.match(out, /^project default at http:\S+, 20\d\d-/)
  assert.match(out, /^pools +1 DEGRADED$/m)
  assert.match(out, /^members +1 OFFLINE, 2 ONLINE$/m)
  assert.match(out, /^app +DEGRADED +2 of 3 +\d+ (s|min)/m)
  assert.match(
    out,
    /^web-3 +127\.0\.0\.1:\d+ +OFFLINE +.* ago +the target refused the connection \(connect ECONNREFUSED\) +app$/m,
  )
  assert.doesNotMatch(out, /web-1/)
  assert.ok(!out.includes('\u001b'), 'no colours in a pipe')
  assert.equal((await world.run('status', '--exit-code')).code, 1)
})

test('status --json is one object for programs', async () => {
  const { code, out } = await world.run('status', '--json')
  const status = JSON.parse(out)
  assert.equal(code, 0)
  assert.equal(status.members.offline, 1)
  assert.deepEqual(
    status.pools_in_trouble.map((pool: { name: string; members_in_trouble: { name: string }[] }) => [
      pool.name,
      pool.members_in_trouble.map(({ name }) => name),
    ]),
    [['app', ['web-3']]],
  )
})

test('status of a project without trouble says so', async () => {
  const { out, code } = await world.run('status', '--project', 'empty', '--exit-code')
  assert.equal(code, 0)
  assert.match(out, /^pools +none\nmembers +none\n\nNothing is wrong\.\n$/m)
})

test('health of a member is found by name, by id and by address, and says why in words', async () => {
  const { id, target } = member(2)
  for (const named of ['web-3', id, id.toUpperCase(), `127.0.0.1:${target.port}`]) {
    const { code, out, err } = await world.run('health', named)
    assert.equal(code, 0, err)
    assert.match(out, new RegExp(`^member +web-3, 127\\.0\\.0\\.1:${target.port} \\(${id}\\)$`, 'm'))
    assert.match(out, /^status +OFFLINE since .* ago$/m)
    assert.match(out, /^why +the target refused the connection: connect ECONNREFUSED$/m)
    assert.match(out, /^in a row +0\/1 successes to ONLINE, 1\/1 failures to OFFLINE$/m)
  }
  assert.equal((await world.run('health', 'web-3', '--exit-code')).code, 1)
  assert.equal((await world.run('health', 'web-1', '--exit-code')).code, 0)
  assert.equal(
    JSON.parse((await world.run('health', 'web-3', '--json')).out).member.reason,
    'CONNECT_REFUSED',
  )
})

test('health of a pool lists its members with the worst first', async () => {
  const { out } = await world.run('health', '--pool', 'app')
  assert.match(out, /^status +DEGRADED/m)
  const names = [...out.matchAll(/^(web-\d) .*:\d+ +(\w+)/gm)].map(([, name, status]) => `${name} ${status}`)
  assert.deepEqual(
    [names[0], names.toSorted()],
    ['web-3 OFFLINE', ['web-1 ONLINE', 'web-2 ONLINE', 'web-3 OFFLINE']],
  )
})

test('a name that several have is refused with their ids; an id or the pool says which is meant', async () => {
  const parents = { loadbalancer_id: undefined, protocol: 'TCP', lb_algorithm: 'ROUND_ROBIN' }
  const loadBalancer = await world.create('/loadbalancers', 'loadbalancer', {
    name: 'other',
    vip_subnet_id: randomUUID(),
  })
  const pool = await world.create('/pools', 'pool', {
    ...parents,
    name: 'other',
    loadbalancer_id: loadBalancer,
  })
  const twin = await world.create(`/pools/${pool}/members`, 'member', {
    name: 'web-1',
    address: '192.0.2.1',
    protocol_port: 80,
  })
  const { code, err, out } = await world.run('health', 'web-1')
  assert.deepEqual([code, out], [2, ''])
  assert.match(
    err,
    /^healthmonitor health: "web-1" is the name of several members: \S+, \S+ \(an id, or --pool, says which\)\n$/,
  )
  for (const id of [twin, member(0).id]) assert.ok(err.includes(id))
  assert.match((await world.run('health', 'web-1', '--pool', 'other')).out, new RegExp(twin))
  assert.match((await world.run('health', twin)).out, /the pool has no health monitor/)
})

test('what is not there is one line and exit code 2', async () => {
  const cases: readonly (readonly [args: readonly string[], line: string])[] = [
    [['health', 'nobody'], 'healthmonitor health: there is no member "nobody"\n'],
    [['wait', '--pool', 'nothing'], 'healthmonitor wait: there is no pool "nothing"\n'],
    [
      ['health', 'web-2', '--pool', 'other'],
      'healthmonitor health: there is no member "web-2" in pool other\n',
    ],
    [['health', randomUUID()], 'healthmonitor health: there is no member'],
    [['maintenance', 'show'], 'healthmonitor maintenance: name a MEMBER, or a pool with --pool\n'],
  ]
  for (const [args, line] of cases) {
    const { code, out, err } = await world.run(...args)
    assert.deepEqual([code, out], [2, ''], args.join(' '))
    assert.ok(err.startsWith(line), err)
  }
})

test('wait ends with 0 when the member is there, and with 1 and who is missing when the time is over', async () => {
  const waiting = world.run('wait', '--pool', 'app', '--for', 'ONLINE', '--timeout', '60')
  const inVain = await world.run('wait', '--pool', 'app', '--timeout', '1')
  assert.equal(inVain.code, 1, inVain.err)
  assert.match(inVain.out, /^pool app is not ONLINE after \d+(\.\d)? s\n/)
  assert.deepEqual([...inVain.out.matchAll(/^web-\d/gm)].map(String), ['web-3'])
  assert.deepEqual(await world.run('wait', 'web-3', '--timeout', '1', '--quiet'), {
    code: 1,
    out: '',
    err: '',
  })
  await member(2).target.up()
  const { code, out, err } = await waiting
  assert.equal(code, 0, err)
  assert.match(out, /^pool app is ONLINE after \d+(\.\d)? s\n$/)
  await member(2).target.down()
  assert.equal((await world.run('wait', 'web-3', '--for', 'OFFLINE', '--timeout', '60')).code, 0)
})

test('wait goes on when its connection breaks', async (t) => {
  const proxy = await breakingProxy(t, world.service.api)
  const { id, target } = member(1)
  const { finished } = startProgram(
    ['wait', id, '--for', 'OFFLINE', '--timeout', '60', '--url', proxy.url],
    {},
  )
  await until(() => proxy.waits() === 1, 'a wait, which the proxy breaks')
  await target.down()
  const { code, err } = await finished
  await target.up()
  assert.equal(code, 0, err)
  assert.ok(proxy.waits() > 1)
  await world.run('wait', id, '--for', 'ONLINE', '--timeout', '60')
})

test('events are lines for people, with filters, or one JSON object per line', async () => {
  const { out, code } = await world.run(
    'events',
    '--member',
    'web-3',
    '--type',
    'member.status',
    '--to',
    'OFFLINE',
  )
  assert.equal(code, 0)
  const lines = out.trimEnd().split('\n')
  for (const line of lines) {
    assert.match(
      line,
      /^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d {2}OFFLINE {3}member web-3 \(127\.0\.0\.1:\d+\) of app: the target refused/,
    )
  }
  const json = (await world.run('events', '--member', 'web-3', '--json', '--last', '2')).out
    .trimEnd()
    .split('\n')
  assert.deepEqual(
    json.map((line) => JSON.parse(line).member.id),
    [member(2).id, member(2).id],
  )
  assert.equal((await world.run('events', '--type', 'nonsense')).code, 2)
})

test('events --follow comes back after its connection broke and prints each event once', async (t) => {
  const forwarder = await startForwarder(t, portOf(world.service.api))
  const url = `http://127.0.0.1:${forwarder.port}`
  const args = [
    'events',
    '--follow',
    '--last',
    '0',
    '--json',
    '--pool',
    'app',
    '--type',
    'member.status',
    '--url',
    url,
  ]
  const { child, output, finished } = startProgram(args, {})
  t.after(() => void child.kill('SIGTERM'))
  const seen = () =>
    output.out
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as { id: string; to: string; member: { id: string } })
  const { id, target } = member(1)
  // What happens before the stream is open comes too: it begins where the list has ended.
  await until(() => forwarder.hasPassed('text/event-stream'), 'the request for the stream')
  await target.down()
  await until(() => seen().length === 1, `one event: ${output.out}${output.err}`)
  forwarder.set('cut')
  await target.up()
  assert.equal((await world.run('wait', id, '--for', 'ONLINE', '--timeout', '60')).code, 0)
  forwarder.set('open')
  await until(() => seen().length === 2, 'what happened meanwhile')
  await target.down()
  await until(() => seen().length === 3, 'what happens afterwards')
  await target.up()
  await world.run('wait', id, '--for', 'ONLINE', '--timeout', '60')
  child.kill('SIGTERM')
  await finished
  assert.deepEqual(
    seen()
      .slice(0, 3)
      .map((event) => [event.member.id, event.to]),
    [
      [id, 'OFFLINE'],
      [id, 'ONLINE'],
      [id, 'OFFLINE'],
    ],
  )
  assert.equal(new Set(seen().map((event) => event.id)).size, seen().length, 'none twice')
  assert.match(
    output.err,
    /^the stream of http:\S+ broke: .*; trying again\nthe stream is connected again\n$/,
  )
})

test('a maintenance is begun, shown and ended, of a member and of a pool', async () => {
  const begun = await world.run('maintenance', 'begin', 'web-2', '--for', '2h', '--note', 'new kernel')
  assert.equal(begun.code, 0, begun.err)
  assert.match(begun.out, /^member web-2 \(\S+\): maintenance since \S+ \S+ until \S+ \S+: new kernel\n$/)
  assert.match((await world.run('health', 'web-2')).out, /^maintenance +since .*: new kernel$/m)
  const shown = JSON.parse((await world.run('maintenance', 'show', 'web-2', '--json')).out).maintenance
  const hours = (Date.parse(shown.end) - Date.parse(shown.start)) / 3_600_000
  assert.ok(Math.abs(hours - 2) < 0.01, `${hours} h`)
  assert.equal((await world.run('maintenance', 'end', 'web-2')).code, 0)
  const none = await world.run('maintenance', 'show', 'web-2')
  assert.deepEqual([none.code, /no maintenance$/m.test(none.out)], [1, true])
  const until = '2999-01-01T00:00:00Z'
  assert.equal((await world.run('maintenance', 'begin', '--pool', 'app', '--until', until)).code, 0)
  assert.match((await world.run('maintenance', 'show', '--pool', 'app')).out, /^pool app: maintenance since/)
  assert.equal((await world.run('maintenance', 'end', '--pool', 'app')).code, 0)
  for (const wrong of [
    ['begin', 'web-2', '--for', '2'],
    ['begin', 'web-2', '--for', '2h', '--until', until],
    ['begin', 'web-2', '--until', '2001-01-01T00:00:00Z'],
    ['end', 'web-2', '--for', '2h'],
    ['stop', 'web-2'],
  ]) {
    assert.equal((await world.run('maintenance', ...wrong)).code, 2, wrong.join(' '))
  }
})

test('a maintenance that recurs is begun by a rule, and shown with its rule and its next time', async () => {
  const sundays = ['--rrule', 'FREQ=WEEKLY;BYDAY=SU', '--time-zone', 'Europe/Berlin', '--for', '2h']
  const begun = await world.run('maintenance', 'begin', 'web-2', ...sundays, '--from', '2026-01-04T02:00')
  assert.equal(begun.code, 0, begun.err)
  const words = String.raw`recurs by FREQ=WEEKLY;BYDAY=SU \(Europe/Berlin\), then from \d{4}-\d\d-\d\d \d\d:00:00`
  assert.match(begun.out, new RegExp(`^member web-2 .*: maintenance (from|since) .* until .*, ${words}\n$`))
  assert.match((await world.run('maintenance', 'show', 'web-2')).out, new RegExp(words))
  assert.match((await world.run('health', 'web-2')).out, new RegExp(`^maintenance +.*${words}$`, 'm'))
  const { maintenance } = JSON.parse((await world.run('maintenance', 'show', 'web-2', '--json')).out)
  assert.deepEqual(
    [maintenance.recurrence.duration, maintenance.recurrence.start],
    [7200, '2026-01-04T02:00:00'],
  )
  assert.equal((await world.run('maintenance', 'end', 'web-2')).code, 0)
  assert.equal((await world.run('maintenance', 'show', 'web-2')).code, 1)
  const zoned = ['--rrule', 'FREQ=DAILY', '--for', '2h', '--from', '2999-01-01T02:00:00Z']
  const refused = await world.run('maintenance', 'begin', 'web-2', ...zoned)
  assert.equal(refused.code, 2, refused.err)
  assert.match(refused.err, /--from "2999-01-01T02:00:00Z" must have no zone with --rrule/)
  for (const wrong of [
    ['--rrule', 'FREQ=DAILY'],
    ['--rrule', 'FREQ=DAILY', '--for', '2h', '--until', '2999-01-01T00:00:00Z'],
    ['--rrule', 'FREQ=DAILY', '--for', '2h', '--time-zone', 'Mars/Olympus'],
    ['--rrule', 'FREQ=HOURLY', '--for', '2m'],
    ['--for', '2h', '--time-zone', 'UTC'],
  ]) {
    const { code, err } = await world.run('maintenance', 'begin', 'web-2', ...wrong)
    assert.equal(code, 2, `${wrong.join(' ')}: ${err}`)
  }
})

test('with OS_AUTH_URL it signs in and finds the service in the catalogue: by password, token, application credential', async () => {
  const { api } = world.service
  const keystone = { OS_AUTH_URL: `${api}/identity/v3`, OS_PROJECT_NAME: 'default', HM_LISTEN: '127.0.0.1:1' }
  const password = { ...keystone, OS_USERNAME: 'admin', OS_PASSWORD: 'any' }
  const token = await tokenOf(api)
  for (const env of [
    password,
    { ...password, OS_AUTH_URL: `${api}/identity`, OS_REGION_NAME: 'RegionOne', OS_INTERFACE: 'publicURL' },
    { ...keystone, OS_TOKEN: token },
    {
      OS_AUTH_URL: keystone.OS_AUTH_URL,
      OS_APPLICATION_CREDENTIAL_ID: 'any',
      OS_APPLICATION_CREDENTIAL_SECRET: 'any',
    },
  ]) {
    const { code, out, err } = await runProgram(['status'], env)
    assert.equal(code, 0, err)
    assert.match(out, /^members +\d+ OFFLINE/m)
  }
  const all = await runProgram(['events', '--all-projects', '--type', 'prober.joined'], password)
  assert.match(all.out, /prober\.joined .*, pid \d+/)
})

test('the service is where --url says, also where HM_LISTEN leaves the port to the system', async () => {
  const env = { HM_LISTEN: '127.0.0.1:0' }
  const { code, err } = await runProgram(['status', '--url', world.service.api], env)
  assert.equal(code, 0, err)
  const { err: told } = await runProgram(['status'], env)
  assert.match(
    told,
    /^healthmonitor status: HM_LISTEN=127\.0\.0\.1:0 is not an address with a port: use --url/,
  )
})

test('a service or a Keystone that cannot be reached, or refuses, is one line and exit code 3', async () => {
  const { api } = world.service
  const cases: readonly (readonly [env: NodeJS.ProcessEnv, line: RegExp])[] = [
    [{ HM_LISTEN: '127.0.0.1:1' }, /^healthmonitor status: http:\/\/127\.0\.0\.1:1 refuses the connection: /],
    [{ OS_AUTH_URL: 'http://127.0.0.1:1', OS_USERNAME: 'a', OS_PASSWORD: 'b' }, / refuses the connection/],
    [
      { OS_AUTH_URL: `${api}/identity/v3`, OS_TOKEN: 'wrong' },
      /Keystone refuses the sign-in: The request you have made/,
    ],
    [{ OS_AUTH_URL: api, OS_USERNAME: 'a', OS_PASSWORD: 'b' }, /\/v3\/auth\/tokens answers 404/],
  ]
  for (const [env, line] of cases) {
    const { code, out, err } = await runProgram(['status'], env)
    assert.deepEqual([code, out], [3, ''], err)
    assert.match(err, line)
    assert.equal(err.split('\n').length, 2)
  }
  const missing = await runProgram(['status'], { OS_AUTH_URL: api, OS_USERNAME: 'a' })
  assert.deepEqual(
    [missing.code, missing.err],
    [2, 'healthmonitor status: OS_PASSWORD is not set, and OS_AUTH_URL is\n'],
  )
})

test('status --watch says it again after an event', async (t) => {
  const env = { HM_LISTEN: world.service.api.slice('http://'.length) }
  const { child, output, finished } = startProgram(['status', '--watch', '--json'], env)
  t.after(() => void child.kill('SIGTERM'))
  const offline = () =>
    output.out
      .trimEnd()
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line).members.offline as number)
  await until(() => offline().length > 0, 'the first look')
  const before = offline().at(-1) ?? 0
  await member(1).target.down()
  await until(() => offline().at(-1) === before + 1, 'one more that is OFFLINE')
  await member(1).target.up()
  await until(() => offline().at(-1) === before, 'one less')
  child.kill('SIGTERM')
  await finished
})

test('on a terminal there are colours, unless NO_COLOR is set, and tables fit its width; --watch puts it back', async (t) => {
  if (spawnSync('script', ['--version']).error !== undefined)
    return t.skip('script of util-linux is not there')
  const env = { HM_LISTEN: world.service.api.slice('http://'.length), TERM: 'xterm' }
  const coloured = await onTerminal('status', env)
  assert.ok(coloured.includes('\u001b[31mOFFLINE\u001b[0m'), JSON.stringify(coloured))
  for (const line of stripVTControlCharacters(coloured).split('\r\n').slice(1)) {
    assert.ok(line.length <= COLUMNS, `${line.length} columns: ${line}`)
  }
  assert.ok(!(await onTerminal('status', { ...env, NO_COLOR: '1' })).includes('\u001b'))
  const watched = await onTerminal('status --watch', env)
  assert.ok(watched.startsWith('\u001b[?1049h') && watched.endsWith('\u001b[?1049l'), JSON.stringify(watched))
})
