/** A list as a table, with the name of each column. */
import type { ComponentChildren } from 'preact'

export function Table({
  caption,
  columns,
  kind,
  children,
}: {
  /** For those who do not see the page. */
  readonly caption: string
  readonly columns: readonly string[]
  /** A further class of style/views.css. */
  readonly kind?: string
  /** The rows. */
  readonly children: ComponentChildren
}) {
  return (
    <table class={kind === undefined ? 'list' : `list ${kind}`}>
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          {columns.map((column) => (
            <th key={column} scope="col">
              {column}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  )
}
