/** What the commands that call a running service share: its address, common flags, the screen, and exit codes. */
import { readFileSync } from 'node:fs'
import { ClientFailure, EXIT, mistake } from '../../client/failure.ts'
import { variablesOf } from '../../client/keystone.ts'
import { Service } from '../../client/service.ts'
import { type Screen, screenOf } from '../../client/terminal/screen.ts'
import { parseEndpoint } from '../../runtime/config/endpoint.ts'
import { localUrl } from '../../runtime/listener/listener.ts'
import { endWhenNobodyReads, UsageError } from '../command-line.ts'

/** Flags of every such command. */
export const SERVICE_FLAGS = {
  url: {
    type: 'string',
    value: 'URL',
    what: 'the address of the service; default: the load-balancer service in the catalogue of OS_AUTH_URL, else HM_LISTEN, else http://127.0.0.1:9876',
  },
  project: {
    type: 'string',
    value: 'ID',
    what: 'the project, if there is no Keystone (OS_PROJECT_ID, or the default project of the service)',
  },
} as const

export const JSON_FLAG = { json: { type: 'boolean', what: 'prints JSON for programs' } } as const

/** The paragraph about sign-in, in the help of each command. */
export const SIGN_IN_TEXT =
  'If OS_AUTH_URL is set, the command signs in with Keystone, with the same OS_* variables as the openstack command: a password, a token or an application credential.'

export const CLIENT_EXITS = {
  2: 'the command line is wrong, or the object does not exist or its name is not unique',
  3: 'the service or Keystone cannot be reached, or refused the request',
} as const

export interface Client {
  readonly service: Service
  readonly screen: Screen
  /** Prints lines on standard output. */
  readonly print: (lines: readonly string[]) => void
}

export interface ServiceValues {
  readonly url?: string | undefined
  readonly project?: string | undefined
}

/** Opens the service, does the work and closes it. Throws UsageError and ClientFailure. */
export async function withService(
  values: ServiceValues,
  environment: NodeJS.ProcessEnv,
  work: (client: Client) => Promise<number>,
): Promise<number> {
  endWhenNobodyReads()
  const variables = variablesOf(environment)
  const caFile = variables('OS_CACERT')
  const service = await Service.open({
    url: values.url,
    defaultUrl: () => defaultUrl(environment),
    project: values.project ?? variables('OS_PROJECT_ID'),
    variables,
    authorities: caFile === undefined ? undefined : readAuthorities(caFile),
  })
  try {
    const print = (lines: readonly string[]) => {
      process.stdout.write(lines.map((line) => `${line}\n`).join(''))
    }
    return await work({ service, screen: screenOf(process.stdout, environment), print })
  } finally {
    await service.close()
  }
}

/** Where a service of this host listens, by its settings. Throws UsageError. */
function defaultUrl({
  HM_LISTEN: listen = '127.0.0.1:9876',
  HM_TLS_CERT: certificate,
}: NodeJS.ProcessEnv): string {
  const endpoint = parseEndpoint(listen)
  if (endpoint === undefined || endpoint.port === 0)
    throw new UsageError(`HM_LISTEN=${listen} is not an address with a port: use --url`)
  return localUrl(endpoint, certificate === undefined ? 'http' : 'https')
}

function readAuthorities(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new ClientFailure(EXIT.mistake, `OS_CACERT=${file} cannot be read: ${(error as Error).message}`)
  }
}

/** A whole number of a flag. Throws UsageError. */
export function numberOf(
  flag: string,
  text: string | undefined,
  { min, max, absent }: { readonly min: number; readonly max: number; readonly absent: number },
): number {
  if (text === undefined) return absent
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= min && value <= max) return value
  throw new UsageError(`--${flag} ${JSON.stringify(text)} must be a whole number from ${min} to ${max}`)
}

/** Milliseconds of `90s`, `30m`, `2h`, `1d`. Throws ClientFailure. */
export function durationOf(flag: string, text: string): number {
  const [, count = '', unit = ''] = /^(\d{1,6})(s|m|h|d)$/.exec(text) ?? []
  const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }[unit]
  if (unitMs === undefined || Number(count) === 0)
    throw mistake(`--${flag} ${JSON.stringify(text)} must be like 90s, 30m, 2h or 1d`)
  return Number(count) * unitMs
}
