/** Completion of the command line in bash, zsh and fish, made from the table of commands. */
import type { Command, Flag, FlagTable } from './command-line.ts'

type Table = Readonly<Record<string, Command>>

/** Words that are understood beside the commands. */
const OTHERS: Readonly<Record<string, string>> = {
  help: 'says more about a command',
  version: 'which version this is',
}
const HELP = 'says more about the command'

export const SHELLS = ['bash', 'zsh', 'fish'] as const
export type Shell = (typeof SHELLS)[number]

export function completionOf(shell: Shell, table: Table): string {
  return { bash, zsh, fish }[shell](table)
}

const takesFile = (name: string, { value }: Flag): boolean => value === 'FILE' || name === 'options'
const namesOf = (flags: FlagTable = {}): readonly string[] => Object.keys(flags).map((name) => `--${name}`)
const summaries = (table: Table): readonly (readonly [name: string, what: string])[] => [
  ...Object.entries(table).map(([name, { summary }]) => [name, summary] as const),
  ...Object.entries(OTHERS),
]

/** What may follow: words to choose from, a file, or nothing that is known here. */
function afterFlag(name: string, flag: Flag): string {
  if (flag.choices !== undefined) return `COMPREPLY=($(compgen -W '${flag.choices.join(' ')}' -- "$cur"))`
  return takesFile(name, flag) ? 'COMPREPLY=($(compgen -f -- "$cur"))' : ':'
}

function bash(table: Table): string {
  const values = Object.entries(table).flatMap(([command, { flags = {} }]) =>
    Object.entries(flags)
      .filter(([, { type }]) => type === 'string')
      .map(([name, flag]) => `    ${command}:--${name}) ${afterFlag(name, flag)}; return ;;`),
  )
  const words = Object.entries(table).map(([command, { flags, words: named = [] }]) => {
    const choices = named.flatMap((word) => word.choices ?? [])
    const hasFile = named.some((word) => word.isFile === true)
    const all = [...choices, ...namesOf(flags), '--help'].join(' ')
    const files = hasFile ? ' $(compgen -f -- "$cur")' : ''
    return `    ${command}) COMPREPLY=($(compgen -W '${all}' -- "$cur")${files}) ;;`
  })
  const names = summaries(table).map(([name]) => name)
  return [
    '# bash completion of healthmonitor; made by "healthmonitor completion bash".',
    '_healthmonitor() {',
    '  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}',
    '  COMPREPLY=()',
    '  if ((COMP_CWORD == 1)) || { ((COMP_CWORD == 2)) && [[ $prev == help ]]; }; then',
    `    COMPREPLY=($(compgen -W '${names.join(' ')}' -- "$cur"))`,
    '    return',
    '  fi',
    '  case ${COMP_WORDS[1]}:$prev in',
    ...values,
    '  esac',
    '  case ${COMP_WORDS[1]} in',
    ...words,
    '  esac',
    '}',
    'complete -F _healthmonitor healthmonitor',
    '',
  ].join('\n')
}

function zsh(table: Table): string {
  const cases = Object.entries(table).map(([command, { flags = {}, words = [] }]) => {
    const specs = [
      `'--help[${zshText(HELP)}]'`,
      ...Object.entries(flags).map(
        ([name, flag]) => `'--${name}[${zshText(flag.what)}]${zshValue(name, flag)}'`,
      ),
      ...words.map(({ name, choices, isFile, isOptional, isRepeated }) => {
        const action = isFile === true ? '_files' : choices === undefined ? ' ' : `(${choices.join(' ')})`
        return `'${isRepeated === true ? '*' : ''}:${isOptional === true ? ':' : ''}${name}:${action}'`
      }),
    ]
    return `    ${command}) _arguments ${specs.join(' \\\n      ')} ;;`
  })
  return [
    '#compdef healthmonitor',
    '# zsh completion of healthmonitor; made by "healthmonitor completion zsh".',
    '_healthmonitor() {',
    '  local -a commands',
    '  commands=(',
    ...summaries(table).map(([name, what]) => `    '${name}:${zshText(what)}'`),
    '  )',
    '  if (( CURRENT == 2 )) || { (( CURRENT == 3 )) && [[ ${words[2]} == help ]] }; then',
    "    _describe 'command' commands",
    '    return',
    '  fi',
    '  local command=${words[2]}',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case $command in',
    ...cases,
    '  esac',
    '}',
    // As a file of fpath it is called itself; sourced, it registers.
    'if [[ $funcstack[1] == _healthmonitor ]]; then _healthmonitor "$@"; else compdef _healthmonitor healthmonitor; fi',
    '',
  ].join('\n')
}

function zshValue(name: string, flag: Flag): string {
  if (flag.type !== 'string') return ''
  const action = takesFile(name, flag)
    ? '_files'
    : flag.choices === undefined
      ? ' '
      : `(${flag.choices.join(' ')})`
  return `:${flag.value ?? name}:${action}`
}

/** Brackets, colours of _arguments and the quote end a text there. */
function zshText(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, String.raw`\$&`).replaceAll("'", String.raw`'\''`)
}

function fish(table: Table): string {
  const here = '-c healthmonitor'
  const commands = summaries(table).flatMap(([name, what]) => [
    `complete ${here} -n __fish_use_subcommand -f -a ${name} -d ${fishText(what)}`,
    ...(name === 'help' || name === 'version'
      ? []
      : [`complete ${here} -n '__fish_seen_subcommand_from help' -f -a ${name}`]),
  ])
  const flags = Object.entries(table).flatMap(([command, { flags: all = {}, words = [] }]) => {
    const seen = `complete ${here} -n '__fish_seen_subcommand_from ${command}'`
    return [
      `${seen} -l help -d ${fishText(HELP)}`,
      ...Object.entries(all).map(
        ([name, flag]) => `${seen} -l ${name}${fishValue(name, flag)} -d ${fishText(flag.what)}`,
      ),
      ...words.flatMap(({ choices, isFile }) => {
        if (isFile === true) return [`${seen} -F`]
        return choices === undefined ? [`${seen} -f`] : [`${seen} -f -a ${fishText(choices.join(' '))}`]
      }),
    ]
  })
  return [
    '# fish completion of healthmonitor; made by "healthmonitor completion fish".',
    ...commands,
    ...flags,
    '',
  ].join('\n')
}

function fishValue(name: string, flag: Flag): string {
  if (flag.type !== 'string') return ''
  if (takesFile(name, flag)) return ' -r -F'
  return flag.choices === undefined ? ' -x' : ` -x -a ${fishText(flag.choices.join(' '))}`
}

function fishText(text: string): string {
  return `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
