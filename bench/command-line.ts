/** Command lines of benches: `--name value`, `--flag`, and `--help`, which lists the options. */
import { parseArgs } from 'node:util'
import { progress } from './progress.ts'

/** Values with their defaults; a flag is false unless it is given. */
type Options = Readonly<Record<string, string | boolean>>
type Given<Defaults extends Options> = { readonly [Name in keyof Defaults]: Widened<Defaults[Name]> }
type Widened<Value> = Value extends boolean ? boolean : string

/** What was asked for; from now on a terminal shows that the bench runs. Ends the process after `--help` (0) and after what is not known (2, with one line that says so). */
export function commandLine<const Defaults extends Options>(
  usage: string,
  defaults: Defaults,
): Given<Defaults> {
  const options = Object.fromEntries(
    Object.entries(defaults).map(([name, value]) =>
      typeof value === 'boolean'
        ? [name, { type: 'boolean' as const, default: value }]
        : [name, { type: 'string' as const, default: value }],
    ),
  )
  try {
    const help = { type: 'boolean', short: 'h', default: false } as const
    const parsed = parseArgs({ allowNegative: true, options: { ...options, help } })
    const values: Readonly<Record<string, unknown>> = parsed.values
    if (values['help'] === true) {
      process.stdout.write(`usage: ${usage}\n\n${defaultsOf(defaults)}\n`)
      process.exit(0)
    }
    // A part of a bench that is a process of its own has the terminal of the bench.
    if (process.send === undefined) progress.show(/([^/\s]+)\.js/.exec(usage)?.[1] ?? usage)
    return values as Given<Defaults>
  } catch (error) {
    process.stderr.write(
      `${error instanceof Error ? error.message.split('\n', 1)[0] : String(error)}; --help says what there is\n`,
    )
    process.exit(2)
  }
}

function defaultsOf(defaults: Options): string {
  return Object.entries(defaults)
    .map(([name, value]) => `  --${name.padEnd(14)} default: ${value === '' ? 'none' : String(value)}`)
    .join('\n')
}
