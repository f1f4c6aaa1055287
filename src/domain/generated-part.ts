/** Parts of documents that are generated: they are between two marks; the text around them is written by hand. */
export interface Marks {
  readonly begin: string
  readonly end: string
}

/** The document with `part`, whole lines, between its marks. Throws when they are not there. */
export function withGenerated(document: string, { begin, end }: Marks, part: string): string {
  const from = document.indexOf(begin)
  const to = document.indexOf(end)
  if (from < 0 || to < from) throw new Error(`the marks ${begin} and ${end} are missing`)
  const lineStart = document.lastIndexOf('\n', to) + 1
  return `${document.slice(0, from)}${begin}\n${part}\n${document.slice(lineStart)}`
}

/** Characters of a line of the documents. */
const LINE_MAX = 118

/** A text in lines of the documents' width; what follows the first begins with `indent`. */
export function wrapped(text: string, indent = ''): readonly string[] {
  const cut = text.length <= LINE_MAX ? -1 : text.lastIndexOf(' ', LINE_MAX)
  if (cut <= indent.length) return [text]
  return [text.slice(0, cut), ...wrapped(`${indent}${text.slice(cut + 1)}`, indent)]
}
