/** The program's command line, as a person types it. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { COMMAND_NAMES } from '../../../src/bin/commands.ts'
import { dispatch } from '../../../src/bin/dispatch.ts'

async function run(...args: readonly string[]) {
  const output = { out: '', err: '' }
  const code = await dispatch(
    args,
    {},
    { out: (text) => (output.out += text), err: (text) => (output.err += text) },
  )
  return { code, ...output }
}

test('help, --help and -h list every command and exit with 0', async () => {
  for (const word of ['help', '--help', '-h']) {
    const { code, out, err } = await run(word)
    assert.equal(code, 0)
    assert.equal(err, '')
    assert.match(out, /^usage: healthmonitor COMMAND\n/)
    for (const name of COMMAND_NAMES) assert.match(out, new RegExp(`^  ${name} `, 'm'))
  }
})

test('every command explains itself to --help, -h and help COMMAND', async () => {
  for (const name of COMMAND_NAMES) {
    for (const args of [
      [name, '--help'],
      [name, '-h'],
      ['help', name],
    ]) {
      const { code, out, err } = await run(...args)
      assert.equal(code, 0, args.join(' '))
      assert.equal(err, '')
      assert.match(out, new RegExp(`^usage: healthmonitor ${name}[ \\n]`))
    }
  }
})

test('version and --version print the version of package.json', async () => {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
  for (const word of ['version', '--version', '-V']) {
    assert.deepEqual(await run(word), { code: 0, out: `${version}\n`, err: '' })
  }
})

const MISTAKES: readonly (readonly [args: readonly string[], line: RegExp])[] = [
  [[], /^healthmonitor: a command is needed \(healthmonitor --help says more\)\n$/],
  [['dance'], /^healthmonitor: unknown command "dance" \(healthmonitor --help says more\)\n$/],
  [['constructor'], /^healthmonitor: unknown command "constructor" /],
  [['--dance'], /^healthmonitor: unknown command "--dance" /],
  [['help', 'dance'], /^healthmonitor: unknown command "dance" /],
  [['--check-config', 'now'], /^healthmonitor: unknown command "--check-config" /],
  [['sql'], /^healthmonitor sql: STATEMENT is missing \(healthmonitor sql --help says more\)\n$/],
  [['dump'], /^healthmonitor dump: FILE is missing /],
  [['restore'], /^healthmonitor restore: FILE is missing /],
  ...COMMAND_NAMES.map(
    (name) => [[name, '--dance'], new RegExp(`^healthmonitor ${name}: Unknown option '--dance' `)] as const,
  ),
  ...['serve', 'api', 'prober', 'notifier', 'migrate'].map(
    (name) => [[name, 'dance'], new RegExp(`^healthmonitor ${name}: "dance" is not understood `)] as const,
  ),
]

for (const [args, line] of MISTAKES) {
  test(`a mistake prints one line and exits with 2: healthmonitor ${args.join(' ')}`, async () => {
    const { code, out, err } = await run(...args)
    assert.equal(code, 2)
    assert.equal(out, '')
    assert.match(err, line)
    assert.equal(err.split('\n').length, 2)
  })
}
