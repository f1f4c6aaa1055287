/** The second page of a terminal: what was shown before is there again when it is closed, also by a signal. */

const OPEN = '\u001b[?1049h\u001b[?25l'
const CLOSE = '\u001b[?25h\u001b[?1049l'
const FROM_TOP = '\u001b[H'
const REST_OF_LINE = '\u001b[K'
const REST_OF_PAGE = '\u001b[J'
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

export class FullScreen {
  #isOpen = false

  open(): void {
    this.#isOpen = true
    for (const signal of ENDING) process.once(signal, this.#end)
    process.stdout.write(OPEN)
  }

  /** As many lines as there is room for; the last says that there are more. */
  draw(lines: readonly string[]): void {
    const rows = process.stdout.rows
    const shown =
      lines.length <= rows ? lines : [...lines.slice(0, rows - 1), `… ${lines.length - rows + 1} more lines`]
    const text = shown.map((line) => `${line}${REST_OF_LINE}`).join('\r\n')
    // One write, over what is there: nothing flickers.
    process.stdout.write(`${FROM_TOP}${text}${REST_OF_PAGE}`)
  }

  close(): void {
    if (!this.#isOpen) return
    this.#isOpen = false
    for (const signal of ENDING) process.off(signal, this.#end)
    process.stdout.write(CLOSE)
  }

  /** Restores the terminal, and ends by the signal, as its sender expects. */
  readonly #end = (signal: NodeJS.Signals): void => {
    this.close()
    process.kill(process.pid, signal)
  }
}
