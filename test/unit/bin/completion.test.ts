/** Completion, in the shells themselves. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { allCommands } from '../../../src/bin/commands.ts'
import { completionOf, type Shell } from '../../../src/bin/completion.ts'

const COMMANDS = await allCommands()

/** What a person has typed before the last word is completed → what is offered. */
const CASES: readonly (readonly [typed: string, offered: readonly string[]])[] = [
  ['healthmonitor st', ['status']],
  ['healthmonitor wait --for ', ['OFFLINE', 'ONLINE']],
  ['healthmonitor status --wa', ['--watch']],
  ['healthmonitor maintenance ', ['begin', 'end', 'show']],
  ['healthmonitor help mig', ['migrate']],
]

/** A file with the completion; undefined when the shell is not there. */
function script(
  t: TestContext,
  shell: Shell,
): { readonly file: string; readonly folder: string } | undefined {
  if (spawnSync(shell, ['--version']).error !== undefined) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'healthmonitor-completion-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'completion')
  writeFileSync(file, completionOf(shell, COMMANDS))
  return { file, folder }
}

function run(shell: Shell, args: readonly string[], folder: string): string {
  const { stdout, stderr } = spawnSync(shell, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: folder, TERM: 'xterm' },
  })
  assert.equal(stderr, '')
  return stdout
}

test('bash completes commands, flags, values and words', (t) => {
  const made = script(t, 'bash')
  if (made === undefined) return t.skip('bash is not there')
  for (const [typed, offered] of CASES) {
    const words = typed.split(' ').map((word) => `'${word}'`)
    const ask: readonly string[] = [
      `source '${made.file}'`,
      `COMP_WORDS=(${words.join(' ')})`,
      `COMP_CWORD=${words.length - 1}`,
      '_healthmonitor',
      String.raw`printf '%s\n' "${'$'}{COMPREPLY[@]}"`,
    ]
    const found: readonly string[] = run('bash', ['--norc', '-c', ask.join('\n')], made.folder)
      .split('\n')
      .filter((word) => word !== '')
    assert.deepEqual(
      found.filter((word) => typed.endsWith('-wa') || !word.startsWith('--')).toSorted(),
      offered,
      typed,
    )
  }
})

test('fish completes commands, flags, values and words', (t) => {
  const made = script(t, 'fish')
  if (made === undefined) return t.skip('fish is not there')
  for (const [typed, offered] of CASES) {
    const out = run(
      'fish',
      ['--no-config', '-c', `source '${made.file}'; complete -C '${typed}'`],
      made.folder,
    )
    const found = out
      .split('\n')
      .flatMap((line) => line.split('\t')[0] ?? [])
      .filter((word) => word !== '')
    assert.deepEqual(found.toSorted(), offered, typed)
  }
})

/** The functions of zsh's completion print what they are given: zsh completes only on a terminal. */
const ZSH = (file: string, typed: readonly string[]): string =>
  [
    'compdef() { print -r -- "compdef $*" }',
    '_arguments() { print -rl -- "$@" }',
    '_describe() { print -rl -- "${(@P)2}" }',
    `source '${file}'`,
    `words=(${typed.map((word) => `'${word}'`).join(' ')}) CURRENT=${typed.length}`,
    '_healthmonitor',
  ].join('\n')

test('zsh gets the commands, and the flags, values and words of each', (t) => {
  const made = script(t, 'zsh')
  if (made === undefined) return t.skip('zsh is not there')
  const told = (...typed: readonly string[]): readonly string[] =>
    run('zsh', ['-f', '-c', ZSH(made.file, typed)], made.folder)
      .trimEnd()
      .split('\n')
  const [registered, ...commands] = told('healthmonitor', 'st')
  assert.equal(registered, 'compdef _healthmonitor healthmonitor')
  assert.deepEqual(
    commands.map((line) => line.split(':')[0]),
    [...Object.keys(COMMANDS), 'help', 'version'],
  )
  for (const [name, { flags = {}, words = [] }] of Object.entries(COMMANDS)) {
    const [, help = '', ...specs] = told('healthmonitor', name, '')
    assert.match(help, /^--help\[/)
    assert.deepEqual(
      specs.slice(0, Object.keys(flags).length).map((spec) => spec.split('[')[0]),
      Object.keys(flags).map((flag) => `--${flag}`),
    )
    assert.equal(specs.length, Object.keys(flags).length + words.length, name)
  }
  assert.ok(told('healthmonitor', 'wait', '').some((spec) => spec.endsWith(':STATUS:(ONLINE OFFLINE)')))
  assert.ok(told('healthmonitor', 'maintenance', '').includes(':ACTION:(begin end show)'))
  assert.ok(told('healthmonitor', 'dump', '').includes(':FILE:_files'))
})

test('every command and each of its flags is in the completion of every shell', () => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const text = completionOf(shell, COMMANDS)
    for (const [name, { flags = {} }] of Object.entries(COMMANDS)) {
      assert.ok(text.includes(name), name)
      for (const flag of Object.keys(flags)) {
        assert.ok(text.includes(shell === 'fish' ? `-l ${flag}` : `--${flag}`), `${shell}: ${flag}`)
      }
    }
  }
})
