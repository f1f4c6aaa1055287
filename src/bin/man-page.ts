/** The manual page, in the macros of man(7), made from the table of commands. */
import { exitsOf, flagMeaning, flagText, wordText } from './command-help.ts'
import type { Command } from './command-line.ts'

/** Variables that the commands of people read; the settings of the service are in README.md. */
const ENVIRONMENT: readonly (readonly [name: string, what: string])[] = [
  [
    'HM_LISTEN',
    'Where a service of this host listens. Commands that call a service use it if neither --url nor OS_AUTH_URL is given.',
  ],
  [
    'OS_AUTH_URL',
    'Keystone (Identity API v3). With it, commands sign in and find the service in the catalogue, by the type load-balancer.',
  ],
  [
    'OS_USERNAME, OS_PASSWORD, OS_USER_DOMAIN_NAME',
    'Sign-in by password; also OS_USER_ID, OS_USER_DOMAIN_ID.',
  ],
  ['OS_TOKEN', 'Sign-in by a token, without OS_PASSWORD or with OS_AUTH_TYPE=token.'],
  [
    'OS_APPLICATION_CREDENTIAL_ID, OS_APPLICATION_CREDENTIAL_SECRET',
    'Sign-in by an application credential; also OS_APPLICATION_CREDENTIAL_NAME with the user.',
  ],
  ['OS_PROJECT_NAME, OS_PROJECT_DOMAIN_NAME', 'The project; also OS_PROJECT_ID, OS_PROJECT_DOMAIN_ID.'],
  [
    'OS_REGION_NAME, OS_INTERFACE',
    'Which entry of the catalogue is used; the interface is public by default.',
  ],
  ['OS_AUTH_TYPE', 'password, token or v3applicationcredential; none: no sign-in, also with OS_AUTH_URL.'],
  ['OS_CACERT', 'File with the CA certificates for Keystone and the service.'],
  ['NO_COLOR', 'When it is set and not empty, there are no colours.'],
  ['COLUMNS', 'Columns of a line, instead of those of the terminal.'],
]

export function manPage(table: Readonly<Record<string, Command>>): string {
  const lines = [
    '.\\" Made by "npm run docs:man" from the table of commands.',
    '.TH HEALTHMONITOR 1',
    '.SH NAME',
    'healthmonitor \\- health monitor service of OpenStack\\-style clouds',
    '.SH SYNOPSIS',
    '.B healthmonitor',
    '.I COMMAND',
    '[options]',
    '.SH DESCRIPTION',
    'The service probes the members of load balancers\\(aq pools, and says which are ONLINE, which are OFFLINE, why, and since when.',
    'The commands of the first list run the service. Those of the second list call the API of a running service.',
    '.SH COMMANDS THAT RUN THE SERVICE',
    ...sections(table, false),
    '.SH COMMANDS THAT CALL A SERVICE',
    ...sections(table, true),
    '.SH ENVIRONMENT',
    ...ENVIRONMENT.flatMap(([name, what]) => ['.TP', `.B ${roff(name)}`, roff(what)]),
    '.SH EXIT STATUS',
    'Each command names its exit codes.',
    'For all commands, 0 is success and 2 is a wrong command line.',
    'Commands that call a service end with 1 if a status is not reached or something is wrong, and with 3 if the service or Keystone cannot be reached or refused the request.',
  ]
  return `${lines.join('\n')}\n`
}

function sections(table: Readonly<Record<string, Command>>, isClient: boolean): readonly string[] {
  return Object.entries(table)
    .filter(([, command]) => (command.isClient === true) === isClient)
    .flatMap(([name, command]) => section(name, command))
}

function section(name: string, command: Command): readonly string[] {
  const { summary, about, words = [], flags = {} } = command
  return [
    `.SS ${roff([name, ...words.map(wordText)].join(' '))}`,
    `${roff(capital(summary))}.`,
    ...about.flatMap((paragraph) =>
      paragraph.startsWith(' ')
        ? ['.PP', '.nf', '.RS', ...paragraph.split('\n').map((line) => roff(line.trim())), '.RE', '.fi']
        : ['.PP', roff(paragraph)],
    ),
    ...words.flatMap((word) =>
      word.what === undefined ? [] : ['.TP', `.I ${roff(word.name)}`, roff(word.what)],
    ),
    ...Object.entries(flags).flatMap(([flag, entry]) => [
      '.TP',
      `.B ${roff(flagText(flag, entry))}`,
      roff(flagMeaning(entry)),
    ]),
    '.PP',
    roff(exitsOf(command)),
  ]
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** Text in which nothing is a request or an escape, and hyphens can be copied. */
function roff(text: string): string {
  const escaped = text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll("'", '\\(aq')
    .replaceAll('’', '\\(cq')
    .replaceAll('…', '\\&...')
  return /^[.']/.test(escaped) ? `\\&${escaped}` : escaped
}
