/** `healthmonitor completion` and `healthmonitor man`: what is made from the table of commands. */
import { type Command, endWhenNobodyReads, parseFlags, UsageError } from '../command-line.ts'
import { completionOf, SHELLS } from '../completion.ts'
import { manPage } from '../man-page.ts'

/** Every command by its name: both need the table that they are in. */
type Table = () => Promise<Readonly<Record<string, Command>>>

export function completionCommand(table: Table): Command {
  return {
    summary: 'completion of the command line, for a shell',
    about: [
      'Prints a script that completes commands and flags. In bash and zsh:',
      '  source <(healthmonitor completion bash)\n  source <(healthmonitor completion zsh)',
      'In fish: healthmonitor completion fish | source',
    ],
    words: [{ name: 'SHELL', what: SHELLS.join(', '), choices: SHELLS }],
    run: async (args) => {
      const [word] = parseFlags(args, {}, { min: 1, max: 1, named: 'SHELL' }).words
      const shell = SHELLS.find((each) => each === word)
      if (shell === undefined)
        throw new UsageError(`SHELL ${JSON.stringify(word)} must be one of ${SHELLS.join(', ')}`)
      return await printed(completionOf(shell, await table()))
    },
  }
}

export function manCommand(table: Table): Command {
  return {
    summary: 'the manual page',
    about: ['Prints the manual page for man(1):', '  healthmonitor man | man -l -'],
    run: async (args) => {
      parseFlags(args, {})
      return await printed(manPage(await table()))
    },
  }
}

async function printed(text: string): Promise<number> {
  endWhenNobodyReads()
  await new Promise<void>((resolve) => {
    process.stdout.write(text, () => resolve())
  })
  return 0
}
