/** What a bench does, and for how long, on a terminal; it makes room for what is printed. One for the process. */
import { Progress } from '../src/runtime/output/progress.ts'

export const progress = new Progress()

const print = console.log
console.log = (...words: readonly unknown[]): void => {
  progress.hide()
  print(...words)
}
process.once('exit', () => progress.end())
