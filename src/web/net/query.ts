/** Paths of the API with their parameters. */

type Value = string | number | undefined

/**
 * `path?name=value&…`, in the order of the parameters. One that is undefined or empty is left out; one with several values
 * stands once for each.
 */
export function pathWith(
  path: string,
  parameters: Readonly<Record<string, Value | readonly string[]>>,
): string {
  const query = Object.entries(parameters)
    .flatMap(([name, values]) =>
      (Array.isArray(values) ? values : [values]).map((value: Value) => [name, value]),
    )
    .filter(([, value]) => value !== undefined && value !== '')
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`)
  return query.length === 0 ? path : `${path}?${query.join('&')}`
}
