/** `healthmonitor apply`: objects of Kuma and Grey Matter from a file, for those without the clients of these. */
import { createReadStream } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { type Applied, applyObjects } from '../../client/apply.ts'
import { ClientFailure, EXIT, mistake } from '../../client/failure.ts'
import { printable } from '../../client/terminal/screen.ts'
import { APPLY_FILE_MAX_BYTES } from '../../domain/limits.ts'
import { CLIENT_EXITS, JSON_FLAG, SERVICE_FLAGS, SIGN_IN_TEXT, withService } from './client.ts'
import { type Command, parseFlags, UsageError } from '../command-line.ts'

const FLAGS = {
  file: {
    type: 'string',
    short: 'f',
    value: 'FILE',
    what: 'YAML or JSON, several documents with --- between them; - is standard input',
  },
  'dry-run': { type: 'boolean', what: 'keeps nothing, and says what would be probed' },
  ...JSON_FLAG,
  ...SERVICE_FLAGS,
} as const

type Json = Readonly<Record<string, unknown>>

export const applyCommand: Command = {
  summary: 'creates or replaces objects of Kuma and Grey Matter',
  about: [
    'Reads objects from a file, and creates or replaces them in the service: Mesh, Dataplane, HealthCheck, MeshHealthCheck and MeshService of Kuma, in one transaction; zones and clusters of Grey Matter, in another.',
    '  healthmonitor apply -f policy.yaml --dry-run\n  kubectl kustomize . | healthmonitor apply -f -',
    SIGN_IN_TEXT,
  ],
  flags: FLAGS,
  isClient: true,
  exits: { 0: 'done', ...CLIENT_EXITS },
  run: async (args, environment) => {
    const { values } = parseFlags(args, FLAGS)
    if (values.file === undefined) throw new UsageError('--file is missing')
    const objects = objectsOf(await textOf(values.file), values.file)
    const isDryRun = values['dry-run'] === true
    return await withService(values, environment, async ({ service, print }) => {
      const applied = await applyObjects(service, objects, isDryRun)
      if (values.json === true) print([JSON.stringify({ dry_run: isDryRun, ...applied })])
      else print(linesOf(applied, isDryRun).map(printable))
      return EXIT.done
    })
  },
}

/** The objects of all documents; empty documents are left out. Throws ClientFailure. */
function objectsOf(text: string, file: string): readonly Json[] {
  const documents = parseAllDocuments(text, { version: '1.2' })
  if (!Array.isArray(documents)) throw mistake(`${file} has no object`)
  const objects: unknown[] = []
  for (const document of documents) {
    const [error] = document.errors
    if (error !== undefined) throw mistake(`${file} is no YAML: ${error.message.split('\n')[0]}`)
    const value = understood(file, () => document.toJS({ maxAliasCount: ALIASES_MAX }) as unknown)
    if (value !== null && value !== undefined) objects.push(value)
  }
  if (objects.length === 0) throw mistake(`${file} has no object`)
  return objects.map((object) => {
    if (typeof object === 'object' && object !== null && !Array.isArray(object)) return object as Json
    throw mistake(`${file}: a document is no object`)
  })
}

/** Aliases could make a small file a large one. */
const ALIASES_MAX = 100

function understood(file: string, read: () => unknown): unknown {
  try {
    return read()
  } catch (error) {
    throw mistake(`${file} is no YAML: ${(error as Error).message}`)
  }
}

/** The text of a file, or of standard input. Throws ClientFailure. */
async function textOf(file: string): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of file === '-' ? process.stdin : createReadStream(file)) {
      chunks.push(chunk as Buffer)
      length += (chunk as Buffer).length
      if (length > APPLY_FILE_MAX_BYTES) break
    }
  } catch (error) {
    throw new ClientFailure(EXIT.mistake, `--file ${file} cannot be read: ${(error as Error).message}`)
  }
  if (length > APPLY_FILE_MAX_BYTES)
    throw mistake(`--file ${file} has more than ${APPLY_FILE_MAX_BYTES} bytes`)
  return Buffer.concat(chunks).toString()
}

function linesOf({ objects, probes, unprobed, warnings }: Applied, isDryRun: boolean): readonly string[] {
  const would = isDryRun ? 'would be ' : ''
  const verbs = { added: 'probed', changed: 'probed otherwise', gone: 'no longer probed' }
  return [
    ...objects.map(({ named, result }) => `${named} ${would}${result}`),
    ...probes.map(({ pool, change, type, members }) => {
      const where = members.length === 0 ? '' : `: ${members.slice(0, SHOWN).join(', ')}`
      const rest = members.length > SHOWN ? ` and ${members.length - SHOWN} more` : ''
      return `${pool} ${would}${verbs[change]}${type === null || change === 'gone' ? '' : ` (${type})`}${change === 'gone' ? '' : `${where}${rest}`}`
    }),
    ...unprobed.map((line) => `not probed: ${line}`),
    ...warnings.map((line) => `warning: ${line}`),
  ]
}

/** Members that a line names. */
const SHOWN = 5
